package models

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"glimpse/internal/torch"
	"glimpse/models/pth"
)

// activation is what follows a convolution.
type activation int

const (
	linearOutput activation = iota
	relu
	relu6
)

// layer describes a convolution of a frozen encoder with the batch norm behind it.
type layer struct {
	in, out    int64
	kernel     [2]int64 // height, width
	stride     int64    // 0 means 1
	pad        [2]int64 // zeros above and below, left and right
	before     int64    // zeros above and left alone, where an original pads unevenly
	after      int64    // zeros below and right alone
	groups     int64    // 0 means 1
	activation activation
	residual   bool // ends a residual branch: something is added to it
}

// square is the layer of a kernel size×size with as much padding as keeps an odd kernel centred.
func square(in, out, size, stride int64, a activation) layer {
	return layer{in: in, out: out, kernel: [2]int64{size, size}, stride: stride, pad: [2]int64{size / 2, size / 2}, activation: a}
}

// side returns the height or width behind the layer of a square input; kernels that are not
// square keep it.
func (l layer) side(n int64) int64 {
	return (n+2*l.pad[0]+l.before+l.after-l.kernel[0])/max(l.stride, 1) + 1
}

// conv is a layer on a device, its batch norm folded into weight and bias.
type conv struct {
	layer
	w, b *torch.Tensor // O×(I/groups)×h×w with channels last, O
	// factor is what the batch norm multiplies the weight by, O×1×1×1 in float64, where w is trained and therefore
	// not folded; else nil.
	factor *torch.Tensor
}

// weight is the folded one.
func (c *conv) weight(s *torch.Scope) *torch.Tensor {
	if c.factor == nil {
		return c.w
	}
	return s.ChannelsLast(s.Cast(s.Mul(s.Cast(c.w, torch.Double), c.factor), torch.Float)) // rounded as builder.conv does
}

// of applies the layer: B×I×H×W → B×O×H'×W'.
func (c *conv) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	if c.before+c.after > 0 {
		x = s.Pad2d(x, c.before, c.after, c.before, c.after)
	}
	x = s.Conv2d(x, c.weight(s), c.b, torch.Conv{Stride: [2]int64{c.stride, c.stride}, Padding: c.pad, Groups: c.groups})
	switch c.activation {
	case relu:
		return s.ReluInPlace(x)
	case relu6:
		return s.Relu6InPlace(x)
	}
	return x
}

// step is a part of a frozen encoder with one input and one output, B×I×H×W → B×O×H'×W'. It may overwrite what it
// makes, but not its input.
type step interface {
	of(s *torch.Scope, x *torch.Tensor) *torch.Tensor
}

// body is a frozen encoder as steps one behind the other: pixels B×3×S×S → B×D×G×G.
type body []step

// libtorch has a convolution computed by another library, which rounds otherwise, where it may use several threads, where
// there is one picture, and where there are 16 or more (at::native::ConvParams::use_mkldnn). Between these numbers a
// picture's features do not depend on the others.
const leastBatch, mostBatch = 2, 8

// inParts returns B×G×G×D of x B×I×H×W as regions B×R×D. It computes on the calling thread where
// that is a CPU's, and what it gives of a picture is the same, bit for bit, whatever pictures
// come with it.
func (b body) inParts(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	defer torch.OneThread()()
	var parts []*torch.Tensor
	for i, n := int64(0), x.Size(0); i < n; i += mostBatch {
		parts = append(parts, s.Tidy(func(s *torch.Scope) *torch.Tensor {
			return b.part(s, s.Narrow(x, 0, i, min(mostBatch, n-i)))
		}))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return s.Cat(0, parts...)
}

// part is inParts of 1 to mostBatch pictures.
func (b body) part(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	n := x.Size(0)
	if n < leastBatch {
		rows := s.Permute(x, 0, 2, 3, 1) // as they lie in memory
		x = s.Permute(s.Cat(0, rows, rows), 0, 3, 1, 2)
	}
	return s.Narrow(b.regions(s, x), 0, 0, n)
}

// regions is the body with the grid's rows put behind each other, B×R×D.
func (b body) regions(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	grid := s.Permute(b.of(s, x), 0, 2, 3, 1) // B×G×G×D
	return s.View(grid, grid.Size(0), -1, grid.Size(3))
}

// of frees everything that a step makes but its output, and that once the next step is done, so that memory holds
// one step's tensors at a time.
func (b body) of(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor {
	x := pixels
	for i, step := range b {
		before := x
		x = s.Tidy(func(s *torch.Scope) *torch.Tensor { return step.of(s, before) })
		if i > 0 {
			s.Keep(before).Free()
		}
	}
	return x
}

// chain is convolutions one behind the other within a step.
type chain []*conv

func (c chain) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	for _, layer := range c {
		x = layer.of(s, x)
	}
	return x
}

// pool is a pooling behind convolutions.
type pool struct {
	chain chain
	size  int64
	torch.Conv
}

func (p pool) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	return s.MaxPool2d(p.chain.of(s, x), p.size, p.Conv)
}

