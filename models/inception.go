package models

import (
	"glimpse/captioner"
	"glimpse/internal/torch"
)

// Inception v3: Szegedy et al. 2016 (arXiv 1512.00567), as in torchvision. Features are what Mixed_7c gives, 8×8×2048
// at 299.

// inceptionV3 is the architecture.
var inceptionV3 = architecture{
	published: torchvisionWeights("inception_v3_google-0cc3c7bd.pth"),
	heads:     []string{"fc.", "AuxLogits."},
	build:     buildInception,
}

// mixed is an inception block: branches that all see the block's input, side by side in the output's channels.
type mixed struct {
	branches []branch
	pool     func(s *torch.Scope, x *torch.Tensor) *torch.Tensor
	pooled   chain // behind the pool, whose channels come last; may be empty
}

// branch is a chain, and the parallel convolutions that it may fork into at its end.
type branch struct {
	trunk chain
	fork  chain // each sees the trunk's output
}

func (m mixed) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	var parts []*torch.Tensor
	for _, b := range m.branches {
		y := b.trunk.of(s, x)
		if len(b.fork) == 0 {
			parts = append(parts, y)
		}
		for _, c := range b.fork {
			parts = append(parts, c.of(s, y))
		}
	}
	parts = append(parts, m.pooled.of(s, m.pool(s, x)))
	return s.Cat(1, parts...) // B×(sum of the parts' channels)×H'×W'
}

// average3 keeps the side; its mean counts the padding, as torchvision's does.
func average3(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	return s.AvgPool2d(x, 3, torch.Conv{Padding: [2]int64{1, 1}})
}

// max3 halves the side.
func max3(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	return s.MaxPool2d(x, 3, torch.Conv{Stride: [2]int64{2, 2}})
}

// inceptionBuilder names the convolutions of one block.
type inceptionBuilder struct {
	*builder
	block string
	in    int64
}

// conv makes convolution name, from in to out channels, kernel h×w, centred padding or none.
func (b inceptionBuilder) conv(name string, in, out, h, w, stride int64, padded bool) *conv {
	l := layer{in: in, out: out, kernel: [2]int64{h, w}, stride: stride, activation: relu}
	if padded {
		l.pad = [2]int64{h / 2, w / 2}
	}
	return b.builder.conv(b.block+name+".conv", b.block+name+".bn", 1e-3, l)
}

// kernel is one convolution of a branch: its name and shape.
type kernel struct {
	name      string
	out, h, w int64
}

// chain makes padded convolutions of stride 1 from the block's input.
func (b inceptionBuilder) chain(kernels ...kernel) chain {
	var c chain
	in := b.in
	for _, k := range kernels {
		c = append(c, b.conv(k.name, in, k.out, k.h, k.w, 1, true))
		in = k.out
	}
	return c
}

// shrink appends to the chain the 3×3 convolution without padding that halves the side.
func (b inceptionBuilder) shrink(c chain, name string, out int64) chain {
	in := b.in
	if len(c) > 0 && b.err == nil {
		in = c[len(c)-1].out
	}
	return append(c, b.conv(name, in, out, 3, 3, 2, false))
}

func buildInception(b *builder, _ []captioner.Block) body {
	at := func(block string, in int64) inceptionBuilder {
		if block != "" {
			block += "."
		}
		return inceptionBuilder{b, block, in}
	}
	stem := at("", 3)
	halve := torch.Conv{Stride: [2]int64{2, 2}}
	return body{
		pool{chain{
			stem.conv("Conv2d_1a_3x3", 3, 32, 3, 3, 2, false),  // B×32×149×149
			stem.conv("Conv2d_2a_3x3", 32, 32, 3, 3, 1, false), // B×32×147×147
			stem.conv("Conv2d_2b_3x3", 32, 64, 3, 3, 1, true),  // B×64×147×147
		}, 3, halve}, // B×64×73×73
		pool{chain{
			stem.conv("Conv2d_3b_1x1", 64, 80, 1, 1, 1, false),  // B×80×73×73
			stem.conv("Conv2d_4a_3x3", 80, 192, 3, 3, 1, false), // B×192×71×71
		}, 3, halve}, // B×192×35×35
		inceptionA(at("Mixed_5b", 192), 32),  // B×256×35×35
		inceptionA(at("Mixed_5c", 256), 64),  // B×288×35×35
		inceptionA(at("Mixed_5d", 288), 64),  // B×288×35×35
		inceptionB(at("Mixed_6a", 288)),      // B×768×17×17
		inceptionC(at("Mixed_6b", 768), 128), // B×768×17×17
		inceptionC(at("Mixed_6c", 768), 160), // B×768×17×17
		inceptionC(at("Mixed_6d", 768), 160), // B×768×17×17
		inceptionC(at("Mixed_6e", 768), 192), // B×768×17×17
		inceptionD(at("Mixed_7a", 768)),      // B×1280×8×8
		inceptionE(at("Mixed_7b", 1280)),     // B×2048×8×8
		inceptionE(at("Mixed_7c", 2048)),     // B×2048×8×8
	}
}

