package models

import (
	"glimpse/data"
	"glimpse/experiments"
)

// augment decides which view of a picture to use.
type augment struct {
	views []data.View // the plain one first
	seed  int64
}

func augmentOf(s experiments.Settings) augment {
	return augment{data.Views(s.Data.Augment.Flip, s.Data.Augment.Crops), s.Seed}
}

// index returns the index of the view of an image in a pass: drawn in training, else the plain
// one.
func (a augment) index(of pass, image int) int {
	if !of.training {
		return 0
	}
	return data.DrawView(len(a.views), a.seed, of.epoch, image)
}

func (a augment) view(of pass, image int) data.View { return a.views[a.index(of, image)] }
