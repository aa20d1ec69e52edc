package captioner

import (
	"fmt"
	"math"
)

// A Block is one of the residual blocks that an EfficientNet-Lite or a ResNet consists of. The
// last of them can be trained with the captioner.
type Block struct {
	Name   string // what its tensors begin with in published weights: _blocks.3, layer4.1
	In     int64  // channels that come in
	Wide   int64  // channels between its convolutions; of an EfficientNet-Lite's first block, In
	Out    int64  // channels that go out
	Kernel int64  // side of the kernel that sees more than one place
	Stride int64  // 2 halves the grid
}

// LiteHead are the channels that the head convolution of an EfficientNet-Lite makes, which no
// variant scales.
const LiteHead = 1280

// LiteStem are likewise those of its stem.
const LiteStem = 32

// liteStages are runs of blocks of the base network: Tan and Le 2019, arXiv 1905.11946, table 1.
var liteStages = []struct{ repeats, kernel, stride, expand, in, out int64 }{
	{1, 3, 1, 1, 32, 16},
	{2, 3, 2, 6, 16, 24},
	{2, 5, 2, 6, 24, 40},
	{3, 3, 2, 6, 40, 80},
	{3, 5, 1, 6, 80, 112},
	{4, 5, 2, 6, 112, 192},
	{1, 3, 1, 6, 192, 320},
}

// liteBlocks are those of the variant that scales the base network's width and depth so. The first
// stage and the last are not repeated more often, and the first takes the stem's unscaled channels.
func liteBlocks(width, depth float64) []Block {
	var blocks []Block
	for i, st := range liteStages {
		in, out, repeats := scaledChannels(st.in, width), scaledChannels(st.out, width), st.repeats
		if i == 0 {
			in = LiteStem
		}
		if i > 0 && i < len(liteStages)-1 {
			repeats = int64(math.Ceil(depth * float64(repeats)))
		}
		for k := range repeats {
			stride := st.stride
			if k > 0 {
				in, stride = out, 1
			}
			blocks = append(blocks, Block{fmt.Sprintf("_blocks.%d", len(blocks)), in, in * st.expand, out, st.kernel, stride})
		}
	}
	return blocks
}

// scaledChannels scales a width to the nearest multiple of 8 that loses no more than a tenth.
func scaledChannels(n int64, width float64) int64 {
	scaled := float64(n) * width
	rounded := max(8, int64(scaled+4)/8*8)
	if float64(rounded) < 0.9*scaled {
		rounded += 8
	}
	return rounded
}

// liteWeights are the convolutions of a block of an EfficientNet-Lite.
func liteWeights(b Block) []Shape {
	var shapes []Shape
	if b.Wide != b.In {
		shapes = append(shapes, convolution(b.Name+"._expand_conv", b.Wide, b.In, 1))
	}
	return append(shapes,
		convolution(b.Name+"._depthwise_conv", b.Wide, 1, b.Kernel),
		convolution(b.Name+"._project_conv", b.Out, b.Wide, 1))
}

// resNetBlocks are those of the ResNet with so many blocks in its four stages: He et al. 2016,
// arXiv 1512.03385, table 1. A bottleneck's output has four times its inner channels.
func resNetBlocks(stages [4]int, bottleneck bool) []Block {
	var blocks []Block
	in := int64(64)
	for stage, repeats := range stages {
		for i := range repeats {
			b := Block{fmt.Sprintf("layer%d.%d", stage+1, i), in, 64 << stage, 64 << stage, 3, 1}
			if stage > 0 && i == 0 {
				b.Stride = 2
			}
			if bottleneck {
				b.Out = 4 * b.Wide
			}
			blocks = append(blocks, b)
			in = b.Out
		}
	}
	return blocks
}

// Bottleneck tells whether a ResNet's block narrows its channels between its convolutions.
func (b Block) Bottleneck() bool { return b.Out != b.Wide }

// Shortcut tells whether a ResNet's block has a convolution beside the others, since what comes in
// cannot be added to what goes out.
func (b Block) Shortcut() bool { return b.Stride != 1 || b.In != b.Out }

// resNetWeights are the convolutions of a block of a ResNet.
func resNetWeights(b Block) []Shape {
	shapes := []Shape{
		convolution(b.Name+".conv1", b.Wide, b.In, b.Kernel),
		convolution(b.Name+".conv2", b.Wide, b.Wide, b.Kernel),
	}
	if b.Bottleneck() {
		shapes[0] = convolution(b.Name+".conv1", b.Wide, b.In, 1)
		shapes = append(shapes, convolution(b.Name+".conv3", b.Out, b.Wide, 1))
	}
	if b.Shortcut() {
		shapes = append(shapes, convolution(b.Name+".downsample.0", b.Out, b.In, 1))
	}
	return shapes
}

// convolution is the weight of the layer with this name in published weights, out×in×size×size.
func convolution(name string, out, in, size int64) Shape {
	return Shape{Name: TrainedName(name), Sizes: []int64{out, in, size, size}}
}

// TrainedName is the name, in checkpoints, of the weight of a trained layer that has this name in
// published weights.
func TrainedName(layer string) string { return "encoder." + layer + ".weight" }

// TrainedParameters lists the weights of the last so many blocks and of what follows them. They
// start from those of the encoder, and not from a distribution. Batch norms are not among them.
func (e Encoder) TrainedParameters(blocks int) ([]Shape, error) {
	if err := e.checkBlocks(blocks); err != nil || blocks == 0 {
		return nil, err
	}
	var shapes []Shape
	for _, b := range e.Blocks[len(e.Blocks)-blocks:] {
		shapes = append(shapes, e.weights(b)...)
	}
	return append(shapes, e.head...), nil
}

// Cut are the features of pictures of size×size pixels that the last so many blocks are given: the
// cells of a square grid. Without a block they are the encoder's own.
func (e Encoder) Cut(size, blocks int) (Features, error) {
	f, err := e.Features(size, 0)
	if err != nil || blocks == 0 {
		return f, err
	}
	if err := e.checkBlocks(blocks); err != nil {
		return Features{}, err
	}
	first := len(e.Blocks) - blocks
	halvings := e.stem
	for _, b := range e.Blocks[:first] {
		halvings += int(b.Stride - 1)
	}
	side := e.halved(size, halvings)
	return Features{Regions: side * side, Dim: int(e.Blocks[first].In)}, nil
}

// checkBlocks refuses to train more blocks than there are.
func (e Encoder) checkBlocks(blocks int) error {
	if blocks > len(e.Blocks) {
		return fmt.Errorf("encoder.train.blocks %d: %s has %d that can be trained", blocks, e.Name, len(e.Blocks))
	}
	return nil
}
