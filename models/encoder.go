package models

import (
	"fmt"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/internal/torch"
	"glimpse/models/pth"
)

// Encoder turns pictures into grid features: R regions of D numbers each.
type Encoder interface {
	// Regions is R, the cells of the grid, row by row.
	Regions() int
	// Dim is D, the features of a region.
	Dim() int
	// Forward gives features B×R×D of normalised pixels B×3×S×S, float32.
	Forward(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor
}

// architecture is a frozen encoder that a study can name: whose weights it takes, and how it is built. Each has a file
// of its own. Package captioner knows how its pictures are prepared, and where its regions lie.
type architecture struct {
	published published
	heads     []string            // prefixes of tensors in a weights file that belong to the classifier
	build     func(*builder) body // makes the layers
}

// architectures are the frozen ones of captioner.Encoders, by their names. The one that is trained with the
// captioner is in cnn.go.
var architectures = map[string]architecture{
	"efficientnet_lite0": efficientNetLite(lite0),
	"efficientnet_lite1": efficientNetLite(lite1),
	"efficientnet_lite2": efficientNetLite(lite2),
	"resnet18":           resNet(resNet18),
	"resnet50":           resNet(resNet50),
	"resnet101":          resNet(resNet101),
	"inception_v3":       inceptionV3,
}

// architectureOf returns the architecture of a frozen encoder.
func architectureOf(name string) (architecture, error) {
	a, known := architectures[name]
	if !known {
		return a, fmt.Errorf("encoder.name %s: how it is built is missing: add it to architectures in models/encoder.go", name)
	}
	return a, nil
}

// frozen is an architecture with its weights on a device.
type frozen struct {
	spec    data.FeatureSpec
	device  torch.Device
	pixels  *pixelTable
	body    body
	tensors []*torch.Tensor
}

var _ Encoder = (*frozen)(nil)

// newFrozen builds the encoder of the spec with the weights. The caller frees it.
func newFrozen(s *torch.Scope, device torch.Device, spec data.FeatureSpec, w weightsFile) (*frozen, error) {
	if w.path == "" {
		return buildFrozen(s, device, spec, fromSeed(w.seed), randomGain)
	}
	tensors, err := pth.Read(w.path)
	if err != nil {
		return nil, fmt.Errorf("encoder.weights: %w", err)
	}
	used := map[string]bool{}
	f, err := buildFrozen(s, device, spec, fromTensors(tensors, used), 1)
	if err != nil {
		return nil, fmt.Errorf("encoder.weights: %s: %w", w.path, err)
	}
	if err := unused(tensors, used, architectures[spec.Encoder].heads); err != nil {
		f.free()
		return nil, fmt.Errorf("encoder.weights: %s: not the weights of %s: %w", w.path, spec.Encoder, err)
	}
	return f, nil
}

// buildFrozen builds the encoder from parameters looked up by name and shape. See builder for gain.
func buildFrozen(s *torch.Scope, device torch.Device, spec data.FeatureSpec, lookup lookup, gain float64) (*frozen, error) {
	known, err := captioner.EncoderOf(spec.Encoder)
	if err != nil {
		return nil, err
	}
	a, err := architectureOf(spec.Encoder)
	if err != nil {
		return nil, err
	}
	f := &frozen{spec: spec, device: device, pixels: tableOf(known.Normalisation)}
	err = s.Do(func(s *torch.Scope) error {
		b := &builder{scope: s, device: device, lookup: lookup, gain: gain}
		f.body = a.build(b)
		f.tensors = b.owned
		if b.err != nil {
			return fmt.Errorf("not the weights of %s: %w", spec.Encoder, b.err)
		}
		if err := s.Err(); err != nil {
			return fmt.Errorf("putting %s on %s: %w", spec.Encoder, device, err)
		}
		return nil
	})
	if err != nil {
		f.free()
		return nil, err
	}
	return f, nil
}

func (f *frozen) Regions() int { return f.spec.Regions }

func (f *frozen) Dim() int { return f.spec.Dim }

// libtorch has a convolution computed by another library, which rounds otherwise, where it may use several threads, where
// there is one picture, and where there are 16 or more (at::native::ConvParams::use_mkldnn). Between these numbers a
// picture's features do not depend on the others.
const leastBatch, mostBatch = 2, 8

// Forward is the body with the grid's rows put behind each other. It runs in inference only. On the CPU it computes on
// the calling thread, and a picture's features are the same, bit for bit, whatever pictures come with it.
func (f *frozen) Forward(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor {
	defer torch.OneThread()()
	var parts []*torch.Tensor
	for i, n := int64(0), pixels.Size(0); i < n; i += mostBatch {
		parts = append(parts, s.Tidy(func(s *torch.Scope) *torch.Tensor {
			return f.forward(s, s.Narrow(pixels, 0, i, min(mostBatch, n-i)))
		}))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return s.Cat(0, parts...)
}

// forward is Forward of 1 to mostBatch pictures.
func (f *frozen) forward(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor {
	n := pixels.Size(0)
	if n < leastBatch {
		rows := s.Permute(pixels, 0, 2, 3, 1) // as they lie in memory
		pixels = s.Permute(s.Cat(0, rows, rows), 0, 3, 1, 2)
	}
	grid := s.Permute(f.body.of(s, pixels), 0, 2, 3, 1)                                  // B×G×G×D
	return s.Narrow(s.View(grid, -1, int64(f.spec.Regions), int64(f.spec.Dim)), 0, 0, n) // B×R×D
}

// rows are the features of pictures, each S×S×3 normalised numbers: R×D float16 each, row-major.
func (f *frozen) rows(s *torch.Scope, pixels []float32) (rows []uint16, err error) {
	err = s.Inference(func(s *torch.Scope) error {
		rows, err = s.Halfs(f.Forward(s, f.batch(s, pixels)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("encoding pictures with %s: %w", f.spec.Encoder, err)
	}
	return rows, nil
}

// batch makes the pixels of n pictures, normalised and row by row with channels innermost, a tensor n×3×S×S.
func (f *frozen) batch(s *torch.Scope, pixels []float32) *torch.Tensor {
	size := int64(f.spec.ImageSize)
	x := s.FromFloats(f.device, pixels, int64(len(pixels))/(3*size*size), size, size, 3)
	return s.Permute(x, 0, 3, 1, 2)
}

func (f *frozen) free() {
	for _, t := range f.tensors {
		t.Free()
	}
}
