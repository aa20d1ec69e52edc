package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/term"
)

// axis is one size of the problem, which is varied while all others stay fixed.
type axis struct {
	name, label string
	decode      bool // measure the time per caption instead of per training step
	values      []int
	flags       func(value int) []string // flags of `bench train` or `bench decode` for a value
}

// setting returns the flags of an axis that varies a key of the study.
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
	// The demo's encoder makes one region per 8×8 pixels.
	{"regions", "regions", false, []int{16, 36, 64, 100, 144}, func(v int) []string {
		side := 1
		for side*side < v {
			side++
		}
		return setting("encoder.image_size")(8 * side)
	}},
	{"beam", "beam width", true, []int{1, 2, 3, 5, 10}, setting("decode.beam")},
}

// Axes returns the names of the sizes that Scaling can vary.
func Axes() []string {
	names := make([]string, len(axes))
	for i, a := range axes {
		names[i] = a.name
	}
	return names
}

// ScalingOptions are the options of [Scaling].
type ScalingOptions struct {
	Axes    []string // names from Axes(); empty for all
	Sets    []string // further keys of the demo, as KEY=VALUE
	Steps   int      // training steps per point
	Threads int      // 0 for the number of processors
	Folder  string   // where scaling.csv, scaling.svg and scaling.png are written
	// Run runs a glimpse command line, starting with "bench", in a separate process, so that peak
	// memory is that of one measurement.
	Run func(ctx context.Context, stdout io.Writer, args ...string) error
	// Done is called after each point. It may be nil.
	Done func(label string, p ScalingPoint)
}

// ScalingPoint is the measurement at one value of an axis. Its JSON is a contract.
type ScalingPoint struct {
	Axis   string      `json:"axis"`
	Value  int         `json:"value"`
	MS     term.Number `json:"ms"` // median per training step, or mean per caption
	PeakMB term.Number `json:"peak_rss_mb"`
}

// Scaling measures how time and memory grow with one size at a time, for the soft arm of the
// built-in demo, whose encoder is trained too. It writes a table and plots to o.Folder. For an
// unknown axis it returns a *NothingError.
func Scaling(ctx context.Context, o ScalingOptions) ([]ScalingPoint, error) {
	for _, name := range o.Axes {
		if !slices.Contains(Axes(), name) {
			return nil, &NothingError{fmt.Sprintf("--axis %s: expected one of %s", name, strings.Join(Axes(), ", "))}
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
		// Enough steps that captions end.
		r, row, err := ask[DecodeSpeed](ctx, o, a.flags(value), "decode", "--images", "100", "--train-steps", strconv.Itoa(6*o.Steps))
		p.MS, p.PeakMB = 1000*row.Seconds/term.Number(row.Images), r.PeakRSSMB
		return p, err
	}
	r, row, err := ask[TrainSpeed](ctx, o, a.flags(value), "train", "--steps", strconv.Itoa(o.Steps), "--warm-up", "2")
	p.MS, p.PeakMB = row.StepMS[1], r.PeakRSSMB
	return p, err
}

// ask measures the arm in a separate process, with a verb of bench and the flags of an axis's
// value, and parses its output.
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
		return r, row, fmt.Errorf("parsing the output of bench %s: %w", verb[0], err)
	}
	if len(r.Rows) != 1 {
		return r, row, fmt.Errorf("bench %s measured %d arms, expected 1", verb[0], len(r.Rows))
	}
	return r, r.Rows[0], nil
}
