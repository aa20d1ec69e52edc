package reports

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"

	xfont "golang.org/x/image/font"

	"glimpse/reports/charts"
)

// Sizes of text in plots, in points of a plot figureWidth points wide.
const (
	labelSize = 12.5
	tickSize  = 11.5
)

// words is a text style in the plots' typeface, drawn from its left baseline.
func words(size font.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

// bold is words in bold.
func bold(size font.Length, c color.Color) text.Style {
	style := words(size, c)
	style.Font.Weight = xfont.WeightBold
	return style
}

// newPlot is an empty plot in the report's style: thin grey axes, ticks at
// round numbers, grid lines where asked, no frame and no legend.
func newPlot(xLabel string, verticals, horizontals bool) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = charts.Paper.Mark
	p.X.Label.Text = clean(xLabel)
	p.X.Label.Padding = 3
	p.X.Label.TextStyle = words(labelSize, charts.Muted.Mark)
	p.X.Label.TextStyle.XAlign, p.X.Label.TextStyle.YAlign = draw.XCenter, draw.YBottom
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		align := axis.Tick.Label
		axis.Tick.Label = words(tickSize, charts.Muted.Mark)
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = align.XAlign, align.YAlign
		axis.Tick.Marker = roundTicks{count: 6}
		axis.Tick.Length = 3
		axis.Tick.Width = 0.75
		axis.Tick.Color = charts.Grid.Mark
		axis.LineStyle.Width = 0.75
		axis.LineStyle.Color = charts.Grid.Mark
		axis.Padding = 4
	}
	lines := plotter.NewGrid()
	lines.Vertical, lines.Horizontal = draw.LineStyle{}, draw.LineStyle{}
	if verticals {
		lines.Vertical = draw.LineStyle{Color: charts.Grid.Mark, Width: 0.75}
	}
	if horizontals {
		lines.Horizontal = draw.LineStyle{Color: charts.Grid.Mark, Width: 0.75}
		p.Y.LineStyle.Width, p.Y.Tick.Width = 0, 0
	}
	p.Add(lines)
	return p
}

// roundTicks marks an axis at multiples of 1, 2 or 5 times a power of ten,
// about count of them; whole restricts it to whole numbers.
type roundTicks struct {
	count int
	whole bool
}

// Ticks implements [plot.Ticker].
func (t roundTicks) Ticks(low, high float64) []plot.Tick {
	step := roundStep((high - low) / float64(t.count))
	if t.whole {
		step = math.Max(1, step)
	}
	if !(step > 0) || math.IsInf(high-low, 0) {
		return nil
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i <= math.Floor(high/step+1e-9); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: fixed(i*step, decimals)})
	}
	return ticks
}

// roundStep is the smallest of 1, 2 and 5 times a power of ten that is not
// below raw.
func roundStep(raw float64) float64 {
	if !(raw > 0) || math.IsInf(raw, 0) {
		return 0
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= raw*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// fixed writes v with the given number of decimals and a true minus sign; a
// value that rounds to zero has none.
func fixed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

// signed is fixed with a plus sign before a positive value.
func signed(v float64, decimals int) string {
	s := fixed(v, decimals)
	if strings.HasPrefix(s, "−") || strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + s
}

// spread widens the range from low to high by a share of its length at each
// end; an empty range becomes one of the given least length.
func spread(low, high, share, least float64) (float64, float64) {
	if high-low < least {
		middle := (low + high) / 2
		low, high = middle-least/2, middle+least/2
	}
	margin := (high - low) * share
	return low - margin, high + margin
}
