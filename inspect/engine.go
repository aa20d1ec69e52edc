package inspect

import (
	"context"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/runner"
)

// Engine makes captioners.
type Engine interface {
	// Open makes a captioner of the settings, whose weights are still to be loaded.
	Open(s experiments.Settings, d *data.Dataset) (Captioner, error)
	// Ensemble captions images, indices of the data set, in their order by a beam search of several
	// captioners together: the probability of a word is the mean of those that they give.
	Ensemble(ctx context.Context, captioners []Captioner, images []int, o experiments.Decode) ([]data.Caption, error)
}

// Captioner is a captioner that can also read captions, by teacher forcing: each
// word is looked at after the true words before it.
type Captioner interface {
	runner.Captioner
	// Explain fills Beta, Entropy and Alpha of given captions, where the model has them.
	Explain(ctx context.Context, captions []data.Caption) error
	// Read reads captions with the pictures that they name and with others, one image for each caption.
	Read(ctx context.Context, captions []data.Caption, others []int) ([]data.Reading, error)
	// NextWords gives the most probable words for each reference of the images: image, reference, word.
	NextWords(ctx context.Context, images []int) ([][][]string, error)
}
