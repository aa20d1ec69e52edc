package inspect

import (
	"context"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/data/arrays"
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
	// Vocabulary gives the words, by id, that a checkpoint holds; nil for one of a version that held none.
	Vocabulary(checkpoint string) ([]string, error)
	// Pictures makes the captioner of the settings with the weights of a checkpoint, which speaks the vocabulary.
	Pictures(ctx context.Context, s experiments.Settings, checkpoint string, vocabulary []string) (PictureCaptioner, error)
	// Pack writes the weights of a checkpoint and a description to one file, with half precision if asked for.
	Pack(path, checkpoint, description string, half bool) error
	// PackedDescription gives the description of such a file, and PackedPictures is Pictures with its weights.
	PackedDescription(path string) (string, error)
	PackedPictures(ctx context.Context, s experiments.Settings, path string, vocabulary []string) (PictureCaptioner, error)
}

// Captioner is a captioner that can also read captions, by teacher forcing: each
// word is looked at after the true words before it.
type Captioner interface {
	runner.Captioner
	// LoadPacked loads the weights of a packed captioner.
	LoadPacked(path string) error
	// Explain fills Beta, Entropy and Alpha of given captions, where the model has them.
	Explain(ctx context.Context, captions []data.Caption) error
	// Read reads captions with the pictures that they name and with others, one image for each caption.
	Read(ctx context.Context, captions []data.Caption, others []int) ([]data.Reading, error)
	// NextWords gives the most probable words for each reference of the images: image, reference, word.
	NextWords(ctx context.Context, images []int) ([][][]string, error)
}

// PictureCaptioner captions pictures that need not belong to a data set. A picture is S×S×3 bytes of RGB, row by row, as
// [data.Squash] gives them, or R×D features that another program computed.
type PictureCaptioner interface {
	// Size is S, 0 for one that takes features, and Dim is D.
	Size() int
	Dim() int
	// Looks says whether captions come with Alpha, and Grid where the regions are that it weighs.
	Looks() bool
	Grid() captioner.Grid
	// Caption captions pictures in their order, with Beta, Entropy and Alpha where the model has them.
	Caption(ctx context.Context, pixels [][]uint8, o experiments.Decode) ([]data.Caption, error)
	// CaptionFeatures captions pictures whose features are given, likewise.
	CaptionFeatures(ctx context.Context, given []arrays.Array, o experiments.Decode) ([]data.Caption, error)
	// WriteLogits writes what the words of a picture's caption were drawn from to a file in the form of safetensors.
	WriteLogits(ctx context.Context, path string, pixels []uint8, words []string) error
	// WriteFeatureLogits does so for a picture whose features are given.
	WriteFeatureLogits(ctx context.Context, path string, given arrays.Array, words []string) error
	// Close frees the model.
	Close()
}
