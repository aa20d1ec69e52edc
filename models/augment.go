package models

import (
	"glimpse/data"
	"glimpse/experiments"
)

// augment says which view of a picture is seen when.
type augment struct {
	views []data.View // the plain one first
	seed  int64
}

func augmentOf(s experiments.Settings) augment {
	return augment{data.Views(s.Data.Augment.Flip, s.Data.Augment.Crops), s.Seed}
}

// index is the place in views of the one that a pass sees of an image: in training it is drawn,
// else the plain one.
func (a augment) index(of pass, image int) int {
	if !of.training {
		return 0
	}
	return data.DrawView(len(a.views), a.seed, of.epoch, image)
}

func (a augment) view(of pass, image int) data.View { return a.views[a.index(of, image)] }
