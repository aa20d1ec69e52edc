package captioner

import (
	"fmt"
	"strings"
)

// Joint is the name of the encoder that is trained with the captioner. The
// others are frozen.
const Joint = "cnn"

// An Encoder turns a square picture into a grid of features.
type Encoder struct {
	Name string
	// Smallest is the smallest side of a picture, in pixels, that leaves a grid
	// to attend to.
	Smallest int
	// Usual is the side that a study takes unless it says otherwise.
	Usual int
	// Published says that encoder.weights auto can fetch trained weights.
	Published bool

	side func(size int) int // G, by the picture's side
	dim  int                // D, 0 for twice the channels
}

// Encoders lists the encoders, in the order of help texts.
var Encoders = []Encoder{
	{Name: Joint, Smallest: 16, Usual: 64, side: halved(3)},
	{Name: "efficientnet_lite0", Smallest: 32, Usual: 224, Published: true, side: lite(224), dim: 1280},
	{Name: "efficientnet_lite1", Smallest: 32, Usual: 224, Published: true, side: lite(240), dim: 1280},
	{Name: "efficientnet_lite2", Smallest: 32, Usual: 224, Published: true, side: lite(260), dim: 1280},
	{Name: "resnet18", Smallest: 32, Usual: 224, side: halved(5), dim: 512},
	{Name: "resnet50", Smallest: 32, Usual: 224, side: halved(5), dim: 2048},
	{Name: "resnet101", Smallest: 32, Usual: 224, side: halved(5), dim: 2048},
	{Name: "inception_v3", Smallest: 75, Usual: 299, side: unpadded, dim: 2048},
}

// halved is the side after so many halvings, each of which rounds up.
func halved(times int) func(size int) int {
	return func(size int) int { return (size + 1<<times - 1) >> times }
}

// lite is the side that EfficientNet-Lite leaves. Its strided kernels pad as
// TensorFlow's SAME does at the variant's native size, whatever the picture's.
func lite(native int) func(size int) int {
	return func(size int) int {
		planned := native
		for _, kernel := range [5]int{3, 3, 5, 3, 5} {
			out := (planned + 1) / 2
			padding := max(0, 2*(out-1)+kernel-planned)
			size, planned = (size+padding-kernel)/2+1, out
		}
		return size
	}
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
	for _, e := range Encoders {
		if e.Name == name {
			return e, nil
		}
	}
	return Encoder{}, fmt.Errorf("encoder.name %q: want one of %s", name, strings.Join(EncoderNames(), ", "))
}

// EncoderNames are the names of the encoders.
func EncoderNames() []string { return namesOf(func(Encoder) bool { return true }) }

// PublishedNames are the names of the encoders whose weights can be fetched.
func PublishedNames() []string { return namesOf(func(e Encoder) bool { return e.Published }) }

func namesOf(which func(Encoder) bool) []string {
	var names []string
	for _, e := range Encoders {
		if which(e) {
			names = append(names, e.Name)
		}
	}
	return names
}

// Features are what an encoder gives of a picture: Side×Side regions, row by
// row, of Dim numbers each.
type Features struct{ Side, Dim int }

// Regions is R, the number of regions.
func (f Features) Regions() int { return f.Side * f.Side }

// Features are those of pictures of size×size pixels. channels are those of the
// first layer of [Joint]; the others have none.
func (e Encoder) Features(size, channels int) (Features, error) {
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
	return Features{Side: e.side(size), Dim: dim}, nil
}
