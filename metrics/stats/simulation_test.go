package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"glimpse/metrics"
)

// world is a model of what makes scores vary, in CIDEr points. Images differ
// in difficulty (skewed, as CIDEr is), arms in what they find difficult, seeds
// in their level, and each caption in the rest.
type world struct {
	name                      string
	seeds, images, arms       int
	image, arm, seed, caption float64 // standard deviations
	heavy                     bool    // seeds from Student's t with 3 degrees of freedom, scaled
}

// study draws one study from the world; effects[k] is arm k's advantage.
func (w world) study(g *rand.Rand, effects []float64) []Arm {
	base := make([]float64, w.images)
	for i := range base {
		base[i] = w.image * (g.ExpFloat64() - 1)
	}
	out := make([]Arm, w.arms)
	for k := range out {
		out[k] = Arm{Name: fmt.Sprint("arm", k), Signature: "one"}
		own := make([]float64, w.images)
		for i := range own {
			own[i] = base[i] + w.arm*g.NormFloat64() + effects[k]
		}
		for s := range w.seeds {
			level := w.seed * g.NormFloat64()
			if w.heavy {
				chi := 0.0
				for range 3 {
					v := g.NormFloat64()
					chi += v * v
				}
				level /= math.Sqrt(chi) // variance of t(3) is 3
			}
			images := make([]metrics.ImageScore, w.images)
			for i := range images {
				// Far from 0, since scores are never negative.
				v := 1000 + own[i] + level + w.caption*g.NormFloat64()
				images[i] = metrics.ImageScore{ID: fmt.Sprint(i), CIDEr: v / pointsPerScore}
			}
			out[k].Runs = append(out[k].Runs, Run{Seed: int64(s), Images: images})
		}
	}
	return out
}

func BenchmarkCompare(b *testing.B) {
	w := world{seeds: 5, images: 1000, arms: 3, image: 40, arm: 15, seed: 0.8, caption: 20}
	arms := w.study(rand.New(rand.NewPCG(1, 2)), []float64{0, 1, 2})
	for k := range arms {
		for r := range arms[k].Runs {
			for i := range arms[k].Runs[r].Images {
				im := &arms[k].Runs[r].Images[i]
				im.Length, im.RefLength, im.Match = 10, 10+i%3, [4]int{6 + (r+k+i)%2, 3, 1, i % 2}
				im.RougeL, im.METEOR, im.CIDErD = 0.4, 0.2, 0.5
			}
		}
	}
	for b.Loop() {
		if _, err := Compare(arms, []Contrast{{"arm1", "arm0"}, {"arm2", "arm1"}, {"arm2", "arm0"}}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
