package models

import "fmt"

// normalisation says what a byte of a picture becomes before a network sees it: (x/scale − mean[c]) / deviation[c],
// computed in float32 in this order, as the networks' original code does, so that both see the same bits.
type normalisation struct {
	name            string
	scale           float32 // 255 or 1
	mean, deviation [3]float32
}

var (
	// liteNormalisation is what the EfficientNet-Lite weights were trained with.
	liteNormalisation = normalisation{"(x-127)/128", 1, [3]float32{127, 127, 127}, [3]float32{128, 128, 128}}
	// imageNetNormalisation is that of torchvision's ImageNet weights.
	imageNetNormalisation = normalisation{"imagenet mean and deviation", 255,
		[3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}}
	// inceptionNormalisation maps to [-1, 1]. torchvision's Inception_V3_Weights reach the same by normalising with
	// ImageNet's mean and deviation and undoing it in the network (transform_input=True).
	inceptionNormalisation = normalisation{"x/127.5-1", 255, [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}}
)

// preprocessing names all that happens to a picture, for the feature cache's key. The resizing is data.Pixels': the
// whole picture, not a central crop, so that every region of it can be attended to.
func (n normalisation) preprocessing() string {
	return fmt.Sprintf("whole picture, catmull-rom to a square; %s", n.name)
}

// pixelTable holds the float of each byte, for each channel.
type pixelTable [3][256]float32

func (n normalisation) table() *pixelTable {
	t := &pixelTable{}
	for c := range t {
		for x := range t[c] {
			t[c][x] = (float32(x)/n.scale - n.mean[c]) / n.deviation[c]
		}
	}
	return t
}

// apply normalises RGB bytes into dst, of the same length and order (channels innermost).
func (t *pixelTable) apply(dst []float32, rgb []uint8) {
	for i := 0; i+2 < len(rgb); i += 3 {
		dst[i], dst[i+1], dst[i+2] = t[0][rgb[i]], t[1][rgb[i+1]], t[2][rgb[i+2]]
	}
}
