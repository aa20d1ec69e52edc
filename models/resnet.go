package models

import (
	"fmt"

	"glimpse/internal/torch"
)

// ResNet: He et al. 2016 (arXiv 1512.03385), as in torchvision, which strides in the 3×3 convolution of a
// bottleneck. Features are what layer4 gives.

// resNetVariant is the number of blocks of the four stages, and their kind.
type resNetVariant struct {
	blocks     [4]int
	bottleneck bool
	published  published
}

var (
	resNet18  = resNetVariant{[4]int{2, 2, 2, 2}, false, torchvisionWeights("resnet18-f37072fd.pth")}
	resNet50  = resNetVariant{[4]int{3, 4, 6, 3}, true, torchvisionWeights("resnet50-0676ba61.pth")}
	resNet101 = resNetVariant{[4]int{3, 4, 23, 3}, true, torchvisionWeights("resnet101-63fe2227.pth")}
)

// resBlock is a residual block: two or three convolutions, and one for the shortcut where sizes change.
type resBlock struct {
	convs    chain
	shortcut *conv
}

func (b resBlock) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	y := b.convs.of(s, x)
	if b.shortcut != nil {
		x = b.shortcut.of(s, x)
	}
	return s.ReluInPlace(s.AddInPlace(y, x)) // B×O×H'×W'
}

// block makes block name with planes channels inside; the first of a stage strides and widens.
func (v resNetVariant) block(b *builder, name string, in, planes, stride int64) (resBlock, int64) {
	const epsilon = 1e-5
	conv := func(i int, l layer) *conv {
		return b.conv(fmt.Sprintf("%s.conv%d", name, i), fmt.Sprintf("%s.bn%d", name, i), epsilon, l)
	}
	out := planes
	var block resBlock
	if v.bottleneck {
		out = 4 * planes
		block.convs = chain{
			conv(1, square(in, planes, 1, 1, relu)),
			conv(2, square(planes, planes, 3, stride, relu)),
			conv(3, ending(square(planes, out, 1, 1, linearOutput))),
		}
	} else {
		block.convs = chain{
			conv(1, square(in, planes, 3, stride, relu)),
			conv(2, ending(square(planes, planes, 3, 1, linearOutput))),
		}
	}
	if stride != 1 || in != out {
		block.shortcut = b.conv(name+".downsample.0", name+".downsample.1", epsilon, square(in, out, 1, stride, linearOutput))
	}
	return block, out
}

// ending marks the last layer of a residual branch.
func ending(l layer) layer {
	l.residual = true
	return l
}

// build makes the layers up to layer4.
func (v resNetVariant) build(b *builder) body {
	stem := b.conv("conv1", "bn1", 1e-5, square(3, 64, 7, 2, relu))                                  // B×64×S/2×S/2
	steps := body{pool{chain{stem}, 3, torch.Conv{Stride: [2]int64{2, 2}, Padding: [2]int64{1, 1}}}} // B×64×S/4×S/4
	in := int64(64)
	for stage, repeats := range v.blocks {
		for i := range repeats {
			stride := int64(1)
			if stage > 0 && i == 0 {
				stride = 2
			}
			var block resBlock
			block, in = v.block(b, fmt.Sprintf("layer%d.%d", stage+1, i), in, 64<<stage, stride)
			steps = append(steps, block) // B×O×H×W, sides down to S/32
		}
	}
	return steps
}

func resNet(v resNetVariant) architecture {
	return architecture{
		published: v.published, heads: []string{"fc."},
		build: v.build,
	}
}
