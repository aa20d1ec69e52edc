package captioner

import (
	"fmt"
	"slices"
)

// Joint is the name of the encoder that is trained with the captioner, and
// Precomputed of the one that is none: another program has computed the features,
// which are read from its files. The others are frozen.
const (
	Joint       = "cnn"
	Precomputed = "precomputed"
)

// An Encoder turns a square picture into a grid of features. [Precomputed] sees
// no picture: all but its name is zero.
type Encoder struct {
	Name string
	// Smallest is the smallest side of a picture, in pixels, that leaves a grid
	// to attend to.
	Smallest int
	// Usual is the side that a study takes unless it says otherwise.
	Usual int
	// Published says that encoder.weights auto can fetch trained weights.
	Published bool

	// Normalisation is what a byte of a picture becomes.
	Normalisation Normalisation

	// Blocks are those that can be trained with the captioner, from the first to the last; nil
	// where none can.
	Blocks []Block

	side func(size int) int // G, by the picture's side
	dim  int                // D, 0 for twice the channels

	stem    int                          // halvings of the side before the first block
	halved  func(size, halvings int) int // the side after so many of them
	weights func(Block) []Shape          // of the convolutions of a block
	head    []Shape                      // those that follow the last block
	// The first region is centred at pixel first, the next one step further.
	first, step float64
}

// Encoders lists the encoders, in the order of help texts.
var Encoders = []Encoder{
	{Name: Joint, Smallest: 16, Usual: 64, Normalisation: symmetric, side: func(size int) int { return halved(size, 3) }, step: 8},
	efficientNetLite("efficientnet_lite0", 1.0, 1.0, 224),
	efficientNetLite("efficientnet_lite1", 1.0, 1.1, 240),
	efficientNetLite("efficientnet_lite2", 1.1, 1.2, 260),
	resNet("resnet18", [4]int{2, 2, 2, 2}, false),
	resNet("resnet50", [4]int{3, 4, 6, 3}, true),
	resNet("resnet101", [4]int{3, 4, 23, 3}, true),
	// Seven kernels of InceptionV3 pad nothing and are 3 wide: each moves the centre by one pixel of what it sees.
	{Name: "inception_v3", Smallest: 75, Usual: 299, Normalisation: symmetric, side: unpadded, dim: 2048, first: 1 + 2 + 2 + 4 + 4 + 8 + 16, step: 32},
	{Name: Precomputed},
}

// Frozen tells whether the encoder is a network that is not trained.
func (e Encoder) Frozen() bool { return e.Name != Joint && e.Name != Precomputed }

// resNet is the one with so many blocks in its stages.
func resNet(name string, stages [4]int, bottleneck bool) Encoder {
	blocks := resNetBlocks(stages, bottleneck)
	return Encoder{
		Name: name, Smallest: 32, Usual: 224, Normalisation: imageNet,
		side: func(size int) int { return halved(size, 5) }, dim: int(blocks[len(blocks)-1].Out), step: 32,
		Blocks: blocks, stem: 2, halved: halved, weights: resNetWeights,
	}
}

// efficientNetLite is the variant of this width and depth for pictures of native pixels on a side.
func efficientNetLite(name string, width, depth float64, native int) Encoder {
	strided := liteStrides(native)
	first, apart := 0.0, 1.0
	for _, l := range strided { // each moves the centre by half its kernel, less what it pads before
		first += apart * (float64(l.kernel-1)/2 - float64(l.padding/2))
		apart *= 2
	}
	halved := func(size, halvings int) int {
		for _, l := range strided[:halvings] {
			size = (size+l.padding-l.kernel)/2 + 1
		}
		return size
	}
	blocks := liteBlocks(width, depth)
	return Encoder{
		Name: name, Smallest: 32, Usual: 224, Normalisation: lite, Published: true,
		side: func(size int) int { return halved(size, len(strided)) }, dim: LiteHead, first: first, step: apart,
		Blocks: blocks, stem: 1, halved: halved, weights: liteWeights,
		head: []Shape{convolution("_conv_head", LiteHead, blocks[len(blocks)-1].Out, 1)},
	}
}

// halved is the side after so many halvings, each of which rounds up.
func halved(size, times int) int { return (size + 1<<times - 1) >> times }

// strided is a convolution of stride 2 with the padding of both sides together.
type strided struct{ kernel, padding int }

// liteStrides are the strided convolutions of an EfficientNet-Lite. They pad as
// TensorFlow's SAME does at the variant's native size, whatever the picture's.
func liteStrides(native int) (all [5]strided) {
	for i, kernel := range [5]int{3, 3, 5, 3, 5} {
		out := (native + 1) / 2
		all[i] = strided{kernel, max(0, 2*(out-1)+kernel-native)}
		native = out
	}
	return all
}

// unpadded is the side that InceptionV3 leaves, whose strides pad nothing: at
// 299 it is 149, 147, 73, 71, 35, 17 and 8 in turn.
func unpadded(size int) int {
	n := (size-3)/2 + 1        // Conv2d_1a
	n = (n-2-3)/2 + 1          // Conv2d_2a, maxpool1
	n = (n-2-3)/2 + 1          // Conv2d_4a, maxpool2
	return ((n-3)/2+1-3)/2 + 1 // Mixed_6a, Mixed_7a
}

// EncoderOf returns the encoder of a name.
func EncoderOf(name string) (Encoder, error) {
	return find("encoder.name", Encoders, Encoder.name, name)
}

// EncoderNames are the names of the encoders.
func EncoderNames() []string { return names(Encoders, Encoder.name) }

// PublishedNames are the names of the encoders whose weights can be fetched.
func PublishedNames() []string {
	published := slices.DeleteFunc(slices.Clone(Encoders), func(e Encoder) bool { return !e.Published })
	return names(published, Encoder.name)
}

func (e Encoder) name() string { return e.Name }

// Features are what is given of a picture: R regions of D numbers each.
type Features struct{ Regions, Dim int }

// Features are those of pictures of size×size pixels: the cells of a square grid, row
// by row. channels are those of the first layer of [Joint]; the others have none.
// What [Precomputed] gives only its files can tell.
func (e Encoder) Features(size, channels int) (Features, error) {
	if e.Name == Precomputed {
		return Features{}, fmt.Errorf("encoder.name %s: its files tell how many features there are", Precomputed)
	}
	if size < e.Smallest {
		return Features{}, fmt.Errorf("encoder.image_size %d: %s needs at least %d", size, e.Name, e.Smallest)
	}
	dim := e.dim
	if e.Name == Joint {
		if channels < 1 {
			return Features{}, fmt.Errorf("encoder.channels %d: %s needs at least 1", channels, Joint)
		}
		dim = 2 * channels
	}
	return Features{Regions: e.side(size) * e.side(size), Dim: dim}, nil
}

// Grid says where an encoder's regions lie: Side×Side cells, row by row, whose
// receptive fields are centred at First, First+Step and so on. Both are fractions of
// the picture's width and height.
type Grid struct {
	Side        int
	First, Step float64
}

// Grid are the regions of pictures of size×size pixels. Those of [Precomputed] lie
// anywhere: its grid has no side.
func (e Encoder) Grid(size int) Grid {
	if e.Name == Precomputed {
		return Grid{}
	}
	return Grid{e.side(size), (e.first + 0.5) / float64(size), e.step / float64(size)} // 0.5: the middle of a pixel
}
