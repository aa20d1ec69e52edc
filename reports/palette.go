package reports

import (
	"fmt"
	"image/color"
	"regexp"
	"strings"
)

// A tint is one colour of the report in its four uses: graphics and text, on
// the light ground and on the dark one. Graphics keep the published colour on
// the light ground; the others are the same hue moved until it can be read.
type tint struct {
	mark, text         color.NRGBA // light ground
	darkMark, darkText color.NRGBA // dark ground
}

// armTints are the colours of the arms, in order: the palette for colour-blind
// readers of Okabe and Ito (2008, "Color Universal Design"), without its
// yellow, which white paper swallows. An eighth arm starts again from the top.
var armTints = []tint{
	{rgb(0x0072B2), rgb(0x0069A4), rgb(0x2F94D0), rgb(0x6DB9EA)}, // blue
	{rgb(0xD55E00), rgb(0xAD4B00), rgb(0xE0701A), rgb(0xF2935A)}, // vermillion
	{rgb(0x009E73), rgb(0x00704F), rgb(0x12AD82), rgb(0x3FC9A0)}, // bluish green
	{rgb(0xCC79A7), rgb(0x9C4A77), rgb(0xCC79A7), rgb(0xE09CC3)}, // reddish purple
	{rgb(0xE69F00), rgb(0x835A00), rgb(0xE69F00), rgb(0xF0B638)}, // orange
	{rgb(0x56B4E9), rgb(0x17679A), rgb(0x56B4E9), rgb(0x86CBF2)}, // sky blue
	{rgb(0x59636E), rgb(0x4A535D), rgb(0x9AA4AF), rgb(0xB4BDC7)}, // grey, for Okabe and Ito's black
}

// The neutral colours of plots and page.
var (
	paper = tint{rgb(0xFFFFFF), rgb(0xFFFFFF), rgb(0x14171B), rgb(0x14171B)}
	ink   = tint{rgb(0x1B1F24), rgb(0x1B1F24), rgb(0xE7EAEE), rgb(0xE7EAEE)}
	muted = tint{rgb(0x57606B), rgb(0x57606B), rgb(0xA6AFBA), rgb(0xA6AFBA)}
	grid  = tint{rgb(0xDDE2E7), rgb(0xDDE2E7), rgb(0x30363D), rgb(0x30363D)}
	band  = tint{rgb(0xEEF1F4), rgb(0xEEF1F4), rgb(0x22272D), rgb(0x22272D)}
)

// heatTints are grounds for the fields of a heat map, from the lowest value to the
// highest: steps from the ground to the blue of the arms, on which ink can be read.
var heatTints = []tint{
	{rgb(0xF0F7FA), rgb(0xF0F7FA), rgb(0x162129), rgb(0x162129)},
	{rgb(0xD9EAF3), rgb(0xD9EAF3), rgb(0x192E3C), rgb(0x192E3C)},
	{rgb(0xBFDCEC), rgb(0xBFDCEC), rgb(0x1C3A4E), rgb(0x1C3A4E)},
	{rgb(0xA6CEE4), rgb(0xA6CEE4), rgb(0x1E4660), rgb(0x1E4660)},
	{rgb(0x8ABEDC), rgb(0x8ABEDC), rgb(0x215372), rgb(0x215372)},
}

// A shade is a colour with the name of the CSS custom property that stands
// for it in the page.
type shade struct {
	property    string
	light, dark color.NRGBA
}

// shades lists every colour that a plot may use. Two shades that
// are alike on the light ground could not be told apart in a drawn plot, so a
// test holds that all light colours differ.
func shades() []shade {
	list := []shade{
		{"paper", paper.mark, paper.darkMark},
		{"ink", ink.mark, ink.darkMark},
		{"muted", muted.mark, muted.darkMark},
		{"grid", grid.mark, grid.darkMark},
		{"band", band.mark, band.darkMark},
	}
	for i, t := range armTints {
		list = append(list,
			shade{fmt.Sprintf("arm%d", i), t.mark, t.darkMark},
			shade{fmt.Sprintf("arm%d-text", i), t.text, t.darkText})
	}
	for i, t := range heatTints {
		list = append(list, shade{fmt.Sprintf("heat%d", i), t.mark, t.darkMark})
	}
	return list
}

// armTint gives the colour of the i-th arm of the study.
func armTint(i int) tint { return armTints[i%len(armTints)] }

// armClass gives the CSS class that colours the name of the i-th arm.
func armClass(i int) string { return fmt.Sprintf("arm%d", i%len(armTints)) }

// properties writes the custom properties of one ground as CSS declarations.
func properties(dark bool) string {
	var b strings.Builder
	for _, s := range shades() {
		c := s.light
		if dark {
			c = s.dark
		}
		fmt.Fprintf(&b, "--%s:%s;", s.property, hex(c))
	}
	return b.String()
}

var hexColor = regexp.MustCompile(`#[0-9A-F]{6}\b`)

// customised replaces the light colours in a CSS style by references to the
// page's custom properties, so that an inline plot follows the page's ground.
// A translucent colour comes back from the drawing rounded, hence the nearest.
func customised(style string) string {
	return hexColor.ReplaceAllStringFunc(style, func(found string) string {
		best, least := found, rounding+1
		for _, s := range shades() {
			if off := distance(found, s.light); off < least {
				best, least = "var(--"+s.property+")", off
			}
		}
		return best
	})
}

// rounding is by how much a channel of a translucent colour may come back off.
const rounding = 2

// distance is the largest difference of a channel between the colour written as #RRGGBB and c.
func distance(written string, c color.NRGBA) int {
	var r, g, b int
	if _, err := fmt.Sscanf(written, "#%02X%02X%02X", &r, &g, &b); err != nil {
		return 255
	}
	off := func(a int, b uint8) int { return max(a-int(b), int(b)-a) }
	return max(off(r, c.R), off(g, c.G), off(b, c.B))
}

// faded is c with the given opacity, from 0 (unseen) to 1.
func faded(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(opacity*255 + 0.5)
	return c
}

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }
