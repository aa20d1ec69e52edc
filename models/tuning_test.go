package models

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// tuned are settings of a captioner that trains so many of an encoder's last blocks from its second
// epoch on.
func tuned(encoder string, blocks int) experiments.Settings {
	settings := smallSettings("soft")
	settings.Encoder = experiments.Encoder{
		Name: encoder, ImageSize: 64, Weights: "random", Train: experiments.EncoderTrain{Blocks: blocks, FromEpoch: 2, LR: 1e-3},
	}
	settings.Train.Epochs = 3
	return settings
}

// tunedCaptioner makes the captioner, once what its blocks are given is in the cache.
func tunedCaptioner(t *testing.T, cache string, settings experiments.Settings, d *data.Dataset) *Captioner {
	t.Helper()
	engine := Engine{CacheDir: cache, Device: torch.CPU, Threads: 1}
	if err := engine.Features(t.Context(), settings, d, nil); err != nil {
		t.Fatal(err)
	}
	c, err := engine.Captioner(settings, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestTunedFromItsEpochOn holds that the blocks stay what they are before encoder.train.from_epoch
// and not after, that the captioner starts as it does beside an encoder that is not trained, and
// that all of it counts as its parameters.
func TestTunedFromItsEpochOn(t *testing.T) {
	d, settings, cache := smallScenes(t), tuned("efficientnet_lite0", 1), t.TempDir()
	c := tunedCaptioner(t, cache, settings, d)
	frozen := settings
	frozen.Encoder.Train = experiments.EncoderTrain{}
	beside := tunedCaptioner(t, cache, frozen, d)
	if want, err := settings.Parameters(len(d.Vocabulary.Words)); err != nil || c.Parameters() != want || beside.Parameters() >= want {
		t.Errorf("%d parameters, %d beside a frozen encoder; planned were %d, %v", c.Parameters(), beside.Parameters(), want, err)
	}
	trained := len(c.source.shapes())
	if now := allValues(t, c.params.tensors[trained:]); !slices.Equal(now, allValues(t, beside.params.tensors)) {
		t.Error("the captioner starts otherwise than beside an encoder that is not trained")
	}
	start := allValues(t, c.params.tensors[:trained])
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(start, allValues(t, c.params.tensors[:trained])) || c.encoder.step != 0 {
		t.Error("the first epoch trains the encoder")
	}
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	for i, p := range c.params.tensors[:trained] {
		if after := allValues(t, []*torch.Tensor{p}); slices.Equal(after, start[:len(after)]) {
			t.Errorf("%s is not trained", c.params.shapes[i].Name)
		} else {
			start = start[len(after):]
		}
	}
}

// allValues are those of tensors, one behind the other.
func allValues(t *testing.T, tensors []*torch.Tensor) (all []float32) {
	t.Helper()
	err := torch.Run(func(s *torch.Scope) error {
		for _, p := range tensors {
			values, err := s.Floats(p)
			if err != nil {
				return err
			}
			all = append(all, values...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTuningResumesExactly holds that a captioner which is stopped while it trains the encoder, in
// either stage, and goes on in another process ends bit for bit like one that was not.
func TestTuningResumesExactly(t *testing.T) {
	d, settings, cache := smallScenes(t), tuned("efficientnet_lite0", 1), t.TempDir()
	settings.Train.Reinforce = reinforcedSettings("soft", "mean").Train.Reinforce
	settings.Encoder.Train.FromEpoch = 1
	settings.Data.Augment = experiments.Augment{Flip: true, Crops: 1}
	for name, way := range map[string]struct {
		begin func(c *Captioner, path string) error
		epoch func(c *Captioner, ctx context.Context, count func(int, int, float64)) (data.EpochResult, error)
	}{
		"cross entropy": {
			func(*Captioner, string) error { return nil },
			(*Captioner).TrainEpoch,
		},
		"reinforcement": {
			(*Captioner).Reinforce,
			func(c *Captioner, ctx context.Context, count func(int, int, float64)) (data.EpochResult, error) {
				return c.ReinforceEpoch(ctx, short, count)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stopped")
			fresh := func() *Captioner { return tunedCaptioner(t, cache, settings, d) }
			whole, first, second := fresh(), fresh(), fresh()
			for _, c := range []*Captioner{whole, first} {
				if _, err := c.Save(path); err != nil {
					t.Fatal(err)
				}
				if err := way.begin(c, path); err != nil {
					t.Fatal(err)
				}
			}
			want, err := way.epoch(whole, t.Context(), quiet)
			if err != nil {
				t.Fatal(err)
			}
			ctx, count := stopAfter(t, 2)
			if _, err := way.epoch(first, ctx, count); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped training returned %v", err)
			}
			if first.encoder.step != 2 {
				t.Errorf("%d steps of the encoder after two", first.encoder.step)
			}
			if _, err := first.Save(path); err != nil {
				t.Fatal(err)
			}
			if err := second.Load(path); err != nil {
				t.Fatal(err)
			}
			if got, err := way.epoch(second, t.Context(), quiet); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("the epoch after resuming %+v, %v, want %+v", got, err, want)
			}
			for name, c := range map[string]*Captioner{"-whole": whole, "-resumed": second} {
				if _, err := c.Save(path + name); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{".json", ".safetensors", ".optimizer.safetensors"} {
				a, err := os.ReadFile(path + "-whole" + file)
				if err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(path + "-resumed" + file)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(a, b) {
					t.Errorf("%s differs after resuming", file)
				}
			}
		})
	}
}
