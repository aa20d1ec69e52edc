package runner

import (
	"context"
	"time"

	"glimpse/data"
	"glimpse/internal/store"
	"glimpse/results"
)

// FreeFeatures removes the files of a feature cache that no run of the databases needs and that
// have not been used after since. It returns all files of features; in a dry run it removes none.
// A run needs the features that it recorded or, until it has, all features of its encoder.
func FreeFeatures(ctx context.Context, databases []*store.DB, dir string, since time.Time, dry bool) ([]data.KeptFeatures, error) {
	var uses []data.FeatureUse
	for _, db := range databases {
		runs, err := db.Runs(ctx, "")
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			settings, err := results.Settings(run)
			if err != nil {
				return nil, err
			}
			hashes := data.FeatureHashes(run.Hashes())
			if len(hashes) == 0 {
				hashes = []string{""} // all features of its encoder
			}
			for _, hash := range hashes {
				uses = append(uses, data.FeatureUse{Encoder: settings.Encoder.Name, ImageSize: settings.Encoder.ImageSize, Hash: hash})
			}
		}
	}
	return data.PruneFeatures(dir, uses, since, dry)
}
