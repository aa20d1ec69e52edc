package attention

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file of testdata anew")

// The weights of one cell lift the veil at its centre, wholly, and nowhere far from it.
func TestVeilLiesWhereTheRegionIs(t *testing.T) {
	for _, g := range []Grid{{7, 0.5 / 7, 1.0 / 7}, {7, 3.5 / 224, 32.0 / 224}, {8, 0.5 / 64, 8.0 / 64}} {
		for _, size := range []image.Point{{224, 224}, {300, 200}, {64, 400}} {
			for row := range g.Side {
				for column := range g.Side {
					alpha := make([]float32, g.Side*g.Side)
					alpha[row*g.Side+column] = 0.3
					veil := g.Veil(alpha, 0.3, size.X, size.Y)
					x, y := g.First+g.Step*float64(column), g.First+g.Step*float64(row)
					at := image.Pt(int(x*float64(size.X)), int(y*float64(size.Y)))
					if got := veil.ColorIndexAt(at.X, at.Y); got > 3 {
						t.Fatalf("%+v, cell %d %d: level %d at its centre", g, row, column, got)
					}
					far := image.Pt((at.X+size.X/2)%size.X, (at.Y+size.Y/2)%size.Y)
					if got := veil.ColorIndexAt(far.X, far.Y); got != levels-1 {
						t.Fatalf("%+v, cell %d %d: level %d far from it", g, row, column, got)
					}
				}
			}
		}
	}
}

// Even attention gives an even veil, and no attention at all a whole one.
func TestVeilOfEvenWeights(t *testing.T) {
	g := Grid{3, 0.2, 0.3}
	even := make([]float32, 9)
	for _, c := range []struct {
		weight, full float64
		want         uint8
	}{{0.1, 0.1, 0}, {0.036, 0.1, 25}, {0, 0.1, 63}, {0, 0, 63}, {0.2, 0.1, 0}} {
		for i := range even {
			even[i] = float32(c.weight)
		}
		for i, got := range g.Veil(even, c.full, 31, 17).Pix {
			if got != c.want {
				t.Fatalf("%v of %v: level %d at %d, want %d", c.weight, c.full, got, i, c.want)
			}
		}
	}
}

// scene is a picture with a red and a blue square on a bright ground.
func scene() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 120, 90))
	for y := range 90 {
		for x := range 120 {
			c := color.RGBA{210, 220, uint8(180 + x/3), 255}
			switch {
			case x >= 20 && x < 50 && y >= 20 && y < 50:
				c = color.RGBA{200, 30, 30, 255}
			case x >= 80 && x < 105 && y >= 55 && y < 80:
				c = color.RGBA{30, 60, 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// looks are words of a caption that looked at one cell each.
func looks(beta bool, cells ...int) []Word {
	texts := []string{"a", "red", "square", "above", "a", "blue", "square"}
	words := make([]Word, len(cells))
	for i, cell := range cells {
		alpha := make([]float32, 16)
		for k := range alpha {
			alpha[k] = 0.01
		}
		alpha[cell] = 0.1 + 0.1*float32(i%4)
		words[i] = Word{Text: texts[i], Alpha: alpha, Beta: math.NaN()}
		if beta {
			words[i].Beta = 0.9 - 0.1*float64(i)
		}
	}
	return words
}

func TestSheetIsAsDrawnBefore(t *testing.T) {
	for file, grid := range map[string]Grid{"testdata/sheet.png": {4, 1.0 / 8, 1.0 / 4}, "testdata/bars.png": {}} {
		sheet, err := Sheet(scene(), "scene.png · adaptive, seed 1", looks(true, 5, 5, 5, 9, 0, 15, 14), grid)
		if err != nil {
			t.Fatal(err)
		}
		asBefore(t, sheet, file)
	}
}

// asBefore compares a sheet with a golden one.
func asBefore(t *testing.T, sheet *image.RGBA, file string) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, sheet); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != sheet.Rect {
		t.Fatalf("the sheet is %v, the golden one %v", sheet.Rect, want.Bounds())
	}
	differs := 0
	for y := range sheet.Rect.Dy() {
		for x := range sheet.Rect.Dx() {
			r, g, b, _ := want.At(x, y).RGBA()
			c := sheet.RGBAAt(x, y)
			for _, d := range []int{int(r>>8) - int(c.R), int(g>>8) - int(c.G), int(b>>8) - int(c.B)} {
				if d < -8 || d > 8 {
					differs++
				}
			}
		}
	}
	if most := sheet.Rect.Dx() * sheet.Rect.Dy() / 2000; differs > most {
		t.Errorf("%d values differ by more than 8 from %s; look at the sheet, and run with -update if it is right", differs, file)
	}
}

// Sheets of any caption and picture can be drawn.
func TestSheetOfOddCases(t *testing.T) {
	g := Grid{4, 1.0 / 8, 1.0 / 4}
	thin := image.NewGray(image.Rect(5, 5, 6, 2005))
	for _, c := range []struct {
		picture image.Image
		words   []Word
	}{
		{scene(), nil},
		{scene(), looks(false, 3)},
		{thin, looks(true, 1, 2, 3, 4, 5)},
		{scene(), []Word{{Text: "extraordinarily" + string(bytes.Repeat([]byte("long"), 100)), Alpha: make([]float32, 16), Beta: 2}}},
	} {
		sheet, err := Sheet(c.picture, "\x00 remark …", c.words, g)
		if err != nil || sheet.Rect.Dx() > 1500 || sheet.Rect.Dy() > 1500 {
			t.Errorf("%v, %v", sheet.Rect, err)
		}
	}
}

func TestPercent(t *testing.T) {
	for weight, want := range map[float64]string{0.31: "31\u00a0%", 0.0081: "0.8\u00a0%", 1: "100\u00a0%", 0.0999: "10\u00a0%"} {
		if got := Percent(weight); got != want {
			t.Errorf("%v: %q, want %q", weight, got, want)
		}
	}
}

func TestFull(t *testing.T) {
	if got := Full(looks(true, 3, 3, 3, 3), looks(true, 1)); math.Abs(got-0.4) > 1e-6 {
		t.Errorf("%v, want the greatest weight", got)
	}
	if got := Full([]Word{{Alpha: make([]float32, 16)}}); got != 1.0/16 {
		t.Errorf("%v, want an even share", got)
	}
}
