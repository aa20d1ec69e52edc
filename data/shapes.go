package data

import (
	"fmt"
	"slices"
)

// How many scenes a data set of shapes may have: enough for a test split, and
// no more than memory holds.
const (
	minScenes = 10
	maxScenes = 1_000_000
)

// drawScenes makes the images of the data set shapes: eight scenes of ten, the
// first ones, train, then one of ten validates and one tests. Scene k
// of a seed is the same whatever the number of scenes.
func (d *Dataset) drawScenes() {
	n := d.Options.Images
	d.scenes = make([]scene, n)
	d.Images = make([]Image, n)
	inParallel(n, 1, func(i int) {
		d.scenes[i] = newScene(d.Options.Seed, i)
		img := Image{ID: fmt.Sprintf("scene-%06d", i), Captions: d.scenes[i].captions(d.Options.Seed, i)}
		for _, caption := range img.Captions {
			img.Tokens = append(img.Tokens, d.Options.Tokenize(caption))
		}
		d.Images[i] = img
	})
	held := n / 10
	upTo := func(from, to int) []int {
		return slices.Collect(func(yield func(int) bool) {
			for i := from; i < to && yield(i); i++ {
			}
		})
	}
	d.Splits = map[string][]int{
		"train": upTo(0, n-2*held), "val": upTo(n-2*held, n-held), "test": upTo(n-held, n),
	}
}
