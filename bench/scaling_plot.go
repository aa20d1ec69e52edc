package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"glimpse/internal/atomicfile"
	"glimpse/internal/sheet"
)

// writeScaling writes the table and the plots of the points to a folder.
func writeScaling(dir string, points []ScalingPoint) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("creating the folder for table and plots: %w", err)
	}
	figure, err := plots(points)
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
	for name, write := range map[string]func(io.Writer) error{
		"scaling.csv": func(w io.Writer) error { return writeTable(w, points) },
		"scaling.svg": func(w io.Writer) error { _, err := svg.WriteTo(w); return err },
		"scaling.png": func(w io.Writer) error { _, err := vgimg.PngCanvas{Canvas: png}.WriteTo(w); return err },
	} {
		if err := atomicfile.Write(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

func writeTable(w io.Writer, points []ScalingPoint) error {
	rows := [][]string{{"axis", "value", "ms", "peak_rss_mb"}}
	for _, p := range points {
		rows = append(rows, []string{p.Axis, strconv.Itoa(p.Value), fmt.Sprintf("%.3f", p.MS), fmt.Sprintf("%.1f", p.PeakMB)})
	}
	return sheet.NewWriter(w).WriteAll(rows)
}

// plots returns two rows of plots, time and memory, with a column for each axis.
func plots(points []ScalingPoint) ([][]*plot.Plot, error) {
	figure := make([][]*plot.Plot, 2)
	for _, a := range axes {
		var times, memory plotter.XYs
		for _, p := range points {
			if p.Axis == a.name {
				times = append(times, plotter.XY{X: float64(p.Value), Y: float64(p.MS)})
				memory = append(memory, plotter.XY{X: float64(p.Value), Y: float64(p.PeakMB)})
			}
		}
		if len(times) == 0 {
			continue
		}
		heading := "ms per step"
		if a.decode {
			heading = "ms per caption"
		}
		for row, line := range []plotter.XYs{times, memory} {
			p := plot.New()
			p.X.Label.Text, p.Y.Label.Text = a.label, []string{heading, "peak MB"}[row]
			lines, marks, err := plotter.NewLinePoints(line)
			if err != nil {
				return nil, fmt.Errorf("plotting %s: %w", a.label, err)
			}
			p.Add(plotter.NewGrid(), lines, marks)
			p.X.Min, p.Y.Min = 0, 0
			p.X.Tick.Marker, p.Y.Tick.Marker = shortTicks{}, shortTicks{}
			figure[row] = append(figure[row], p)
		}
	}
	return figure, nil
}

// shortTicks labels an axis as plot.DefaultTicks does, without trailing zeros.
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
