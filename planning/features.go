package planning

import (
	"context"
	"fmt"
	"time"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/term"
)

// Needed are the features of one encoder on one data set. As JSON it is a contract, of `glimpse
// plan` and `glimpse features`.
type Needed struct {
	Data      string `json:"data"`
	Split     string `json:"split"`
	Encoder   string `json:"encoder"`
	ImageSize int    `json:"image_size"`
	Cut       int    `json:"cut,omitempty"` // last blocks of the encoder that are trained: the features are what they are given
	Images    int    `json:"images"`        // in a split
	Trained   int    `json:"trained"`       // those of them that train
	Views     int    `json:"views"`         // of each image that trains; the others have one
	Bytes     int64  `json:"bytes"`         // of the cache, at most; 0 where the encoder is trained with the captioner, or another program's
}

// Features are those in the cache. Their JSON is a contract: it is what `glimpse features
// --json` prints.
type Features struct {
	Needed
	Computed int         `json:"computed"` // now, over all views; the others were there, or the encoder is trained with the captioner
	Seconds  term.Number `json:"seconds"`
}

// Needed lists the features that trials need.
func (sets *Sets) Needed(trials []experiments.Trial) ([]Needed, error) {
	all := []Needed{}
	for _, trial := range experiments.DistinctFeatures(trials) {
		needed, err := sets.needed(trial.Settings)
		if err != nil {
			return nil, err
		}
		all = append(all, needed)
	}
	return all, nil
}

func (sets *Sets) needed(s experiments.Settings) (Needed, error) {
	d, err := sets.Load(s)
	if err != nil {
		return Needed{}, err
	}
	n := Needed{
		Data: d.Name, Split: d.Split, Encoder: s.Encoder.Name, ImageSize: s.Encoder.ImageSize, Cut: s.Encoder.Train.Blocks,
		Trained: len(d.Splits["train"]), Views: len(data.Views(s.Data.Augment.Flip, s.Data.Augment.Crops)),
	}
	for _, split := range d.Splits {
		n.Images += len(split)
	}
	if !(captioner.Encoder{Name: s.Encoder.Name}).Frozen() {
		return n, nil
	}
	spec, err := data.SpecOf(s.Encoder.Name, s.Encoder.ImageSize, s.Encoder.Train.Blocks, "")
	n.Bytes = spec.RowBytes() * int64(n.Images+(n.Views-1)*n.Trained)
	return n, err
}

// Name says whose features they are.
func (n Needed) Name() string {
	if n.Cut == 0 {
		return n.Encoder
	}
	return fmt.Sprintf("%s below its last %s", n.Encoder, term.Plural(n.Cut, "block"))
}

// Fill has fill compute the features that trials need and the cache lacks, as
// [runner.Config.Features] does. progress is told how many pictures an encoder has done of those
// that were lacking.
func (sets *Sets) Fill(
	ctx context.Context, trials []experiments.Trial,
	fill func(ctx context.Context, s experiments.Settings, d *data.Dataset, progress func(done, total int)) error,
	progress func(encoder string, done, total int),
) ([]Features, error) {
	all := []Features{}
	for _, trial := range experiments.DistinctFeatures(trials) {
		s := trial.Settings
		d, err := sets.Load(s)
		if err != nil {
			return nil, err
		}
		var f Features
		if f.Needed, err = sets.needed(s); err != nil {
			return nil, err
		}
		begun := time.Now()
		err = fill(ctx, s, d, func(done, total int) {
			f.Computed = done
			progress(f.Name(), done, total)
		})
		if err != nil {
			return nil, fmt.Errorf("features of %s by %s: %w", d.Name, s.Encoder.Name, err)
		}
		f.Seconds = term.Number(time.Since(begun).Seconds())
		all = append(all, f)
	}
	return all, nil
}