// builder makes the layers of a frozen encoder from named parameters. The first error stays with it.
type builder struct {
	scope  *torch.Scope
	device torch.Device
	lookup lookup
	gain   float64         // scales the ends of residual branches
	owned  []*torch.Tensor // live until the encoder is freed
	last   *lastBlocks     // takes the layers whose weights are trained; nil if none are
	err    error
}

// lookup gives the values of a parameter, row-major.
type lookup func(name string, shape []int) ([]float32, error)

func (b *builder) values(name string, shape ...int) []float32 {
	if b.err != nil {
		return nil
	}
	var v []float32
	v, b.err = b.lookup(name, shape)
	return v
}

// conv makes the layer whose weight and batch norm have these names. With a batch norm of running mean μ and
// variance σ², weight γ and bias β, γ(W·x − μ)/√(σ²+ε) + β = (γ/√(σ²+ε))·W·x + (β − γμ/√(σ²+ε)).
func (b *builder) conv(weight, norm string, epsilon float64, l layer) *conv {
	groups := max(l.groups, 1)
	w := b.values(weight+".weight", int(l.out), int(l.in/groups), int(l.kernel[0]), int(l.kernel[1]))
	gamma := b.values(norm+".weight", int(l.out))
	beta := b.values(norm+".bias", int(l.out))
	mean := b.values(norm+".running_mean", int(l.out))
	variance := b.values(norm+".running_var", int(l.out))
	if b.err != nil {
		return nil
	}
	factors, bias := make([]float64, l.out), make([]float32, l.out)
	for o := range bias {
		factors[o] = float64(gamma[o]) / math.Sqrt(float64(variance[o])+epsilon)
		if l.residual {
			factors[o] *= b.gain
		}
		bias[o] = float32(float64(beta[o]) - float64(mean[o])*factors[o])
	}
	if b.last.trains(weight) {
		return b.last.conv(b, weight, l, w, factors, bias)
	}
	folded := make([]float32, len(w))
	each := len(w) / int(l.out)
	for i, x := range w {
		folded[i] = float32(float64(x) * factors[i/each])
	}
	t := b.scope.FromFloats(b.device, folded, l.out, l.in/groups, l.kernel[0], l.kernel[1])
	return &conv{layer: l, w: b.keep(b.scope.ChannelsLast(t)), b: b.keep(b.scope.FromFloats(b.device, bias, l.out))}
}

func (b *builder) keep(t *torch.Tensor) *torch.Tensor {
	b.owned = append(b.owned, b.scope.Keep(t))
	return t
}

// fromTensors looks parameters up in the tensors of a file, checks their shapes, and notes which were used.
func fromTensors(tensors map[string]pth.Tensor, used map[string]bool) lookup {
	return func(name string, shape []int) ([]float32, error) {
		t, ok := tensors[name]
		if !ok {
			return nil, fmt.Errorf("no tensor %q", name)
		}
		if !slices.Equal(t.Shape, shape) {
			return nil, fmt.Errorf("tensor %q has shape %v, want %v", name, t.Shape, shape)
		}
		used[name] = true
		return t.Data, nil
	}
}

// unused tells of tensors of the file that the encoder has no place for: it is then another network's file. The
// classifier's tensors, which begin with one of heads, and the batch norms' counters are not needed.
func unused(tensors map[string]pth.Tensor, used map[string]bool, heads []string) error {
	var left []string
	for name := range tensors {
		isHead := slices.ContainsFunc(heads, func(head string) bool { return strings.HasPrefix(name, head) })
		if !used[name] && !isHead && !strings.HasSuffix(name, ".num_batches_tracked") {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.Sort(left)
	return fmt.Errorf("holds %d tensors that the encoder has no place for, such as %q", len(left), left[0])
}

// randomGain keeps the sum of a ResNet's 33 random residual branches within float16's range.
const randomGain = 0.3

// fromSeed draws parameters: weights of convolutions normal with variance 2/(inputs of an output), as He et al. 2015
// (arXiv 1502.01852), and batch norms that do nothing. Each name has a stream of its own.
func fromSeed(seed int64) lookup {
	return func(name string, shape []int) ([]float32, error) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		v := make([]float32, n)
		switch {
		case len(shape) == 4:
			h := fnv.New64a()
			h.Write([]byte(name))
			r := rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
			deviation := math.Sqrt(2 / float64(shape[1]*shape[2]*shape[3]))
			for i := range v {
				v[i] = float32(r.NormFloat64() * deviation)
			}
		case strings.HasSuffix(name, ".weight"), strings.HasSuffix(name, ".running_var"):
			for i := range v {
				v[i] = 1
			}
		}
		return v, nil
	}
}
