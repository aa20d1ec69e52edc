package charts

import (
	"image/color"
	"math"
	"strings"
	"testing"
)

// luminance and contrastOf are those of WCAG 2.2, "relative luminance" and
// "contrast ratio".
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func contrastOf(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTextContrastIsAA(t *testing.T) {
	const atLeast = 4.5 // WCAG 2.2, 1.4.3, level AA
	for _, tn := range append([]Tint{Ink, Muted}, ArmTints...) {
		for _, pair := range [][2]color.NRGBA{
			{tn.Text, Paper.Mark}, {tn.Text, Band.Mark}, {tn.DarkText, Paper.DarkMark}, {tn.DarkText, Band.DarkMark},
		} {
			if ratio := contrastOf(pair[0], pair[1]); ratio < atLeast {
				t.Errorf("text %s on %s has a contrast of %.2f, below %g", hex(pair[0]), hex(pair[1]), ratio, atLeast)
			}
		}
	}
}

func TestInkCanBeReadOnHeat(t *testing.T) {
	for _, tn := range HeatTints {
		if light, dark := contrastOf(Ink.Text, tn.Mark), contrastOf(Ink.DarkText, tn.DarkMark); light < 4.5 || dark < 4.5 {
			t.Errorf("ink on %s has a contrast of %.2f, on %s %.2f", hex(tn.Mark), light, hex(tn.DarkMark), dark)
		}
	}
}

func TestMarkContrastOfTheFirstArms(t *testing.T) {
	const atLeast = 3 // WCAG 2.2, 1.4.11; the palette's later, lighter colours are named beside every use
	for i, tn := range ArmTints[:4] {
		if contrastOf(tn.Mark, Paper.Mark) < atLeast || contrastOf(tn.DarkMark, Paper.DarkMark) < atLeast {
			t.Errorf("the marks of arm %d have contrasts of %.2f and %.2f, below %d", i,
				contrastOf(tn.Mark, Paper.Mark), contrastOf(tn.DarkMark, Paper.DarkMark), atLeast)
		}
	}
}

func TestLightColoursDiffer(t *testing.T) {
	list := Shades()
	for i, a := range list {
		for _, b := range list[:i] {
			if distance(hex(a.Light), b.Light) <= rounding {
				t.Errorf("%s and %s cannot be told apart in a drawn plot", a.Property, b.Property)
			}
		}
	}
}

func TestCustomisedFindsFadedColours(t *testing.T) {
	for i, tn := range ArmTints {
		for _, opacity := range []float64{0.18, 0.4} {
			r, g, b, a := Faded(tn.Mark, opacity).RGBA()
			back := color.NRGBA{uint8(r * 255 / a), uint8(g * 255 / a), uint8(b * 255 / a), 255}
			if got := Customised("stroke:" + hex(back)); !strings.HasPrefix(got, "stroke:var(--"+ArmClass(i)) {
				t.Errorf("the colour of arm %d, Faded to %g, became %s", i, opacity, got)
			}
		}
	}
	if got := Customised("fill:#123456"); got != "fill:#123456" {
		t.Errorf("a colour of nobody became %s", got)
	}
}
