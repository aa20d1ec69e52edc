package charts

import (
	"fmt"
	"image/color"
	"regexp"
	"slices"
	"strings"
)

// A Tint is one colour of reports and pages in its four uses: graphics and text, on
// the light ground and on the dark one. Graphics keep the published colour on
// the light ground; the others are the same hue moved until it can be read.
type Tint struct {
	Mark, Text         color.NRGBA // light ground
	DarkMark, DarkText color.NRGBA // dark ground
}

// ArmTints are the colours of the arms, in order: the palette for colour-blind
// readers of Okabe and Ito (2008, "Color Universal Design"), without its
// yellow, which white paper swallows. An eighth arm starts again from the top.
var ArmTints = []Tint{
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
	Paper = Tint{rgb(0xFFFFFF), rgb(0xFFFFFF), rgb(0x14171B), rgb(0x14171B)}
	Ink   = Tint{rgb(0x1B1F24), rgb(0x1B1F24), rgb(0xE7EAEE), rgb(0xE7EAEE)}
	Muted = Tint{rgb(0x57606B), rgb(0x57606B), rgb(0xA6AFBA), rgb(0xA6AFBA)}
	Grid  = Tint{rgb(0xDDE2E7), rgb(0xDDE2E7), rgb(0x30363D), rgb(0x30363D)}
	Band  = Tint{rgb(0xEEF1F4), rgb(0xEEF1F4), rgb(0x22272D), rgb(0x22272D)}
)

// HeatTints are grounds for the fields of a heat map, from the lowest value to the
// highest: steps from the ground to the blue of the arms, on which ink can be read.
var HeatTints = []Tint{
	{rgb(0xF0F7FA), rgb(0xF0F7FA), rgb(0x162129), rgb(0x162129)},
	{rgb(0xD9EAF3), rgb(0xD9EAF3), rgb(0x192E3C), rgb(0x192E3C)},
	{rgb(0xBFDCEC), rgb(0xBFDCEC), rgb(0x1C3A4E), rgb(0x1C3A4E)},
	{rgb(0xA6CEE4), rgb(0xA6CEE4), rgb(0x1E4660), rgb(0x1E4660)},
	{rgb(0x8ABEDC), rgb(0x8ABEDC), rgb(0x215372), rgb(0x215372)},
}

// A Shade is a colour with the name of the CSS custom property that stands
// for it in the page.
type Shade struct {
	Property    string
	Light, Dark color.NRGBA
}

// Shades lists every colour that a plot may use. Two shades that
// are alike on the light ground could not be told apart in a drawn plot, so a
// test holds that all light colours differ.
func Shades() []Shade {
	list := []Shade{
		{"paper", Paper.Mark, Paper.DarkMark},
		{"ink", Ink.Mark, Ink.DarkMark},
		{"muted", Muted.Mark, Muted.DarkMark},
		{"grid", Grid.Mark, Grid.DarkMark},
		{"band", Band.Mark, Band.DarkMark},
	}
	for i, t := range ArmTints {
		list = append(list,
			Shade{fmt.Sprintf("arm%d", i), t.Mark, t.DarkMark},
			Shade{fmt.Sprintf("arm%d-text", i), t.Text, t.DarkText})
	}
	for i, t := range HeatTints {
		list = append(list, Shade{fmt.Sprintf("heat%d", i), t.Mark, t.DarkMark})
	}
	return list
}

// usual are arms that most studies have. Each keeps its colour, whatever else a study compares.
var usual = []string{"none", "uniform", "soft", "adaptive"}

// Colours gives each arm of a study its place in [ArmTints] by its label: arms that most studies have always get the
// same, others the places that are left, in their order. A ninth arm and further ones share colours.
func Colours(labels []string) []int {
	var free []int
	for i := range ArmTints {
		if i >= len(usual) || !slices.Contains(labels, usual[i]) {
			free = append(free, i)
		}
	}
	places := make([]int, len(labels))
	others := 0
	for i, label := range labels {
		if places[i] = slices.Index(usual, label); places[i] >= 0 {
			continue
		}
		if places[i] = others % len(ArmTints); len(free) > 0 {
			places[i] = free[others%len(free)]
		}
		others++
	}
	return places
}

// ArmTint gives the colour of the i-th colour of arms, from 0.
func ArmTint(i int) Tint { return ArmTints[i%len(ArmTints)] }

// ArmClass gives the CSS class that colours a name in the i-th arm.
func ArmClass(i int) string { return fmt.Sprintf("arm%d", i%len(ArmTints)) }

// properties writes the custom properties of one ground as CSS declarations.
func properties(dark bool) string {
	var b strings.Builder
	for _, s := range Shades() {
		c := s.Light
		if dark {
			c = s.Dark
		}
		fmt.Fprintf(&b, "--%s:%s;", s.Property, hex(c))
	}
	return b.String()
}

var hexColor = regexp.MustCompile(`#[0-9A-F]{6}\b`)

// Customised replaces the light colours in a CSS style by references to the
// page's custom properties, so that an inline plot follows the page's ground.
// A translucent colour comes back from the drawing rounded, hence the nearest.
func Customised(style string) string {
	return hexColor.ReplaceAllStringFunc(style, func(found string) string {
		best, least := found, rounding+1
		for _, s := range Shades() {
			if off := distance(found, s.Light); off < least {
				best, least = "var(--"+s.Property+")", off
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

// Faded is c with the given opacity, from 0 (unseen) to 1.
func Faded(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(opacity*255 + 0.5)
	return c
}

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }
