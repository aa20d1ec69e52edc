package models

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// lastReference is a file of testdata/make_last_blocks_fixtures.py.
type lastReference struct {
	Blocks    int                  `json:"blocks"`
	Arm       string               `json:"arm"`
	ImageSize int                  `json:"image_size"`
	Tokens    []int64              `json:"tokens"`
	Losses    []float64            `json:"losses"`
	Gradients map[string][]float32 `json:"gradients"`
	End       map[string][]float32 `json:"end"`
}

// givenSource is a lastSource without a cache.
type givenSource struct {
	lastSource
	given *torch.Tensor // B×R'×D'
}

func (g *givenSource) features(s *torch.Scope, _ []int, of pass) (regions, error) {
	return regions{features: g.last.of(s, g.given, of.training)}, s.Err()
}

// TestLastBlocksParity holds the losses of five steps, the first two of the captioner alone, the
// gradients of the third, and what the parameters are in the end against PyTorch.
func TestLastBlocksParity(t *testing.T) { onEachDevice(t, testLastBlocksParity) }

func testLastBlocksParity(t *testing.T, device torch.Device) {
	for _, name := range []string{"efficientnet_lite0", "resnet18"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/last_blocks_" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var ref lastReference
			if err := json.Unmarshal(text, &ref); err != nil {
				t.Fatal(err)
			}
			if err := torch.Run(func(s *torch.Scope) error { return compareLastBlocks(t, s, device, name, ref) }); err != nil {
				t.Error(err)
			}
		})
	}
}

