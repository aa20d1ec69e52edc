package inspect

import (
	"context"
	"errors"

	"glimpse/internal/store"
)

// An Album is the pictures of the data set that a study's captions are of, with the reference
// captions, both by the names that captions have for the images. Several goroutines may use it at
// the same time.
type Album struct{ run *Run }

// errNothingBegun says why a study has no album yet.
var errNothingBegun = errors.New("no trial of the study has begun")

// Album opens the data set of a study. It fails where that is not the one that the runs were made
// with, so that no picture stands beside a caption of another.
func (o *Opener) Album(ctx context.Context, study string) (*Album, error) {
	run, err := o.begun(ctx, study)
	if err != nil {
		return nil, err
	}
	r, err := o.Open(ctx, run)
	if err != nil {
		return nil, err
	}
	return &Album{r}, nil
}

// begun is a run of the study that has begun: before that it is not known what it is made with.
func (o *Opener) begun(ctx context.Context, study string) (store.Run, error) {
	runs, err := o.DB.Runs(ctx, study)
	if err != nil {
		return store.Run{}, err
	}
	for _, run := range runs {
		if run.Signature != "" {
			return run, nil
		}
	}
	return store.Run{}, errNothingBegun
}

// References are the captions of an image as the data set has them; nil for one that it lacks.
func (a *Album) References(image string) []string {
	place, known := a.run.places[image]
	if !known {
		return nil
	}
	return a.run.Data.Images[place].Captions()
}

// Thumbnail is the picture of an image as a JPEG, shrunk so that no side is longer than most
// pixels. The name is looked up among those of the data set, and never taken for a path.
func (a *Album) Thumbnail(image string, most int) ([]byte, error) {
	small, _, err := a.run.shrunk(image, most)
	return small, err
}
