package models

import (
	"fmt"

	"glimpse/captioner"
	"glimpse/internal/torch"
)

// ResNet: He et al. 2016 (arXiv 1512.03385), as in torchvision, which strides in the 3×3 convolution of a
// bottleneck. Features are what layer4 gives.

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

// resNetBlock makes a block; the first of a stage strides and widens.
func resNetBlock(b *builder, of captioner.Block) resBlock {
	const epsilon = 1e-5
	conv := func(i int, l layer) *conv {
		return b.conv(fmt.Sprintf("%s.conv%d", of.Name, i), fmt.Sprintf("%s.bn%d", of.Name, i), epsilon, l)
	}
	var block resBlock
	if of.Bottleneck() {
		block.convs = chain{
			conv(1, square(of.In, of.Wide, 1, 1, relu)),
			conv(2, square(of.Wide, of.Wide, of.Kernel, of.Stride, relu)),
			conv(3, ending(square(of.Wide, of.Out, 1, 1, linearOutput))),
		}
	} else {
		block.convs = chain{
			conv(1, square(of.In, of.Wide, of.Kernel, of.Stride, relu)),
			conv(2, ending(square(of.Wide, of.Out, of.Kernel, 1, linearOutput))),
		}
	}
	if of.Shortcut() {
		block.shortcut = b.conv(of.Name+".downsample.0", of.Name+".downsample.1", epsilon, square(of.In, of.Out, 1, of.Stride, linearOutput))
	}
	return block
}

// ending marks the last layer of a residual branch.
func ending(l layer) layer {
	l.residual = true
	return l
}

// resNet makes the layers up to layer4.
func resNet(p published) architecture {
	return architecture{
		published: p, heads: []string{"fc."},
		build: func(b *builder, blocks []captioner.Block) body {
			stem := b.conv("conv1", "bn1", 1e-5, square(3, 64, 7, 2, relu))                                  // B×64×S/2×S/2
			steps := body{pool{chain{stem}, 3, torch.Conv{Stride: [2]int64{2, 2}, Padding: [2]int64{1, 1}}}} // B×64×S/4×S/4
			for _, block := range blocks {
				steps = append(steps, resNetBlock(b, block)) // B×O×H×W, sides down to S/32
			}
			return steps
		},
	}
}
