package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html/template"
	"image/png"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"glimpse/internal/term"
	"glimpse/reports/charts"
)

// Every figure is drawn this wide, in points: narrow enough to be read on a
// phone, and two stand side by side on a desk.
const figureWidth vg.Length = 400

// headingHeight is what the title of the vertical axis takes above a plot.
const headingHeight vg.Length = labelSize + 9

// pngDPI makes a PNG 1,000 pixels wide out of figureWidth points.
const pngDPI = 180

// figureFonts is the typeface that plots are measured in, with its
// metric-compatible stand-ins.
const figureFonts = "'Liberation Sans',Arial,Helvetica,sans-serif"

// A figure is one plot with the words that go with it.
type figure struct {
	Name    string        // name of its files, and its id in the page
	Title   string        // what it shows, in a few words
	Alt     string        // what is to be seen in it, for who cannot see it
	Note    string        // how to read it
	Inline  template.HTML // the drawn figure as an element of the page
	Kind    charts.Kind   // of its live twin, "" for none
	Data    any           // of its live twin, as the kind has it
	Source  string        // what has the data where Data is nil, as [charts.Figure] has it
	Live    template.HTML // the live twin, with the drawn figure as its stand-in
	Alone   bool          // no files of it lie beside the page
	heading string        // title of the vertical axis, written above it
	height  vg.Length
	plot    *plot.Plot
}

// draw draws the figure on a canvas of its own size.
func (f figure) draw(canvas vg.CanvasSizer) {
	c := draw.New(canvas)
	c.SetColor(charts.Paper.Mark)
	c.Fill(c.Rectangle.Path())
	area := draw.Crop(c, 4, -6, 4, -4)
	if f.heading != "" {
		style := words(labelSize, charts.Muted.Mark)
		style.YAlign = draw.YTop
		area.FillText(style, vg.Point{X: area.Min.X, Y: area.Max.Y}, f.heading)
		area = draw.Crop(area, 0, 0, 0, -headingHeight)
	}
	f.plot.Draw(area)
}

// png is the figure as a PNG picture on white.
func (f figure) png() ([]byte, error) {
	canvas := vgimg.NewWith(vgimg.UseWH(figureWidth, f.height), vgimg.UseDPI(pngDPI))
	f.draw(canvas)
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed} // a third of the time for a few kilobytes more
	if err := encoder.Encode(&b, canvas.Image()); err != nil {
		return nil, fmt.Errorf("draw %s.png: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// body is what stands inside the svg element of the figure.
func (f figure) body() (string, error) {
	canvas := vgsvg.New(figureWidth, f.height)
	f.draw(canvas)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("draw %s.svg: %w", f.Name, err)
	}
	_, after, opened := strings.Cut(b.String(), "<svg")
	_, after, ended := strings.Cut(after, ">")
	inside, _, closed := strings.Cut(after, "</svg>")
	if !opened || !ended || !closed {
		return "", fmt.Errorf("draw %s.svg: the plotting library gave no svg element", f.Name)
	}
	return strings.TrimSpace(inside), nil
}

// svg is the figure with the given body as a file of its own, on white.
func (f figure) svg(body string) []byte {
	body = strings.ReplaceAll(body, "font-family:Liberation Sans", "font-family:"+figureFonts)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" role="img" aria-labelledby="title desc">`+"\n",
		figureWidth.Points(), f.height.Points(), figureWidth.Points(), f.height.Points())
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escapeXML(f.Title), escapeXML(f.Alt))
	b.WriteString(body)
	b.WriteString("\n</svg>\n")
	return b.Bytes()
}

// inline is the figure with the given body as an element of the page. Its
// styles become classes of the sheet, whose colours follow the page's ground.
func (f figure) inline(body string, sheet *stylesheet) template.HTML {
	body = styleAttribute.ReplaceAllStringFunc(body, func(attribute string) string {
		return `class="` + sheet.class(styleAttribute.FindStringSubmatch(attribute)[1]) + `"`
	})
	return template.HTML(fmt.Sprintf(
		`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`+"\n%s\n</svg>",
		figureWidth.Points(), f.height.Points(), escapeXML(f.Title+". "+f.Alt), body))
}

// styleAttribute matches a style that the plotting library wrote; it escapes
// quotes in texts, so no text can look like one.
var styleAttribute = regexp.MustCompile(`style="([^"]*)"`)

// A stylesheet collects the styles of all inline plots under short names.
type stylesheet struct {
	names map[string]string
	rules strings.Builder
}

// class gives the class for an inline style.
func (s *stylesheet) class(style string) string {
	if name, ok := s.names[style]; ok {
		return name
	}
	if s.names == nil {
		s.names = map[string]string{}
	}
	name := fmt.Sprintf("p%d", len(s.names))
	s.names[style] = name
	var kept []string
	for _, declaration := range strings.Split(style, ";") {
		switch property, value, _ := strings.Cut(declaration, ":"); {
		case property == "font-family", property == "font-variant", property == "font-style":
		case property == "font-weight" && value == "normal":
		default:
			kept = append(kept, charts.Customised(declaration))
		}
	}
	fmt.Fprintf(&s.rules, ".plot .%s{%s}\n", name, strings.Join(kept, ";"))
	return name
}

// css is the collected sheet.
func (s *stylesheet) css() string { return s.rules.String() }

func escapeXML(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(clean(s))) // a strings.Builder takes every write
	return b.String()
}

// clean replaces what is no printable character of one line by a space: such
// characters have no place in a plot, and some are forbidden in SVG.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if term.Hidden(r) || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
