package models

import (
	"context"
	"errors"
	"slices"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// Each epoch of training sees, of each picture, the view that is drawn for it; decoding sees
// pictures as they are. What is seen is what the encoder makes of the view's pixels.
func TestViewsOfFrozenEncoder(t *testing.T) {
	cache, d, settings := t.TempDir(), scenes(t, 20), tinySettings()
	plain := len(missing(t, cache, settings, d))
	settings.Data.Augment = experiments.Augment{Flip: true, Crops: 1}
	views := data.Views(true, 1)
	all := plain + (len(views)-1)*len(d.Splits["train"])

	// Stopped behind the first batch, the next call does the rest.
	ctx, stop := context.WithCancel(t.Context())
	first := 0
	err := fillFeatures(ctx, cache, settings, d, torch.CPU, 1, func(done, total int) {
		if first = done; total != all {
			t.Errorf("%d features are lacking, want %d", total, all)
		}
		stop()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	if _, err := newCachedSource(t.Context(), cache, settings, d, torch.CPU); !errors.Is(err, data.ErrFeatures) {
		t.Errorf("a cache without views is used: %v", err)
	}
	last, of := 0, 0
	if err := fillFeatures(t.Context(), cache, settings, d, torch.CPU, 1, func(done, total int) {
		if done <= last || total != all-first {
			t.Errorf("%d of %d after %d, want %d", done, total, last, all-first)
		}
		last, of = done, total
	}); err != nil {
		t.Fatal(err)
	}
	if last != of {
		t.Errorf("the end was told as %d of %d", last, of)
	}

	source, err := newCachedSource(t.Context(), cache, settings, d, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer source.close()
	if found := data.FeatureHashes(source.hashes()); len(found) != len(views) || len(slices.Compact(found)) != len(views) {
		t.Errorf("hashes %v, want one of each view", source.hashes())
	}
	images := d.Splits["train"][:6]
	for _, p := range []pass{{}, {true, 0}, {true, 1}} {
		err := torch.Run(func(s *torch.Scope) error {
			seen, err := source.features(s, images, p)
			if err != nil {
				return err
			}
			got, err := s.Floats(seen.features)
			if err != nil {
				return err
			}
			f, err := newFrozen(s, torch.CPU, source.spec(), weightsFile{seed: settings.Seed})
			if err != nil {
				return err
			}
			defer f.free()
			each := len(got) / len(images)
			for k, i := range images {
				spec := source.spec()
				if p.training {
					spec.View = views[data.DrawView(len(views), settings.Seed, p.epoch, i)]
				}
				pixels, err := decodePictures(t.Context(), d, []int{i}, spec, f.pixels)
				if err != nil {
					return err
				}
				want, err := f.rows(s, pixels)
				if err != nil {
					return err
				}
				for j, bits := range want {
					if got[k*each+j] != data.Float32(bits) {
						t.Fatalf("%+v: image %d is not seen as %s", p, i, spec.View)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// An encoder that is trained with the captioner sees the pixels of the view that is drawn.
func TestViewsOfJointEncoder(t *testing.T) {
	d, settings := smallScenes(t), smallSettings("soft")
	settings.Data.Augment = experiments.Augment{Flip: true, Crops: 1}
	source, err := newCNNSource(d, torch.CPU, settings)
	if err != nil {
		t.Fatal(err)
	}
	images := d.Splits["train"][:8]
	seen := map[data.View]bool{}
	for _, p := range []pass{{}, {true, 0}, {true, 1}, {true, 0}} {
		got, err := source.pictures.normalised(images, func(i int) data.View { return source.augment.view(p, i) })
		if err != nil {
			t.Fatal(err)
		}
		each := len(got) / len(images)
		for k, i := range images {
			view := source.augment.view(p, i)
			if !p.training && view != (data.View{}) {
				t.Fatalf("decoding sees image %d as %s", i, view)
			}
			seen[view] = true
			rgb, err := d.ViewPixels(i, settings.Encoder.ImageSize, view)
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float32, each)
			source.pictures.table.apply(want, rgb)
			if !slices.Equal(got[k*each:(k+1)*each], want) {
				t.Fatalf("%+v: image %d is not seen as %s", p, i, view)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("views seen: %v, want all four", seen)
	}
}
