package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"glimpse/captioner"
	"glimpse/experiments"
	"glimpse/internal/atomicfile"
	"glimpse/internal/term"
)

// FeatureSpeed is the speed of a frozen encoder.
type FeatureSpeed struct {
	Encoder   string      `json:"encoder"`
	ImageSize int         `json:"image_size"`
	Images    int         `json:"images"`
	PerSecond term.Number `json:"images_per_s"` // over Seconds
	Seconds   term.Number `json:"seconds"`      // total: loading the weights, hashing and decoding the pictures, encoding
}

// Features measures each frozen encoder of the study on the first pictures of the data set, with an
// empty temporary cache. If the study has no frozen encoder, it returns a *NothingError.
func Features(ctx context.Context, o Options, images int) (*Report[[]FeatureSpeed], error) {
	return measure("features", o, func(m *measurement) ([]FeatureSpeed, error) {
		var rows []FeatureSpeed
		seen := map[experiments.Encoder]bool{}
		for _, trial := range m.trials {
			encoder := trial.Settings.Encoder
			if seen[encoder] || !(captioner.Encoder{Name: encoder.Name}).Frozen() {
				continue
			}
			seen[encoder] = true
			row, err := m.encode(ctx, trial.Settings, images)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
		if len(rows) == 0 {
			why := "cnn is trained with the captioner"
			if len(m.trials) > 0 && m.trials[0].Settings.Encoder.Name == captioner.Precomputed {
				why = "precomputed reads those of another program"
			}
			return nil, &NothingError{fmt.Sprintf("study %s has no features to compute: encoder %s; "+
				"to measure a frozen encoder, add --set encoder.name=resnet18 --set encoder.weights=random", m.study, why)}
		}
		return rows, nil
	})
}

// encode measures the encoder of the settings on the first n pictures, as one training split.
func (m *measurement) encode(ctx context.Context, s experiments.Settings, n int) (FeatureSpeed, error) {
	all, err := m.sets.Load(s)
	if err != nil {
		return FeatureSpeed{}, fmt.Errorf("data set %s: %w", s.Data.Name, err)
	}
	first := *all
	first.Images = all.Images[:min(n, len(all.Images))]
	train := make([]int, len(first.Images))
	for i := range train {
		train[i] = i
	}
	first.Splits = map[string][]int{"train": train}
	engine := m.Engine
	var release func()
	if engine.CacheDir, release, err = temporaryCache(m.Engine.CacheDir); err != nil {
		return FeatureSpeed{}, fmt.Errorf("temporary feature cache: %w", err)
	}
	defer release()
	encoded, begun := 0, time.Now()
	if err := engine.Features(ctx, s, &first, func(done, _ int) { encoded = done }); err != nil {
		return FeatureSpeed{}, fmt.Errorf("features of %s by %s: %w", first.Name, s.Encoder.Name, err)
	}
	seconds := time.Since(begun).Seconds()
	return FeatureSpeed{Encoder: s.Encoder.Name, ImageSize: s.Encoder.ImageSize, Images: encoded,
		PerSecond: term.Number(float64(encoded) / seconds), Seconds: term.Number(seconds)}, nil
}

// temporaryCache makes an empty cache that links to the encoder weights of the real one.
func temporaryCache(real string) (dir string, release func(), err error) {
	if dir, release, err = atomicfile.Folder(""); err != nil {
		return "", nil, err
	}
	weights := filepath.Join(real, "weights")
	if err = os.MkdirAll(weights, 0o755); err == nil {
		err = os.Symlink(weights, filepath.Join(dir, "weights"))
	}
	if err != nil {
		release()
		return "", nil, err
	}
	return dir, release, nil
}
