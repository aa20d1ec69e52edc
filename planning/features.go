package planning

import (
	"context"
	"fmt"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/term"
)

// Features are those of one encoder on one data set, in the cache. Their JSON is a contract: it is what `glimpse features
// --json` prints.
type Features struct {
	Data      string      `json:"data"`
	Split     string      `json:"split"`
	Encoder   string      `json:"encoder"`
	ImageSize int         `json:"image_size"`
	Images    int         `json:"images"`        // in a split
	Cut       int         `json:"cut,omitempty"` // last blocks of the encoder that are trained: the features are what they are given
	Computed  int         `json:"computed"`      // now; the others were there, or the encoder is trained with the captioner
	Seconds   term.Number `json:"seconds"`
}

// Name says whose features they are.
func (f Features) Name() string {
	if f.Cut == 0 {
		return f.Encoder
	}
	return fmt.Sprintf("%s below its last %s", f.Encoder, term.Plural(f.Cut, "block"))
}

// Fill has fill compute the features that trials need and the cache lacks, as [runner.Config.Features] does. progress
// is told how many pictures an encoder has done of those that were lacking.
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
		f := Features{Data: d.Name, Split: d.Split, Encoder: s.Encoder.Name, ImageSize: s.Encoder.ImageSize, Cut: s.Encoder.Train.Blocks}
		for _, split := range d.Splits {
			f.Images += len(split)
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
