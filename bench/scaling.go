package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/term"
)

// axis is one size of a problem, which grows while all else stays.
type axis struct {
	name, label string
	decode      bool // time of a caption, else of a training step
	values      []int
	flags       func(value int) []string // that ask `bench train` or `bench decode` for it
}

// setting gives the flags of an axis along a key of the study.
func setting(key string) func(int) []string {
	return func(v int) []string { return []string{"--set", fmt.Sprintf("%s=%d", key, v)} }
}

var axes = []axis{
	{"data", "images of the data set", false, []int{200, 400, 800, 1600, 3200}, setting("data.images")},
	{"batch", "images a step", false, []int{4, 8, 16, 32, 64}, setting("train.batch_images")},
	{"vocabulary", "words of the vocabulary", false, []int{500, 1000, 2500, 5000, 10000}, func(v int) []string {
		return []string{"--vocabulary", strconv.Itoa(v)}
	}},
	{"hidden", "hidden size", false, []int{128, 256, 384, 512, 768}, setting("model.hidden")},
	// The demo's encoder gives a region for each 8×8 pixels.
	{"regions", "regions", false, []int{16, 36, 64, 100, 144}, func(v int) []string {
		side := 1
		for side*side < v {
			side++
		}
		return setting("encoder.image_size")(8 * side)
	}},
	{"beam", "beam width", true, []int{1, 2, 3, 5, 10}, setting("decode.beam")},
}

// Axes are the names of the sizes that Scaling lets grow.
func Axes() []string {
	names := make([]string, len(axes))
	for i, a := range axes {
		names[i] = a.name
	}
	return names
}

// ScalingOptions say what grows, and how it is measured.
type ScalingOptions struct {
	Axes    []string // of Axes; empty for all
	Sets    []string // further keys of the demo, as KEY=VALUE
	Steps   int      // training steps of a point
	Threads int      // 0 for the processors
	Folder  string   // takes scaling.csv, scaling.svg and scaling.png
	// Run runs a command line of glimpse, which begins with bench, in a process of its own, whose peak of memory is then of
	// that measurement alone.
	Run func(ctx context.Context, stdout io.Writer, args ...string) error
	// Done is told of each point; nil for nobody.
	Done func(label string, p ScalingPoint)
}

// ScalingPoint is what was measured at one value of an axis. Its JSON is a contract.
type ScalingPoint struct {
	Axis   string      `json:"axis"`
	Value  int         `json:"value"`
	MS     term.Number `json:"ms"` // median of a training step, or mean of a caption
	PeakMB term.Number `json:"peak_rss_mb"`
}

// Scaling measures how time and memory of the built-in demo's soft arm, whose encoder is trained along, grow with one
// size at a time, and writes a table and plots of that. An axis that is none is a *NothingError.
func Scaling(ctx context.Context, o ScalingOptions) ([]ScalingPoint, error) {
	for _, name := range o.Axes {
		if !slices.Contains(Axes(), name) {
			return nil, &NothingError{fmt.Sprintf("--axis %s: want one of %s", name, strings.Join(Axes(), ", "))}
		}
	}
	var points []ScalingPoint
	for _, a := range axes {
		if len(o.Axes) > 0 && !slices.Contains(o.Axes, a.name) {
			continue
		}
		for _, value := range a.values {
			p, err := o.measure(ctx, a, value)
			if err != nil {
				return nil, fmt.Errorf("%s %d: %w", a.label, value, err)
			}
			if o.Done != nil {
				o.Done(a.label, p)
			}
			points = append(points, p)
		}
	}
	return points, writeScaling(o.Folder, points)
}

// measure measures one point.
func (o *ScalingOptions) measure(ctx context.Context, a axis, value int) (ScalingPoint, error) {
	p := ScalingPoint{Axis: a.name, Value: value}
	if a.decode {
		// Steps enough for captions that end.
		r, row, err := ask[DecodeSpeed](ctx, o, a.flags(value), "decode", "--images", "100", "--train-steps", strconv.Itoa(6*o.Steps))
		p.MS, p.PeakMB = 1000*row.Seconds/term.Number(row.Images), r.PeakRSSMB
		return p, err
	}
	r, row, err := ask[TrainSpeed](ctx, o, a.flags(value), "train", "--steps", strconv.Itoa(o.Steps), "--warm-up", "2")
	p.MS, p.PeakMB = row.StepMS[1], r.PeakRSSMB
	return p, err
}

// ask has a process measure the one arm, by a verb of bench at a value of an axis, and reads what it prints.
func ask[R any](ctx context.Context, o *ScalingOptions, value []string, verb ...string) (r Report[[]R], row R, err error) {
	args := slices.Concat([]string{"bench"}, verb, []string{
		"--json", "--arm", "soft", "--device", "cpu", "--threads", strconv.Itoa(o.Threads),
		"--set", "compare.match_parameters=off", "--set", "data.images=400",
		"--set", "model.embedding=128", "--set", "model.hidden=256", "--set", "model.attention_size=128",
	})
	for _, set := range o.Sets {
		args = append(args, "--set", set)
	}
	args = append(args, value...)
	var printed bytes.Buffer
	if err := o.Run(ctx, &printed, args...); err != nil {
		return r, row, err
	}
	if err := json.Unmarshal(printed.Bytes(), &r); err != nil {
		return r, row, fmt.Errorf("reading what it printed: %w", err)
	}
	if len(r.Rows) != 1 {
		return r, row, errors.New("what it printed is not of one arm")
	}
	return r, r.Rows[0], nil
}
