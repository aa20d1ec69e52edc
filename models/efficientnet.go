package models

import (
	"glimpse/captioner"
	"glimpse/internal/torch"
)

// EfficientNet-Lite: Tan and Le 2019 (arXiv 1905.11946) without squeeze-and-excitation and with ReLU6, as in the
// Python package efficientnet_lite_pytorch 0.1.0, whose extract_features this equals.

// liteVariant has the facts about a variant that package captioner, which lists its blocks, does
// not need.
type liteVariant struct {
	native    int // the picture size that the padding is laid out for
	published published
}

var (
	lite0 = liteVariant{224, liteWeights("lite0", "efficientnet-lite0-57934424.pth",
		"579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 17)}
	lite1 = liteVariant{240, liteWeights("lite1", "efficientnet-lite1-77cc7160.pth",
		"77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", 20)}
	lite2 = liteVariant{260, liteWeights("lite2", "efficientnet-lite2-9656183e.pth",
		"9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 23)}
)

// samePadding sets the padding of TensorFlow's SAME for a picture side, with the odd zero below
// and right, and returns the side after the layer. Like the original it computes the padding
// once, for the variant's native size, also for pictures of other sizes. That matters if the
// native side is odd at some layer and the picture's is even.
func samePadding(l layer, side int64) (layer, int64) {
	out := (side + l.stride - 1) / l.stride
	total := max(0, (out-1)*l.stride+l.kernel[0]-side)
	if total%2 == 0 {
		l.pad = [2]int64{total / 2, total / 2}
	} else {
		l.pad = [2]int64{}
		l.before, l.after = total/2, total-total/2
	}
	return l, out
}

// mbBlock is an inverted residual block.
type mbBlock struct {
	expand    *conv // nil if the first stage does not expand
	depthwise *conv
	project   *conv
	residual  bool
}

func (b mbBlock) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	y := x
	if b.expand != nil {
		y = b.expand.of(s, y) // B×6I×H×W
	}
	y = b.depthwise.of(s, y) // B×6I×H'×W'
	y = b.project.of(s, y)   // B×O×H'×W'
	if b.residual {
		y = s.AddInPlace(y, x) // B×O×H×W
	}
	return y
}

// steps makes the layers up to the head's activation. It calls f for each convolution in order, with the names of
// its tensors and the padding of the native size.
func (v liteVariant) steps(blocks []captioner.Block, f func(weight, norm string, l layer) *conv) body {
	stem, side := samePadding(square(3, captioner.LiteStem, 3, 2, relu6), int64(v.native))
	steps := body{f("_conv_stem", "_bn0", stem)} // B×32×S/2×S/2
	for _, b := range blocks {
		name := b.Name + "."
		block := mbBlock{residual: b.Stride == 1 && b.In == b.Out}
		if b.Wide != b.In {
			block.expand = f(name+"_expand_conv", name+"_bn0", square(b.In, b.Wide, 1, 1, relu6))
		}
		depthwise := square(b.Wide, b.Wide, b.Kernel, b.Stride, relu6)
		depthwise.groups = b.Wide
		depthwise, side = samePadding(depthwise, side)
		block.depthwise = f(name+"_depthwise_conv", name+"_bn1", depthwise)
		project := square(b.Wide, b.Out, 1, 1, linearOutput)
		if block.residual {
			project = ending(project)
		}
		block.project = f(name+"_project_conv", name+"_bn2", project)
		steps = append(steps, block) // B×O×H×W, sides down to S/32
	}
	last := blocks[len(blocks)-1].Out
	return append(steps, f("_conv_head", "_bn1", square(last, captioner.LiteHead, 1, 1, relu6))) // B×1280×G×G
}

func efficientNetLite(v liteVariant) architecture {
	const epsilon = 1e-3
	return architecture{
		published: v.published, heads: []string{"_fc."},
		build: func(b *builder, blocks []captioner.Block) body {
			return v.steps(blocks, func(weight, norm string, l layer) *conv { return b.conv(weight, norm, epsilon, l) })
		},
	}
}
