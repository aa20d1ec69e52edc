package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"glimpse/internal/atomicfile"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

// scalingAxis is one thing that grows while all else stays.
type scalingAxis struct {
	name, label string
	decode      bool               // time of a caption, else of a training step
	values      []int              // along the axis
	set         func(int) []string // flags that ask for a value
}

// setting is an axis along a key of the study.
func setting(key string) func(int) []string {
	return func(v int) []string { return []string{"--set", fmt.Sprintf("%s=%d", key, v)} }
}

var scalingAxes = []scalingAxis{
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

// scalingPoint is what was measured at one value of an axis.
type scalingPoint struct {
	Axis   string      `json:"axis"`
	Value  int         `json:"value"`
	MS     term.Number `json:"ms"` // median of a training step, or mean of a caption
	PeakMB term.Number `json:"peak_rss_mb"`
}

func benchScalingCommand() *cobra.Command {
	var (
		o      scalingOptions
		asJSON bool
	)
	names := make([]string, len(scalingAxes))
	for i, axis := range scalingAxes {
		names[i] = axis.name
	}
	c := &cobra.Command{
		Use:   "scaling -o DIR",
		Short: "How time and memory grow with each size of a problem",
		Long: `Measures the adaptive arm of the built-in demo, whose encoder is trained along, with
one size at a time growing: ` + strings.Join(names, ", ") + `.
Each point is a process of its own. Leaves scaling.csv, scaling.svg and scaling.png.`,
		Example: `  glimpse bench scaling -o scaling
  glimpse bench scaling -o scaling --axis hidden --axis beam --threads 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cli.AtLeast("steps", o.steps, 1); err != nil {
				return err
			}
			if o.dir == "" {
				return cli.Usage(fmt.Errorf("-o DIR is needed: the folder of the table and the plots"))
			}
			for _, name := range o.axes {
				if !slices.Contains(names, name) {
					return cli.Usage(fmt.Errorf("--axis %s: want one of %s", name, strings.Join(names, ", ")))
				}
			}
			points, err := o.measure(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := o.write(points); err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), points)
			}
			t := &term.Table{}
			t.Add("AXIS", "VALUE", "MS", "PEAK MB")
			for _, p := range points {
				t.Add(p.Axis, strconv.Itoa(p.Value), fmt.Sprintf("%.1f", p.MS), fmt.Sprintf("%.0f", p.PeakMB))
			}
			return t.Print(c.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&o.dir, "output", "o", "", "folder of scaling.csv, scaling.svg and scaling.png")
	c.Flags().StringArrayVar(&o.axes, "axis", nil, "measure along this axis alone (repeatable)")
	c.Flags().StringArrayVar(&o.sets, "set", nil, "override a key of the demo (repeatable)")
	c.Flags().IntVar(&o.steps, "steps", 10, "training steps of a point")
	c.Flags().IntVar(&o.threads, "threads", 0, "threads to compute with (default: the processors)")
	cli.AddJSON(c, &asJSON)
	return c
}

type scalingOptions struct {
	dir            string
	axes, sets     []string
	steps, threads int
}

// chosen are the axes that were asked for.
func (o *scalingOptions) chosen() []scalingAxis {
	var chosen []scalingAxis
	for _, axis := range scalingAxes {
		if len(o.axes) == 0 || slices.Contains(o.axes, axis.name) {
			chosen = append(chosen, axis)
		}
	}
	return chosen
}

func (o *scalingOptions) measure(ctx context.Context, remarks io.Writer) ([]scalingPoint, error) {
	var points []scalingPoint
	for _, axis := range o.chosen() {
		for _, value := range axis.values {
			p, err := o.point(ctx, axis, value)
			if err != nil {
				return nil, fmt.Errorf("%s %d: %w", axis.label, value, err)
			}
			fmt.Fprintf(remarks, "%s %d: %.1f ms, %.0f MB\n", axis.label, value, p.MS, p.PeakMB)
			points = append(points, p)
		}
	}
	return points, nil
}

// point measures one value in a process of its own, whose peak of memory is then of that alone.
func (o *scalingOptions) point(ctx context.Context, axis scalingAxis, value int) (scalingPoint, error) {
	program, err := os.Executable()
	if err != nil {
		return scalingPoint{}, err
	}
	args := []string{"bench", "train", "--steps", strconv.Itoa(o.steps), "--warm-up", "2"}
	if axis.decode {
		args = []string{"bench", "decode", "--images", "100", "--train-steps", strconv.Itoa(6 * o.steps)} // enough for captions that end
	}
	args = append(args, "--json", "--arm", "adaptive", "--device", "cpu", "--threads", strconv.Itoa(o.threads), "--set", "compare.match_parameters=off",
		"--set", "data.images=400", "--set", "model.embedding=128", "--set", "model.hidden=256", "--set", "model.attention_size=128")
	for _, set := range o.sets {
		args = append(args, "--set", set)
	}
	command := exec.CommandContext(ctx, program, append(args, axis.set(value)...)...)
	var failure strings.Builder
	command.Stderr = &failure
	printed, err := command.Output()
	if err != nil {
		return scalingPoint{}, fmt.Errorf("%w: %s", err, strings.TrimSpace(failure.String()))
	}
	var measured struct {
		Peak float64 `json:"peak_rss_mb"`
		Rows []struct {
			StepMS  [3]float64 `json:"step_ms"`
			Images  float64    `json:"images"`
			Seconds float64    `json:"seconds"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(printed, &measured); err != nil || len(measured.Rows) != 1 {
		return scalingPoint{}, fmt.Errorf("reading what it printed: %v", err)
	}
	row, p := measured.Rows[0], scalingPoint{Axis: axis.name, Value: value, PeakMB: term.Number(measured.Peak)}
	if p.MS = term.Number(row.StepMS[1]); axis.decode {
		p.MS = term.Number(1000 * row.Seconds / row.Images)
	}
	return p, nil
}

// write leaves the table and the plots.
func (o *scalingOptions) write(points []scalingPoint) error {
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	figure, err := o.plots(points)
	if err != nil {
		return err
	}
	width, height := vg.Length(len(figure[0]))*170, vg.Length(300)
	svg, png := vgsvg.New(width, height), vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(150))
	for _, canvas := range []vg.CanvasSizer{svg, png} {
		c := draw.New(canvas)
		tiles := draw.Tiles{Rows: 2, Cols: len(figure[0]), PadX: 12, PadY: 12, PadLeft: 4, PadRight: 10, PadTop: 4, PadBottom: 4}
		for row, canvases := range plot.Align(figure, tiles, c) {
			for column, part := range canvases {
				figure[row][column].Draw(part)
			}
		}
	}
	files := map[string]func(io.Writer) error{
		"scaling.csv": func(w io.Writer) error { return writeScaling(w, points) },
		"scaling.svg": func(w io.Writer) error { _, err := svg.WriteTo(w); return err },
		"scaling.png": func(w io.Writer) error { _, err := vgimg.PngCanvas{Canvas: png}.WriteTo(w); return err },
	}
	for name, write := range files {
		if err := atomicfile.Write(filepath.Join(o.dir, name), write); err != nil {
			return fmt.Errorf("-o: %w", err)
		}
	}
	return nil
}

func writeScaling(w io.Writer, points []scalingPoint) error {
	table := csv.NewWriter(w)
	rows := [][]string{{"axis", "value", "ms", "peak_rss_mb"}}
	for _, p := range points {
		rows = append(rows, []string{p.Axis, strconv.Itoa(p.Value), fmt.Sprintf("%.3f", p.MS), fmt.Sprintf("%.1f", p.PeakMB)})
	}
	return table.WriteAll(rows)
}

// plots are two rows, of time and of memory, with a column for each axis.
func (o *scalingOptions) plots(points []scalingPoint) ([][]*plot.Plot, error) {
	figure := make([][]*plot.Plot, 2)
	for _, axis := range o.chosen() {
		var times, memory plotter.XYs
		for _, p := range points {
			if p.Axis == axis.name {
				times = append(times, plotter.XY{X: float64(p.Value), Y: float64(p.MS)})
				memory = append(memory, plotter.XY{X: float64(p.Value), Y: float64(p.PeakMB)})
			}
		}
		heading := "ms a step"
		if axis.decode {
			heading = "ms a caption"
		}
		for row, line := range []plotter.XYs{times, memory} {
			p := plot.New()
			p.X.Label.Text, p.Y.Label.Text, p.Y.Min = axis.label, []string{heading, "peak MB"}[row], 0
			lines, marks, err := plotter.NewLinePoints(line)
			if err != nil {
				return nil, fmt.Errorf("plotting %s: %w", axis.label, err)
			}
			p.Add(plotter.NewGrid(), lines, marks)
			p.X.Min, p.Y.Min = 0, 0
			p.X.Tick.Marker, p.Y.Tick.Marker = shortTicks{}, shortTicks{}
			figure[row] = append(figure[row], p)
		}
	}
	return figure, nil
}

// shortTicks labels an axis as plot.DefaultTicks does, without zeros behind the point.
type shortTicks struct{ plot.DefaultTicks }

// Ticks implements [plot.Ticker].
func (t shortTicks) Ticks(low, high float64) []plot.Tick {
	ticks := t.DefaultTicks.Ticks(low, high)
	for i, tick := range ticks {
		if strings.Contains(tick.Label, ".") && !strings.Contains(tick.Label, "e") {
			ticks[i].Label = strings.TrimRight(strings.TrimRight(tick.Label, "0"), ".")
		}
	}
	return ticks
}
