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

// drawScenes draws the images of the data set shapes: the first eight tenths are for training,
// then one tenth each for validation and testing. Scene k of a seed does not depend on the number
// of scenes.
func (d *Dataset) drawScenes() {
	n := d.Options.Images
	d.scenes = make([]scene, n)
	captions, tokens := make([][]string, n), make([][][]string, n)
	inParallel(n, 1, func(i int) {
		d.scenes[i] = newScene(d.Options.Seed, i)
		captions[i] = d.scenes[i].captions(d.Options.Seed, i)
		for _, caption := range captions[i] {
			tokens[i] = append(tokens[i], d.Options.Tokenize(caption))
		}
	})
	k := newCompiler()
	for i := range n {
		e := entry{id: fmt.Sprintf("scene-%06d", i)}
		for _, caption := range captions[i] {
			e.captions = append(e.captions, row{text: caption})
		}
		k.add(e, tokens[i])
		d.Images = append(d.Images, Image{ID: e.id, text: &k.compiled, at: i})
	}
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
