package models

import (
	"math"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// plainConv is a 3×3 convolution with ReLU over x (in×n×n), zeros around it, written out.
func plainConv(x, w, b []float32, in, out, n, stride int) []float32 {
	side := (n + stride - 1) / stride
	y := make([]float32, out*side*side)
	for o := range out {
		for r := range side {
			for c := range side {
				sum := float64(b[o])
				for i := range in {
					for dr := range 3 {
						for dc := range 3 {
							row, column := r*stride+dr-1, c*stride+dc-1
							if row >= 0 && row < n && column >= 0 && column < n {
								sum += float64(w[((o*in+i)*3+dr)*3+dc]) * float64(x[(i*n+row)*n+column])
							}
						}
					}
				}
				y[(o*side+r)*side+c] = float32(max(sum, 0))
			}
		}
	}
	return y
}

func joint(size, channels int) experiments.Encoder {
	return experiments.Encoder{Name: captioner.Joint, ImageSize: size, Channels: channels}
}

func TestCNNForward(t *testing.T) {
	const size, channels = 24, 3
	d := scenes(t, 20)
	source, err := newCNNSource(d, torch.CPU, experiments.Settings{Encoder: joint(size, channels)})
	if err != nil {
		t.Fatal(err)
	}
	err = torch.Run(func(s *torch.Scope) error {
		torch.Seed(1)
		p, err := newParameters(s, torch.CPU, source.shapes(), nil)
		if err != nil {
			return err
		}
		defer p.free()
		source.use(p)
		given, err := source.features(s, []int{4, 9}, pass{training: true})
		if err != nil {
			return err
		}
		y := given.features
		if shape := y.Shape(); !slices.Equal(shape, []int64{2, 9, 6}) || source.Regions() != 9 || source.dim() != 6 {
			t.Fatalf("shape %v, %d regions of %d", shape, source.Regions(), source.dim())
		}
		got, err := s.Floats(y)
		if err != nil {
			return err
		}
		want, err := plainCNN(s, source, p, 9, size, channels)
		if err != nil {
			return err
		}
		for i, w := range want { // w is D×R, got is R×D
			if g := got[9*6+(i%9)*6+i/9]; math.Abs(float64(g-w)) > 1e-5 {
				t.Fatalf("feature %d: %v, want %v", i, g, w)
			}
		}
		s.Backward(s.Sum(s.Mul(y, y)))
		for i, tensor := range p.tensors {
			g := s.Grad(tensor)
			if g == nil {
				t.Errorf("no gradient reaches %s", p.shapes[i].Name)
				continue
			}
			if norm, err := s.Item(s.Sum(s.Mul(g, g))); err != nil || !(norm > 0) {
				t.Errorf("gradient of %s: squared norm %v, %v", p.shapes[i].Name, norm, err)
			}
		}
		return s.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// plainCNN is the encoder written out for one picture: D×R.
func plainCNN(s *torch.Scope, c *cnnSource, p *parameters, image, size, channels int) ([]float32, error) {
	rgb, err := c.pictures.dataset.Pixels(image, size)
	if err != nil {
		return nil, err
	}
	x := make([]float32, 5*size*size)
	for i := range size * size {
		for k := range 3 {
			x[k*size*size+i] = (float32(rgb[3*i+k])/255 - 0.5) / 0.5
		}
		x[3*size*size+i] = 2*float32(i%size)/float32(size-1) - 1
		x[4*size*size+i] = 2*float32(i/size)/float32(size-1) - 1
	}
	in, n := 5, size
	for layer, stride := range []int{2, 2, 2, 1} {
		out := 2 * channels
		if layer == 0 {
			out = channels
		}
		w, err := s.Floats(p.byName[captioner.JointName(layer, "weight")])
		if err != nil {
			return nil, err
		}
		b, err := s.Floats(p.byName[captioner.JointName(layer, "bias")])
		if err != nil {
			return nil, err
		}
		x = plainConv(x, w, b, in, out, n, stride)
		in, n = out, n/stride
	}
	return x, nil
}

func TestCNNRefuses(t *testing.T) {
	for _, c := range []struct {
		size, channels int
		want           string
	}{{15, 8, "at least 16"}, {64, 0, "at least 1"}} {
		if _, err := newCNNSource(nil, torch.CPU, experiments.Settings{Encoder: joint(c.size, c.channels)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d pixels, %d channels: %v", c.size, c.channels, err)
		}
	}
}

func BenchmarkCNNStep(b *testing.B) {
	encoder, err := newCNN(joint(64, 32), torch.CPU)
	if err != nil {
		b.Fatal(err)
	}
	source := &cnnSource{cnn: encoder}
	err = torch.Run(func(s *torch.Scope) error {
		p, err := newParameters(s, torch.CPU, source.shapes(), nil)
		if err != nil {
			return err
		}
		defer p.free()
		source.use(p)
		pixels := make([]float32, 16*3*64*64)
		b.ResetTimer()
		for range b.N {
			err := s.Do(func(s *torch.Scope) error {
				y := source.Forward(s, s.Permute(s.FromFloats(torch.CPU, pixels, 16, 64, 64, 3), 0, 3, 1, 2))
				s.Backward(s.Sum(s.Mul(y, y)))
				s.ZeroGrad(p.tensors)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