func compareLastBlocks(t *testing.T, s *torch.Scope, device torch.Device, name string, ref lastReference) error {
	const images, each, frozenSteps, every = 2, 2, 2, 1999
	spec, err := data.SpecOf(name, ref.ImageSize, ref.Blocks, "")
	if err != nil {
		return err
	}
	f, err := buildFrozen(s, device, spec, computedValues, 1)
	if err != nil {
		return err
	}
	defer f.free()
	n := images * spec.Regions * spec.Dim
	given, err := computedValues("cut.bias", []int{n})
	if err != nil {
		return err
	}
	x := s.MulScalar(s.FromFloats(device, given, images, int64(spec.Regions), int64(spec.Dim)), 10)
	src := &givenSource{lastSource{last: f.last}, x}
	arm, err := captioner.ArmOf(ref.Arm)
	if err != nil {
		return err
	}
	cell := captioner.Cells[0]
	z := captioner.Sizes{Vocabulary: 23, Features: int64(src.dim()), Embedding: 8, Hidden: 12, Attention: 8, Layers: 1}
	initial := src.initial()
	for _, sh := range arm.Parameters(cell, z) {
		sizes := make([]int, len(sh.Sizes))
		for i, n := range sh.Sizes {
			sizes[i] = int(n)
		}
		if initial[sh.Name], err = computedValues(sh.Name, sizes); err != nil {
			return err
		}
	}
	c := &Captioner{source: src, device: device}
	c.settings.Train.LabelSmoothing, c.settings.Train.Optimizer.ClipNorm = 0.1, 0.5
	own := slices.Clip(src.shapes())
	if c.params, err = newParameters(s, device, append(own, arm.Parameters(cell, z)...), initial); err != nil {
		return err
	}
	defer c.params.free()
	src.use(c.params)
	if c.network, err = newNetwork(c.params, device, arm, cell, z, 0); err != nil {
		return err
	}
	adam := experiments.Optimizer{Name: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	all := c.params.tensors
	for into, params := range map[**optimizer][]*torch.Tensor{&c.encoder: all[:len(own)], &c.optimizer: all[len(own):]} {
		if *into, err = newOptimizer(s, adam, device, params); err != nil {
			return err
		}
		defer (*into).free()
	}
	batch := data.Batch{Images: make([]int, images), Tokens: ref.Tokens, C: each, T: len(ref.Tokens) / images / each}
	for step, want := range ref.Losses {
		r := rates{captioner: 5e-3}
		if step >= frozenSteps {
			r.encoder = 1e-4
		}
		loss, _, err := c.trainStep(s, batch, r)
		if err != nil {
			return err
		}
		if math.Abs(loss-want) > 2e-4 {
			t.Errorf("loss of step %d: %v, want %v", step+1, loss, want)
		}
		if step == frozenSteps {
			for i, sh := range c.params.shapes {
				sampledAsIn(t, s, "gradient of "+sh.Name, s.Grad(c.params.tensors[i]), ref.Gradients[sh.Name], every, 2e-4)
			}
		}
	}
	for i, sh := range c.params.shapes {
		sampledAsIn(t, s, sh.Name+" in the end", c.params.tensors[i], ref.End[sh.Name], every, 2e-4)
	}
	return s.Err()
}

// sampledAsIn compares numbers of a tensor, so far apart, with those of a fixture, by a share of the
// largest.
func sampledAsIn(t *testing.T, s *torch.Scope, what string, tensor *torch.Tensor, want []float32, every int, share float64) {
	t.Helper()
	got, err := s.Floats(tensor)
	if err != nil || len(want) != (len(got)+every-1)/every {
		t.Errorf("%s: %d numbers and %d in the fixture, %v", what, len(got), len(want), err)
		return
	}
	largest, worst := 0.0, 0.0
	for i, w := range want {
		largest, worst = max(largest, math.Abs(float64(w))), max(worst, math.Abs(float64(got[i*every]-w)))
	}
	if worst > share*max(largest, 1e-3) {
		t.Errorf("%s: differs by up to %g of %g", what, worst, largest)
	}
}

// TestCutIsExact holds that what is below the last blocks, and these behind it, give bit for bit
// what the whole encoder gives, unless what they are given is rounded.
func TestCutIsExact(t *testing.T) {
	for _, c := range []struct {
		name         string
		size, blocks int
	}{
		{"efficientnet_lite0", 64, 1}, {"efficientnet_lite0", 65, 2}, {"efficientnet_lite2", 64, 6}, {"efficientnet_lite1", 40, 18},
		{"resnet18", 64, 1}, {"resnet18", 65, 8}, {"resnet50", 33, 4},
	} {
		t.Run(fmt.Sprintf("%s/%d/%d", c.name, c.size, c.blocks), func(t *testing.T) {
			err := torch.Run(func(s *torch.Scope) error {
				whole, err := buildOf(s, c.name, c.size, 0)
				if err != nil {
					return err
				}
				defer whole.free()
				cut, err := buildOf(s, c.name, c.size, c.blocks)
				if err != nil {
					return err
				}
				defer cut.free()
				p, err := newParameters(s, torch.CPU, cut.last.shapes, cut.last.initial)
				if err != nil {
					return err
				}
				defer p.free()
				cut.last.use(p)
				pixels := make([]float32, fixturePictures*3*c.size*c.size)
				whole.pixels.apply(pixels, computedPixels(c.size))
				return s.Inference(func(s *torch.Scope) error {
					want, err := s.Floats(whole.Forward(s, whole.batch(s, pixels)))
					if err != nil {
						return err
					}
					given := cut.Forward(s, cut.batch(s, pixels))
					if given.Size(1) != int64(cut.spec.Regions) || given.Size(2) != int64(cut.spec.Dim) {
						t.Errorf("the blocks are given %v, and package captioner says %d×%d", given.Shape(), cut.spec.Regions, cut.spec.Dim)
					}
					got, err := s.Floats(cut.last.of(s, given, false))
					if err != nil {
						return err
					}
					if !slices.Equal(got, want) {
						t.Error("the parts give something else than the whole")
					}
					rounded, err := s.Floats(cut.last.of(s, s.Cast(s.Cast(given, torch.Half), torch.Float), false))
					if err != nil {
						return err
					}
					largest, worst := 0.0, 0.0
					for i, w := range want {
						largest, worst = max(largest, math.Abs(float64(w))), max(worst, math.Abs(float64(rounded[i]-w)))
					}
					if t.Logf("rounded: %.2g of %.2g", worst, largest); worst > 4e-3*largest || worst == 0 {
						t.Errorf("rounded to float16, what the blocks are given moves the features by %g of %g", worst, largest)
					}
					return nil
				})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// buildOf builds an encoder from computed values, without so many of its last blocks.
func buildOf(s *torch.Scope, name string, size, cut int) (*frozen, error) {
	spec, err := data.SpecOf(name, size, cut, "")
	if err != nil {
		return nil, err
	}
	return buildFrozen(s, torch.CPU, spec, computedValues, 1)
}

// TestTunedParameters holds the parameters of each number of blocks, as package captioner lists
// them, to the layers.
func TestTunedParameters(t *testing.T) {
	for _, e := range captioner.Encoders {
		for blocks := 1; blocks <= len(e.Blocks); blocks += 1 + len(e.Blocks)/2 {
			err := torch.Run(func(s *torch.Scope) error {
				f, err := buildOf(s, e.Name, e.Smallest, blocks)
				if err != nil {
					return err
				}
				defer f.free()
				for _, sh := range f.last.shapes {
					c := f.last.convs[sh.Name]
					if c == nil {
						return fmt.Errorf("no layer has %s", sh.Name)
					}
					if want := []int64{c.out, c.in / max(c.groups, 1), c.kernel[0], c.kernel[1]}; !slices.Equal(want, sh.Sizes) {
						t.Errorf("%s: %v, and its layer has %v", sh.Name, sh.Sizes, want)
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s, %d blocks: %v", e.Name, blocks, err)
			}
		}
	}
}
