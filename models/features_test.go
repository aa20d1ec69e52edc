package models

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// scenes is a small data set of drawn scenes.
func scenes(t *testing.T, images int) *data.Dataset {
	t.Helper()
	d, err := data.Load(data.Options{Name: "shapes", Images: images, Seed: 3, MinCount: 1, Tokenize: strings.Fields})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tinySettings ask for an encoder that needs no weights, on pictures that take it no time.
func tinySettings() experiments.Settings {
	return experiments.Settings{Encoder: experiments.Encoder{Name: "efficientnet_lite0", ImageSize: 64, Weights: "random"}, Seed: 5}
}

func missing(t *testing.T, cache string, s experiments.Settings, d *data.Dataset) []int {
	t.Helper()
	f, _, err := openFeatures(context.Background(), cache, s, d)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Missing()
}

func TestFillFeatures(t *testing.T) {
	cache, d, settings := t.TempDir(), scenes(t, 60), tinySettings()
	all := missing(t, cache, settings, d)
	if len(all) < 50 {
		t.Fatalf("%d pictures in splits", len(all))
	}

	if _, err := newCachedSource(context.Background(), cache, settings, d, torch.CPU); err == nil || !strings.Contains(err.Error(), "glimpse features") {
		t.Errorf("an empty cache is used: %v", err)
	}

	// Stopped behind the first batch, what is done stays.
	ctx, stop := context.WithCancel(context.Background())
	err := fillFeatures(ctx, cache, settings, d, torch.CPU, func(done, total int) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	left := missing(t, cache, settings, d)
	if len(left) == 0 || len(left) > len(all)-featureBatch {
		t.Errorf("after one batch of %d, %d of %d are missing", featureBatch, len(left), len(all))
	}

	// The next call does the rest.
	var steps [][2]int
	if err := fillFeatures(context.Background(), cache, settings, d, torch.CPU, func(done, total int) {
		steps = append(steps, [2]int{done, total})
	}); err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 || steps[len(steps)-1] != [2]int{len(left), len(left)} || len(missing(t, cache, settings, d)) != 0 {
		t.Errorf("progress %v for %d pictures", steps, len(left))
	}
	if err := fillFeatures(context.Background(), cache, settings, d, torch.CPU, func(int, int) { t.Error("computed again") }); err != nil {
		t.Error(err)
	}
	sameAsAlone(t, cache, settings, d)

	// Another seed is another encoder.
	settings.Seed++
	if got := missing(t, cache, settings, d); !slices.Equal(got, all) {
		t.Errorf("features of another seed are taken for these: %d of %d missing", len(got), len(all))
	}
}

// sameAsAlone compares what the cache gives with each picture sent through the encoder by itself.
func sameAsAlone(t *testing.T, cache string, settings experiments.Settings, d *data.Dataset) {
	t.Helper()
	source, err := newCachedSource(context.Background(), cache, settings, d, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer source.close()
	images := []int{7, 0, 59}
	err = torch.Run(func(s *torch.Scope) error {
		x, err := source.features(s, images, true)
		if err != nil {
			return err
		}
		got, err := s.Floats(x)
		if err != nil {
			return err
		}
		if shape := x.Shape(); !slices.Equal(shape, []int64{3, 4, 1280}) || source.dim() != 1280 {
			t.Fatalf("features of shape %v", shape)
		}
		f, err := newFrozen(s, torch.CPU, source.cache.Spec(), weightsFile{seed: settings.Seed})
		if err != nil {
			return err
		}
		defer f.free()
		each := f.Regions() * f.Dim()
		for k, i := range images {
			rgb, err := d.Pixels(i, settings.Encoder.ImageSize)
			if err != nil {
				return err
			}
			pixels := make([]float32, len(rgb))
			f.pixels.apply(pixels, rgb)
			want, err := s.Floats(f.Forward(s, f.batch(s, pixels)))
			if err != nil {
				return err
			}
			for j, w := range want {
				// float16 keeps eleven bits
				if d := math.Abs(float64(got[k*each+j] - w)); d > math.Abs(float64(w))/1024+1e-4 {
					t.Fatalf("picture %d, feature %d: %v in the cache, %v alone", i, j, got[k*each+j], w)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFeaturesOfMissingWeights(t *testing.T) {
	settings := tinySettings()
	settings.Encoder.Weights = filepath.Join(t.TempDir(), "none.pth")
	err := fillFeatures(context.Background(), t.TempDir(), settings, scenes(t, 20), torch.CPU, nil)
	if err == nil || !strings.Contains(err.Error(), "want auto, random or the path") {
		t.Errorf("got %v", err)
	}
}

// A picture that cannot be read ends the run with its name, and the decoders end too.
func TestDecodeAheadFails(t *testing.T) {
	d := &data.Dataset{Images: make([]data.Image, 200)}
	for i := range d.Images {
		d.Images[i] = data.Image{ID: "gone.jpg", Path: filepath.Join(t.TempDir(), "gone.jpg")}
	}
	images := make([]int, len(d.Images))
	ctx, cancel := context.WithCancel(context.Background())
	failures := 0
	for b := range decodeAhead(ctx, d, images, 32, &pixelTable{}) {
		if b.err != nil && strings.Contains(b.err.Error(), "gone.jpg is missing") {
			failures++
			cancel()
		}
	}
	cancel()
	if failures == 0 {
		t.Error("no batch failed")
	}
}

// The hash that is foretold is the one that a run records.
func TestFeatureHash(t *testing.T) {
	cache, d, settings := t.TempDir(), scenes(t, 20), tinySettings()
	if err := fillFeatures(context.Background(), cache, settings, d, torch.CPU, nil); err != nil {
		t.Fatal(err)
	}
	source, err := newCachedSource(context.Background(), cache, settings, d, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer source.close()
	recorded := source.hashes()
	for weights, same := range map[string]bool{recorded["encoder_weights"]: true, "other weights": false} {
		spec, err := data.SpecOf(settings.Encoder.Name, settings.Encoder.ImageSize, weights)
		if err != nil {
			t.Fatal(err)
		}
		got, err := data.FeatureHash(spec, d)
		if err != nil || (got == recorded["features"]) != same {
			t.Errorf("weights %s: foretold %s, %v; recorded %s", weights, got, err, recorded["features"])
		}
	}
}