func inceptionA(b inceptionBuilder, pooled int64) mixed {
	return mixed{
		branches: []branch{
			{trunk: b.chain(kernel{"branch1x1", 64, 1, 1})},
			{trunk: b.chain(kernel{"branch5x5_1", 48, 1, 1}, kernel{"branch5x5_2", 64, 5, 5})},
			{trunk: b.chain(kernel{"branch3x3dbl_1", 64, 1, 1}, kernel{"branch3x3dbl_2", 96, 3, 3}, kernel{"branch3x3dbl_3", 96, 3, 3})},
		},
		pool: average3, pooled: b.chain(kernel{"branch_pool", pooled, 1, 1}),
	}
}

func inceptionB(b inceptionBuilder) mixed {
	double := b.chain(kernel{"branch3x3dbl_1", 64, 1, 1}, kernel{"branch3x3dbl_2", 96, 3, 3})
	return mixed{
		branches: []branch{
			{trunk: b.shrink(nil, "branch3x3", 384)},
			{trunk: b.shrink(double, "branch3x3dbl_3", 96)},
		},
		pool: max3,
	}
}

func inceptionC(b inceptionBuilder, c int64) mixed {
	return mixed{
		branches: []branch{
			{trunk: b.chain(kernel{"branch1x1", 192, 1, 1})},
			{trunk: b.chain(kernel{"branch7x7_1", c, 1, 1}, kernel{"branch7x7_2", c, 1, 7}, kernel{"branch7x7_3", 192, 7, 1})},
			{trunk: b.chain(kernel{"branch7x7dbl_1", c, 1, 1}, kernel{"branch7x7dbl_2", c, 7, 1}, kernel{"branch7x7dbl_3", c, 1, 7},
				kernel{"branch7x7dbl_4", c, 7, 1}, kernel{"branch7x7dbl_5", 192, 1, 7})},
		},
		pool: average3, pooled: b.chain(kernel{"branch_pool", 192, 1, 1}),
	}
}

func inceptionD(b inceptionBuilder) mixed {
	seven := b.chain(kernel{"branch7x7x3_1", 192, 1, 1}, kernel{"branch7x7x3_2", 192, 1, 7}, kernel{"branch7x7x3_3", 192, 7, 1})
	return mixed{
		branches: []branch{
			{trunk: b.shrink(b.chain(kernel{"branch3x3_1", 192, 1, 1}), "branch3x3_2", 320)},
			{trunk: b.shrink(seven, "branch7x7x3_4", 192)},
		},
		pool: max3,
	}
}

func inceptionE(b inceptionBuilder) mixed {
	fork := func(name string) chain {
		return chain{b.conv(name+"a", 384, 384, 1, 3, 1, true), b.conv(name+"b", 384, 384, 3, 1, 1, true)}
	}
	return mixed{
		branches: []branch{
			{trunk: b.chain(kernel{"branch1x1", 320, 1, 1})},
			{trunk: b.chain(kernel{"branch3x3_1", 384, 1, 1}), fork: fork("branch3x3_2")},
			{trunk: b.chain(kernel{"branch3x3dbl_1", 448, 1, 1}, kernel{"branch3x3dbl_2", 384, 3, 3}), fork: fork("branch3x3dbl_3")},
		},
		pool: average3, pooled: b.chain(kernel{"branch_pool", 192, 1, 1}),
	}
}
