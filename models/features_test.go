package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
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
	d, err := data.Load(data.Options{Name: "shapes", Split: "official", Images: images, Seed: 3, MinCount: 1, Tokenize: strings.Fields})
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
	plain, _, err := openFeatures(context.Background(), cache, s, d, data.View{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeFeatures(plain)
	return plain[0].Missing()
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
	err := fillFeatures(ctx, cache, settings, d, torch.CPU, 2, func(done, total int) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	left := missing(t, cache, settings, d)
	if len(left) == 0 || len(left) > len(all)-mostBatch {
		t.Errorf("after one batch of %d, %d of %d are missing", mostBatch, len(left), len(all))
	}

	// The next call does the rest.
	var steps [][2]int
	if err := fillFeatures(context.Background(), cache, settings, d, torch.CPU, 2, func(done, total int) {
		steps = append(steps, [2]int{done, total})
	}); err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 || steps[len(steps)-1] != [2]int{len(left), len(left)} || len(missing(t, cache, settings, d)) != 0 {
		t.Errorf("progress %v for %d pictures", steps, len(left))
	}
	if err := fillFeatures(context.Background(), cache, settings, d, torch.CPU, 2, func(int, int) { t.Error("computed again") }); err != nil {
		t.Error(err)
	}
	sameAsAlone(t, cache, settings, d)

	// Another seed is another encoder.
	settings.Seed++
	if got := missing(t, cache, settings, d); !slices.Equal(got, all) {
		t.Errorf("features of another seed are taken for these: %d of %d missing", len(got), len(all))
	}
}

// sameAsAlone compares what the cache gives with each picture sent through the encoder by itself, bit for bit.
func sameAsAlone(t *testing.T, cache string, settings experiments.Settings, d *data.Dataset) {
	t.Helper()
	images := []int{7, 0, 59}
	got, spec := cachedRows(t, cache, settings, d, images)
	if spec.Regions != 4 || spec.Dim != 1280 {
		t.Fatalf("features of %d×%d", spec.Regions, spec.Dim)
	}
	err := torch.Run(func(s *torch.Scope) error {
		f, err := newFrozen(s, torch.CPU, spec, weightsFile{seed: settings.Seed})
		if err != nil {
			return err
		}
		defer f.free()
		for k, i := range images {
			pixels, err := decodePictures(t.Context(), d, []int{i}, spec, f.pixels)
			if err != nil {
				return err
			}
			want, err := f.rows(s, pixels)
			if err != nil {
				return err
			}
			if !slices.Equal(got[k], want) {
				t.Errorf("picture %d has other features in the cache than alone", i)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cachedRows are rows of the cache.
func cachedRows(t *testing.T, cache string, settings experiments.Settings, d *data.Dataset, images []int) ([][]uint16, data.FeatureSpec) {
	t.Helper()
	plain, _, err := openFeatures(t.Context(), cache, settings, d, data.View{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeFeatures(plain)
	f := plain[0]
	rows := make([][]uint16, len(images))
	for k, i := range images {
		rows[k] = make([]uint16, f.Spec().Regions*f.Spec().Dim)
		if err := f.Read(i, rows[k]); err != nil {
			t.Fatal(err)
		}
	}
	return rows, f.Spec()
}

// TestFeaturesDoNotDependOnThreads holds that a cache has the same bytes however many threads filled it, also where it was
// filled in parts.
func TestFeaturesDoNotDependOnThreads(t *testing.T) {
	d, settings := scenes(t, 40), tinySettings()
	images := d.Splits["train"]
	var want [][]uint16
	for _, threads := range []int{1, 2, 3} {
		for _, parts := range []int{1, 2} {
			cache := t.TempDir()
			for part := range parts {
				some := *d
				some.Splits = map[string][]int{"train": images[:len(images)*(part+1)/parts]}
				if parts > 1 && part == 0 {
					some.Splits["train"] = images[3:4] // a batch of one picture
				}
				if err := fillFeatures(t.Context(), cache, settings, &some, torch.CPU, threads, nil); err != nil {
					t.Fatal(err)
				}
			}
			rows, _ := cachedRows(t, cache, settings, d, images)
			if want == nil {
				want = rows
			}
			for k := range rows {
				if !slices.Equal(rows[k], want[k]) {
					t.Errorf("%d threads, in %d parts: picture %d has other features than with one thread", threads, parts, images[k])
				}
			}
		}
	}
}

// TestEncodersDoNotDependOnBatches holds each encoder to the same features of a picture, bit for bit, whatever pictures come
// with it and however many threads there are, and these to what one thread gives of eight pictures, as published runs have it.
func TestEncodersDoNotDependOnBatches(t *testing.T) {
	before := torch.Threads()
	defer torch.SetThreads(before)
	for name := range architectures {
		t.Run(name, func(t *testing.T) {
			size := 64
			if name == "inception_v3" {
				size = 101
			}
			spec, err := data.SpecOf(name, size, 0, "")
			if err != nil {
				t.Fatal(err)
			}
			each, row := 3*size*size, spec.Regions*spec.Dim
			pixels := make([]float32, 17*each)
			next := randomStream("pictures")
			for i := range pixels {
				pixels[i] = float32(i%each)/float32(each) - float32(next()>>40)/(1<<24)
			}
			var want []uint16 // of the first eight
			for _, threads := range []int{1, 3} {
				torch.SetThreads(threads)
				err := torch.Run(func(s *torch.Scope) error {
					f, err := buildFrozen(s, torch.CPU, spec, computedValues, 1)
					if err != nil {
						return err
					}
					defer f.free()
					if want == nil {
						err := s.Inference(func(s *torch.Scope) (err error) {
							grid := f.body.of(s, f.batch(s, pixels[:8*each]))
							want, err = s.Halfs(s.Permute(grid, 0, 2, 3, 1))
							return err
						})
						if err != nil {
							return err
						}
					}
					for _, batch := range [][]int{{3}, {0, 1}, {7, 12, 2}, {16, 15, 14, 13, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {10, 11, 12, 13, 14, 15, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}} {
						var in []float32
						for _, i := range batch {
							in = append(in, pixels[i*each:(i+1)*each]...)
						}
						rows, err := f.rows(s, in)
						if err != nil {
							return err
						}
						for k, i := range batch {
							if i < 8 && !slices.Equal(rows[k*row:(k+1)*row], want[i*row:(i+1)*row]) {
								t.Errorf("%d threads: picture %d has other features in the batch %v", threads, i, batch)
							}
						}
						if torch.Threads() != threads {
							t.Fatalf("of %d threads %d are left", threads, torch.Threads())
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestBatchSize(t *testing.T) {
	for _, c := range []struct{ pictures, threads, want int }{
		{8000, 1, 8}, {8000, 2, 8}, {8000, 4, 8}, {8000, 8, 4}, {8000, 16, 2}, {8000, 200, 2}, {16, 2, 8}, {16, 4, 4}, {16, 16, 2}, {9, 2, 5}, {1, 2, 2}, {0, 3, 2},
	} {
		if got := batchSize(c.pictures, c.threads); got != c.want {
			t.Errorf("%d pictures on %d threads: batches of %d, want %d", c.pictures, c.threads, got, c.want)
		}
	}
}

func TestFeaturesOfMissingWeights(t *testing.T) {
	settings := tinySettings()
	settings.Encoder.Weights = filepath.Join(t.TempDir(), "none.pth")
	err := fillFeatures(context.Background(), t.TempDir(), settings, scenes(t, 20), torch.CPU, 2, nil)
	if err == nil || !strings.Contains(err.Error(), "expected auto, random or the path") {
		t.Errorf("got %v", err)
	}
}

// A picture that cannot be read ends the filling with its name.
func TestFillFeaturesFails(t *testing.T) {
	dir := t.TempDir()
	d := &data.Dataset{Options: data.Options{Root: dir}, Images: make([]data.Image, 100), Splits: map[string][]int{}}
	for i := range d.Images {
		name := fmt.Sprintf("%d.png", i)
		d.Images[i] = data.Image{ID: name, Path: filepath.Join(dir, name)}
		d.Splits["train"] = append(d.Splits["train"], i)
		var file bytes.Buffer
		if i == 20 {
			file.WriteString("no picture")
		} else if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8+i, 8))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.Images[i].Path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := fillFeatures(t.Context(), t.TempDir(), tinySettings(), d, torch.CPU, 3, nil)
	if err == nil || !strings.Contains(err.Error(), "20.png") {
		t.Error(err)
	}
}

// The hash that is foretold is the one that a run records.
func TestFeatureHash(t *testing.T) {
	cache, d, settings := t.TempDir(), scenes(t, 20), tinySettings()
	if err := fillFeatures(context.Background(), cache, settings, d, torch.CPU, 2, nil); err != nil {
		t.Fatal(err)
	}
	source, err := newCachedSource(context.Background(), cache, settings, d, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer source.close()
	recorded := source.hashes()
	for weights, same := range map[string]bool{recorded["encoder_weights"]: true, "other weights": false} {
		spec, err := data.SpecOf(settings.Encoder.Name, settings.Encoder.ImageSize, 0, weights)
		if err != nil {
			t.Fatal(err)
		}
		got, err := data.FeatureHash(spec, d)
		if err != nil || (got == recorded["features"]) != same {
			t.Errorf("weights %s: foretold %s, %v; recorded %s", weights, got, err, recorded["features"])
		}
	}
}
