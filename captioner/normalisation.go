package captioner

import "fmt"

// Normalisation says what a byte of a picture becomes before an encoder sees it:
// (x/Scale − Mean[c]) / Deviation[c], computed in float32 in this order, as the networks'
// original code does, so that both see the same bits.
type Normalisation struct {
	Name            string
	Scale           float32 // 255 or 1
	Mean, Deviation [3]float32
}

var (
	// lite is what the EfficientNet-Lite weights were trained with.
	lite = Normalisation{"(x-127)/128", 1, [3]float32{127, 127, 127}, [3]float32{128, 128, 128}}
	// imageNet is that of torchvision's ImageNet weights.
	imageNet = Normalisation{"imagenet mean and deviation", 255, [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}}
	// symmetric maps to [-1, 1]. torchvision's Inception_V3_Weights reach the same by normalising with
	// ImageNet's mean and deviation and undoing it in the network (transform_input=True).
	symmetric = Normalisation{"x/127.5-1", 255, [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}}
)

// Preprocessing names all that happens to a picture, for the feature cache's key. The
// resizing is data.Pixels': the whole picture, not a central crop, so that every region
// of it can be attended to.
func (n Normalisation) Preprocessing() string {
	return fmt.Sprintf("whole picture, catmull-rom to a square; %s", n.Name)
}
