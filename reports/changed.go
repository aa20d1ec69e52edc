package reports

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"glimpse/internal/store"
)

// telling are the seeds whose captions of an image are shown: the one whose score changed most between the arms of the
// contrast in the way of the mean, and the lowest of each arm, where it was recorded where they looked.
func (r *result) telling(c *contrast, image string) []int64 {
	var seeds []int64
	if seed, ok := r.changedSeed(c, image); ok {
		seeds = append(seeds, seed)
	}
	for _, a := range []*arm{c.A, c.B} {
		if first := a.first(); first != nil && !slices.Contains(seeds, first.Seed) {
			seeds = append(seeds, first.Seed)
		}
	}
	return seeds
}

// changedSeed is the seed by which the captions of an image changed most between the arms of a contrast, in the way of the
// mean over the seeds; of equal ones the first. It is not known without a seed that both arms have.
func (r *result) changedSeed(c *contrast, image string) (seed int64, ok bool) {
	type change struct {
		seed   int64
		points float64
	}
	var changes []change
	total := 0.0
	for _, b := range c.B.Runs {
		a := c.A.ofSeed(b.Seed)
		if a == nil || !b.completed() {
			continue
		}
		after, okB := r.captionPoints(b, image)
		before, okA := r.captionPoints(a, image)
		if okA && okB {
			changes = append(changes, change{b.Seed, after - before})
			total += after - before
		}
	}
	for i, most := 0, math.Inf(-1); i < len(changes); i++ {
		if p := math.Copysign(1, total) * changes[i].points; p > most {
			seed, most, ok = changes[i].seed, p, true
		}
	}
	return seed, ok
}

// changedCaptions are the captions of an image by the seed that changed most, before and after; nil where these are shown
// anyway.
func (r *result) changedCaptions(c *contrast, image string) (int64, []sampleCaption) {
	seed, ok := r.changedSeed(c, image)
	if first := c.B.first(); !ok || first == nil || first.Seed == seed {
		return seed, nil
	}
	var list []sampleCaption
	for _, a := range []*arm{c.A, c.B} {
		if caption, found := a.ofSeed(seed).captionOf(image); found {
			list = append(list, a.quoted(caption, r.Primary.Key))
		}
	}
	return seed, list
}

// quoted is a caption of the arm with its own score by a metric.
func (a *arm) quoted(said *store.Caption, key string) sampleCaption {
	caption := sampleCaption{Arm: a.cell(), Words: said.Words}
	if strings.TrimSpace(said.Words) == "" {
		caption.Words = "(an empty caption)"
	}
	if v, ok := imagePoints(key, &said.Score); ok && said.Scored && finite(v) {
		caption.Score = fixed(v, 0)
	}
	return caption
}

// captionPoints is the score of a run's caption of an image in points, and whether there is one.
func (r *result) captionPoints(run *run, image string) (float64, bool) {
	caption, found := run.captionOf(image)
	if !found || !caption.Scored {
		return 0, false
	}
	return imagePoints(r.Primary.Key, &caption.Score)
}

// ofSeed is the arm's finished run of a seed, nil where there is none.
func (a *arm) ofSeed(seed int64) *run {
	for _, run := range a.Runs {
		if run.Seed == seed && run.completed() {
			return run
		}
	}
	return nil
}

// captionOf is the run's caption of an image, and whether there is one.
func (r *run) captionOf(image string) (*store.Caption, bool) {
	captions := r.captions()
	at, found := slices.BinarySearchFunc(captions, image, func(c store.Caption, image string) int { return cmp.Compare(c.Image, image) })
	if !found {
		return nil, false
	}
	return &captions[at], true
}
