// Package attention draws where a captioner looked: over a picture lies a grey veil, thin where a word's attention was
// and thick elsewhere. A veil changes contrast and brightness but adds no hue, so that it reads alike for every eye, and
// the colours of what was looked at stay to be seen.
//
// It takes a picture, a caption's words and their weights over the regions of an encoder, and gives pictures. It needs
// no libtorch and imports none of the project's packages.
package attention

import (
	"image"
	"image/color"
	"math"
)

// Grid says where an encoder's regions lie: Side×Side, row by row, centred at First, First+Step and so on, in
// fractions of the picture's width and height. Without a side it is not known where they lie.
type Grid struct {
	Side        int
	First, Step float64
}

// Word is a word of a caption with where its captioner looked before it.
type Word struct {
	Text  string
	Alpha []float32 // Side×Side weights; any number of them without a side
	Beta  float64   // weight of the sentinel; NaN where there is none
}

// Full is the weight that lifts the veil wholly: the greatest of all the words, so that the pictures of one or of
// several captions share a scale, but no less than that of even attention: where a sentinel takes nearly all, what is
// left is not blown up.
func Full(captions ...[]Word) float64 {
	full := 0.0
	for _, words := range captions {
		for _, w := range words {
			full = max(full, FullOf(w.Alpha))
		}
	}
	return full
}

// FullOf is [Full] of the weights of one word.
func FullOf[W float32 | float64](alpha []W) float64 {
	full := 1 / float64(max(1, len(alpha)))
	for _, a := range alpha {
		full = max(full, float64(a))
	}
	return full
}

// levels is how many thicknesses a veil has, and thickest the opacity of the last: what was not looked at can
// still be told.
const (
	levels   = 64
	thickest = 0.88
)

// veilPalette are the thicknesses from none to the thickest.
var veilPalette = func() color.Palette {
	p := make(color.Palette, levels)
	for i := range p {
		p[i] = color.NRGBA{R: 122, G: 122, B: 122, A: uint8(math.Round(255 * thickest * float64(i) / (levels - 1)))}
	}
	return p
}()

// Veil is what to lay over a picture of width×height: the thicker, the smaller the weight is beside full. Between
// the centres of regions, weights follow Catmull and Rom's spline, which passes through them.
func (g Grid) Veil(alpha []float32, full float64, width, height int) *image.Paletted {
	veil := image.NewPaletted(image.Rect(0, 0, width, height), veilPalette)
	columns, rows := g.taps(width), g.taps(height)
	for y, row := range rows {
		for x, column := range columns {
			weight := 0.0
			for i, v := range row.weight {
				for j, u := range column.weight {
					weight += v * u * float64(alpha[row.at[i]*g.Side+column.at[j]])
				}
			}
			veil.Pix[y*veil.Stride+x] = thickness(weight / full)
		}
	}
	return veil
}

// thickness is the level of the palette for a share of the full weight, whose root thins the veil, so that weak
// attention shows as well. No weight at all is no share of anything.
func thickness(share float64) uint8 {
	if math.IsNaN(share) {
		share = 0
	}
	return uint8(math.Round((levels - 1) * (1 - math.Sqrt(min(max(share, 0), 1)))))
}

// tap says which cells a pixel's weight is made of along one side.
type tap struct {
	at     [4]int
	weight [4]float64
}

// taps are those of n pixels along a side. Beyond the outermost centres, the weights of the outermost cells go on.
func (g Grid) taps(n int) []tap {
	taps := make([]tap, n)
	for i := range taps {
		at := ((float64(i)+0.5)/float64(n) - g.First) / g.Step // in cells
		at = min(max(at, 0), float64(g.Side-1))
		cell := math.Floor(at)
		t := at - cell
		// Catmull and Rom 1974: a cubic through the two cells beside, with the slopes of their neighbours.
		taps[i].weight = [4]float64{
			t * (-1 + t*(2-t)) / 2, (2 + t*t*(3*t-5)) / 2, t * (1 + t*(4-3*t)) / 2, t * t * (t - 1) / 2,
		}
		for k := range taps[i].at {
			taps[i].at[k] = min(max(int(cell)+k-1, 0), g.Side-1)
		}
	}
	return taps
}
