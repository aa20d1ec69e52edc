package models

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// ragged are features of three images with 2, 5 and 1 regions of the reference's size, whole.
func ragged() []arrays.Array {
	g := rand.New(rand.NewPCG(7, 0))
	var all []arrays.Array
	for _, rows := range []int{2, 5, 1} {
		a := arrays.Array{Rows: rows, Dim: int(referenceSizes.Features)}
		for range a.Rows * a.Dim {
			a.Values = append(a.Values, float32(g.NormFloat64()))
		}
		all = append(all, a)
	}
	return all
}

// together puts images into one batch.
func together(s *torch.Scope, device torch.Device, all ...arrays.Array) (regions, error) {
	var buffer []float32
	p := Pictures{device: device, dim: int(referenceSizes.Features)}
	return p.given(s, all, &buffer)
}

// TestOwnRegions holds that an image with fewer regions than others of its batch gets the logits,
// attention and gradients that it gets alone.
func TestOwnRegions(t *testing.T) { onEachDevice(t, testOwnRegions) }

func testOwnRegions(t *testing.T, device torch.Device) {
	captions := [][]int64{{7, 8, 9, data.EndID}, {10, data.EndID}, {11, 12, data.EndID}}
	eachArm(t, func(t *testing.T, arm captioner.Arm, cell captioner.Cell) {
		ref, images := loadReference(t, arm, cell), ragged()
		err := torch.Run(func(s *torch.Scope) error {
			n := ref.network(t, s, device, "start.")
			// of gives logits and weights, caption by caption and word by word, and adds the
			// gradient of the logits' weighted sum.
			of := func(images []arrays.Array, captions [][]int64) (logits, weights [][]float64) {
				r, err := together(s, device, images...)
				if err != nil {
					t.Fatal(err)
				}
				if ragged := len(images) > 1; ragged != (r.counts != nil) {
					t.Fatalf("counts %v of %d images", r.counts, len(images))
				}
				p := pack(oneEach(captions))
				out, alpha := n.logits(s, r, p.tensors(s, device), true)
				v := out.Size(1)
				noise := make([]float32, v)
				for i := range noise {
					noise[i] = float32(math.Sin(float64(i)))
				}
				s.Backward(s.Sum(s.Mul(out, s.FromFloats(device, noise, 1, v))))
				first := s.Contiguous(s.Narrow(out, 1, 3, 1))
				if logits, err = p.deal(s, first); err != nil {
					t.Fatal(err)
				}
				if alpha != nil {
					if weights, err = p.deal(s, s.Contiguous(s.Narrow(alpha, 1, 0, 1))); err != nil {
						t.Fatal(err)
					}
				}
				return logits, weights
			}
			gradients := func() (all [][]float32) {
				for _, parameter := range n.tensors {
					values, err := s.Floats(s.Grad(parameter))
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, values)
				}
				return all
			}
			s.ZeroGrad(n.tensors)
			logits, weights := of(images, captions)
			got := gradients()
			s.ZeroGrad(n.tensors)
			for i := range images {
				alone, looks := of(images[i:i+1], captions[i:i+1])
				if !within(logits[i], alone[0], 1e-5) || looks != nil && !within(weights[i], looks[0], 1e-5) {
					t.Errorf("image %d: logits %v and weights %v, alone %v and %v", i, logits[i], weights, alone[0], looks)
				}
			}
			for k, want := range gradients() {
				for i := range want {
					if math.Abs(float64(got[k][i]-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
						t.Fatalf("gradient of %s: value %d is %v, image by image it is %v", n.parameters.shapes[k].Name, i, got[k][i], want[i])
					}
				}
			}
			return s.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func within(a, b []float64, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tolerance })
}

// TestOwnRegionsAreCaptioned holds that captions, and where the captioner looked, are those of each
// image alone.
func TestOwnRegionsAreCaptioned(t *testing.T) {
	words := make([]string, referenceSizes.Vocabulary)
	for i := range words {
		words[i] = string(rune('a' + i))
	}
	ref, images := loadReference(t, armOf(t, "adaptive"), captioner.Cells[0]), ragged()
	err := torch.Run(func(s *torch.Scope) error {
		p := Pictures{device: torch.CPU, dim: int(referenceSizes.Features), vocabulary: words, network: ref.network(t, s, torch.CPU, "end.")}
		o := experiments.Decode{Beam: 3, LengthPenalty: 0.7, MaxLength: 8}
		made, err := p.CaptionFeatures(t.Context(), images, o)
		if err != nil {
			return err
		}
		for i, c := range made {
			alone, err := p.CaptionFeatures(t.Context(), images[i:i+1], o)
			if err != nil {
				return err
			}
			if !slices.Equal(c.Words, alone[0].Words) || !within(c.Beta, alone[0].Beta, 1e-5) || !within(c.Entropy, alone[0].Entropy, 1e-5) {
				t.Errorf("image %d: %q, alone %q", i, c.Words, alone[0].Words)
			}
			for w, alpha := range c.Alpha {
				sum := c.Beta[w]
				for _, a := range alpha {
					sum += float64(a)
				}
				if len(alpha) != images[i].Rows || math.Abs(sum-1) > 1e-5 {
					t.Errorf("image %d of %d regions: the weights are %v, with β %v", i, images[i].Rows, alpha, sum)
				}
			}
		}
		images[1].Dim--
		if _, err := p.CaptionFeatures(t.Context(), images, o); err == nil || !strings.Contains(err.Error(), "picture 1 has 5 regions of 23 numbers") {
			t.Errorf("features of another size: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPrecomputedIsAsTheCache holds that a captioner of exported features is the captioner of the
// features themselves, bit for bit.
func TestPrecomputedIsAsTheCache(t *testing.T) {
	d, settings := scenes(t, 40), smallSettings("adaptive")
	settings.Encoder = experiments.Encoder{Name: "resnet18", ImageSize: 64, Weights: "random"}
	engine := Engine{CacheDir: t.TempDir(), Device: torch.CPU, Threads: 1}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := errors.Join(engine.Features(t.Context(), settings, d, nil), engine.ExportFeatures(t.Context(), settings, d, path)); err != nil {
		t.Fatal(err)
	}
	trained := func(s experiments.Settings) (sum string, captions []data.Caption) {
		t.Helper()
		c, err := engine.Captioner(s, d)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		if captions, err = c.Caption(t.Context(), d.Splits["test"], s.Decode, true); err != nil {
			t.Fatal(err)
		}
		if sum, err = c.Save(filepath.Join(t.TempDir(), "checkpoint")); err != nil {
			t.Fatal(err)
		}
		return sum, captions
	}
	want, wantCaptions := trained(settings)
	settings.Encoder = experiments.Encoder{Name: captioner.Precomputed, Path: path}
	if err := engine.Features(t.Context(), settings, d, nil); err != nil {
		t.Fatal(err)
	}
	sum, captions := trained(settings)
	if sum != want {
		t.Errorf("weights %s, of the features themselves %s", sum, want)
	}
	for i := range captions {
		if !slices.Equal(captions[i].Words, wantCaptions[i].Words) || captions[i].LogProb != wantCaptions[i].LogProb {
			t.Errorf("caption %d is %q, of the features themselves %q", i, captions[i].Words, wantCaptions[i].Words)
		}
	}

	settings.Encoder.Content = experiments.FeatureContent{SHA256: "0123456789abcdef", Least: 4, Most: 4, Dim: 512}
	if _, err := engine.Captioner(settings, d); !errors.Is(err, data.ErrPrecomputedChanged) {
		t.Errorf("features of another content: %v", err)
	}
	settings.Encoder.Path = ""
	if _, err := engine.Captioner(settings, d); err == nil || !strings.Contains(err.Error(), "set it with --features") {
		t.Errorf("no file: %v", err)
	}
	if err := engine.ExportFeatures(t.Context(), smallSettings("none"), d, path); err == nil || !strings.Contains(err.Error(), "no features in the cache") {
		t.Errorf("features of an encoder that is trained: %v", err)
	}
}
