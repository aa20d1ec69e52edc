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
	// Regions returns R, the number of cells of the grid, row by row.
	Regions() int
	// Dim returns D, the features per region.
	Dim() int
	// Forward returns features B×R×D of normalised pixels B×3×S×S, float32.
	Forward(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor
}

// architecture is a frozen encoder that a study can name: its weights, and how to build it. Each
// has a file of its own. Package captioner knows how its pictures are prepared, and where its
// regions are.
type architecture struct {
	published published
	heads     []string // prefixes of tensors in a weights file that belong to the classifier
	// build makes the layers. A block, which captioner.Encoder lists, is a step; one step comes before them.
	build func(b *builder, blocks []captioner.Block) body
}

// architectures are the frozen ones of captioner.Encoders, by their names. The one that is trained with the
// captioner is in cnn.go.
var architectures = map[string]architecture{
	"efficientnet_lite0": efficientNetLite(lite0),
	"efficientnet_lite1": efficientNetLite(lite1),
	"efficientnet_lite2": efficientNetLite(lite2),
	"resnet18":           resNet(torchvisionWeights("resnet18-f37072fd.pth")),
	"resnet50":           resNet(torchvisionWeights("resnet50-0676ba61.pth")),
	"resnet101":          resNet(torchvisionWeights("resnet101-63fe2227.pth")),
	"inception_v3":       inceptionV3,
}

// architectureOf returns the architecture of a frozen encoder.
func architectureOf(name string) (architecture, error) {
	a, known := architectures[name]
	if !known {
		return a, fmt.Errorf("encoder.name %s has no architecture: add it to architectures in models/encoder.go", name)
	}
	return a, nil
}

// frozen is an architecture with its weights on a device, up to the blocks that the spec leaves out.
type frozen struct {
	spec    data.FeatureSpec
	device  torch.Device
	pixels  *pixelTable
	body    body
	tensors []*torch.Tensor
	last    *lastBlocks // those that are left out; nil if none are
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
		return nil, fmt.Errorf("encoder.weights: %s: these are not the weights of %s: %w", w.path, spec.Encoder, err)
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
	if spec.Cut > 0 {
		if f.last, err = newLastBlocks(known, spec); err != nil {
			return nil, err
		}
	}
	err = s.Do(func(s *torch.Scope) error {
		b := &builder{scope: s, device: device, lookup: lookup, gain: gain, last: f.last}
		f.body = a.build(b, known.Blocks)
		f.tensors = b.owned
		if f.last != nil {
			first := 1 + len(known.Blocks) - spec.Cut
			f.body, f.last.body = f.body[:first], f.body[first:]
		}
		if b.err != nil {
			return fmt.Errorf("these are not the weights of %s: %w", spec.Encoder, b.err)
		}
		if err := s.Err(); err != nil {
			return fmt.Errorf("put %s on %s: %w", spec.Encoder, device, err)
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

// Forward is the body, see [body.inParts]. It runs in inference only.
func (f *frozen) Forward(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor {
	return f.body.inParts(s, pixels)
}

// rows are the features of pictures, each S×S×3 normalised numbers: R×D float16 each, row-major.
func (f *frozen) rows(s *torch.Scope, pixels []float32) (rows []uint16, err error) {
	err = s.Inference(func(s *torch.Scope) error {
		rows, err = s.Halfs(f.Forward(s, f.batch(s, pixels)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("encode pictures with %s: %w", f.spec.Encoder, err)
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
	f.freeBelow()
	if f.last != nil {
		f.last.free()
	}
}

// freeBelow frees all but the last blocks.
func (f *frozen) freeBelow() {
	for _, t := range f.tensors {
		t.Free()
	}
	f.tensors = nil
}
