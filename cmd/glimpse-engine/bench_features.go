package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/runner"
)

// featureSpeed is how fast a frozen encoder turns pictures into features.
type featureSpeed struct {
	Encoder   string      `json:"encoder"`
	ImageSize int         `json:"image_size"`
	Images    int         `json:"images"`
	PerSecond term.Number `json:"images_per_s"` // over Seconds
	Seconds   term.Number `json:"seconds"`      // of everything: loading the weights, hashing and decoding the pictures, encoding
}

func benchFeaturesCommand() *cobra.Command {
	var (
		flags  benchFlags
		images int
	)
	c := &cobra.Command{
		Use:   "features [SPEC]",
		Short: "The encoder, in images a second",
		Long: `Computes the features of the data set's first pictures into an empty temporary
cache, with the weights of the real one. Without a study the encoder is a ResNet-18
of random weights on drawn shapes.`,
		Example: `  glimpse bench features
  glimpse bench features experiments/flickr8k.yaml --images 512 --threads 1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.AtLeast("images", images, 1); err != nil {
				return err
			}
			b, err := flags.open(args, "encoder.name=resnet18", "encoder.weights=random", "encoder.image_size=224")
			if err != nil {
				return err
			}
			defer b.close()
			rows, seen := []featureSpeed{}, map[experiments.Encoder]bool{}
			for _, trial := range b.trials {
				if e := trial.Settings.Encoder; seen[e] || e.Name == captioner.Joint {
					continue
				}
				seen[trial.Settings.Encoder] = true
				row, err := b.encode(c.Context(), trial.Settings, images)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			if len(rows) == 0 {
				return cli.Usage(fmt.Errorf("study %s: its encoder, cnn, is trained with the captioner and has no features to compute; "+
					"--set encoder.name=resnet18 --set encoder.weights=random measures a frozen one", b.study.Name))
			}
			t := &term.Table{}
			t.Add("ENCODER", "SIZE", "IMAGES", "IMAGES/S", "TIME")
			for _, r := range rows {
				t.Add(r.Encoder, strconv.Itoa(r.ImageSize), strconv.Itoa(r.Images), fmt.Sprintf("%.1f", r.PerSecond), term.Span(float64(r.Seconds)))
			}
			return b.report(c.OutOrStdout(), flags.asJSON, "features", rows, t)
		},
	}
	flags.add(c)
	c.Flags().IntVar(&images, "images", 256, "pictures to encode")
	return c
}

// encode measures the encoder of the settings on the first n pictures.
func (b *benchRun) encode(ctx context.Context, s experiments.Settings, n int) (featureSpeed, error) {
	d, err := data.Load(runner.DataOptions(s, s.Data.Root)) // one of its own, to cut
	if err != nil {
		return featureSpeed{}, fmt.Errorf("data set %s: %w", s.Data.Name, err)
	}
	d.Images = d.Images[:min(n, len(d.Images))]
	all := make([]int, len(d.Images))
	for i := range all {
		all[i] = i
	}
	d.Splits = map[string][]int{"train": all}
	cache, release, err := temporaryCache(b.engine.CacheDir)
	if err != nil {
		return featureSpeed{}, err
	}
	defer release()
	engine := b.engine
	engine.CacheDir = cache
	done, begun := 0, time.Now()
	if err := engine.Features(ctx, s, d, func(n, _ int) { done = n }); err != nil {
		return featureSpeed{}, fmt.Errorf("features of %s by %s: %w", d.Name, s.Encoder.Name, err)
	}
	seconds := time.Since(begun).Seconds()
	return featureSpeed{Encoder: s.Encoder.Name, ImageSize: s.Encoder.ImageSize, Images: done,
		PerSecond: term.Number(float64(done) / seconds), Seconds: term.Number(seconds)}, nil
}

// temporaryCache makes an empty cache that has the weights of another.
func temporaryCache(real string) (dir string, release func(), err error) {
	if dir, err = os.MkdirTemp("", "glimpse-bench-"); err != nil {
		return "", nil, fmt.Errorf("temporary feature cache: %w", err)
	}
	release = func() { os.RemoveAll(dir) }
	weights := filepath.Join(real, "weights")
	if err = os.MkdirAll(weights, 0o755); err == nil {
		err = os.Symlink(weights, filepath.Join(dir, "weights"))
	}
	if err != nil {
		release()
		return "", nil, fmt.Errorf("temporary feature cache: %w", err)
	}
	return dir, release, nil
}
