package models

import (
	"sync"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// cnn is the small encoder that is trained with the captioner, for drawn scenes: four 3×3
// convolutions with ReLU, the first three of stride 2, on the picture's colours and the two
// coordinates of each pixel (Liu et al. 2018, arXiv 1807.03247), so that a region contains its
// position. It has no batch norm and no dropout: training and evaluation are the same function,
// and only its parameters need saving.
type cnn struct {
	size     int // S
	channels int // C
	grid     captioner.Features
	device   torch.Device
	layers   [4]struct{ w, b *torch.Tensor }
}

var _ Encoder = (*cnn)(nil)

// newCNN makes the encoder without its parameters ([cnn.use]).
func newCNN(e experiments.Encoder, device torch.Device) (*cnn, error) {
	grid, err := e.Features()
	if err != nil {
		return nil, err
	}
	return &cnn{size: e.ImageSize, channels: e.Channels, grid: grid, device: device}, nil
}

func (c *cnn) shapes() []captioner.Shape { return captioner.JointParameters(c.channels) }

func (c *cnn) initial() map[string][]float32 { return nil }

// use takes the layers out of the parameters.
func (c *cnn) use(p *parameters) {
	for i := range c.layers {
		c.layers[i].w, c.layers[i].b = p.byName[captioner.JointName(i, "weight")], p.byName[captioner.JointName(i, "bias")]
	}
}

// Regions returns ⌈S/8⌉².
func (c *cnn) Regions() int { return c.grid.Regions }

// Dim returns 2C.
func (c *cnn) Dim() int { return c.grid.Dim }

// Forward returns features B×R×D of pixels B×3×S×S in [-1, 1]. It is differentiable.
func (c *cnn) Forward(s *torch.Scope, pixels *torch.Tensor) *torch.Tensor {
	x := s.Cat(1, pixels, c.coordinates(s, pixels.Size(0)))      // B×5×S×S
	x = s.Relu(s.Conv2d(x, c.layers[0].w, c.layers[0].b, half2)) // B×C×S/2×S/2
	x = s.Relu(s.Conv2d(x, c.layers[1].w, c.layers[1].b, half2)) // B×2C×S/4×S/4
	x = s.Relu(s.Conv2d(x, c.layers[2].w, c.layers[2].b, half2)) // B×2C×S/8×S/8
	x = s.Relu(s.Conv2d(x, c.layers[3].w, c.layers[3].b, keep2)) // B×2C×S/8×S/8
	return s.View(s.Permute(x, 0, 2, 3, 1), -1, int64(c.Regions()), int64(c.Dim()))
}

// half2 halves the side, keep2 keeps it.
var (
	half2 = torch.Conv{Stride: [2]int64{2, 2}, Padding: [2]int64{1, 1}}
	keep2 = torch.Conv{Padding: [2]int64{1, 1}}
)

// coordinates are two planes that rise from -1 to 1, by column and by row: batch×2×S×S.
func (c *cnn) coordinates(s *torch.Scope, batch int64) *torch.Tensor {
	n := c.size
	planes := make([]float32, 2*n*n)
	for y := range n {
		for x := range n {
			planes[y*n+x] = 2*float32(x)/float32(n-1) - 1
			planes[n*n+y*n+x] = 2*float32(y)/float32(n-1) - 1
		}
	}
	side := int64(n)
	return s.Expand(s.FromFloats(c.device, planes, 1, 2, side, side), batch, 2, side, side)
}

// cnnSource gives a captioner the features of its own cnn.
type cnnSource struct {
	*cnn
	pictures *pictures
	augment  augment
}

var _ source = (*cnnSource)(nil)

// newCNNSource makes the source of a jointly trained encoder.
func newCNNSource(d *data.Dataset, device torch.Device, settings experiments.Settings) (*cnnSource, error) {
	e := settings.Encoder
	known, err := captioner.EncoderOf(e.Name)
	if err != nil {
		return nil, err
	}
	c, err := newCNN(e, device)
	if err != nil {
		return nil, err
	}
	return &cnnSource{c, &pictures{dataset: d, size: c.size, table: tableOf(known.Normalisation), kept: map[seenPicture][]uint8{}}, augmentOf(settings)}, nil
}

func (c *cnnSource) features(s *torch.Scope, images []int, of pass) (regions, error) {
	pixels, err := c.pictures.normalised(images, func(i int) data.View { return c.augment.view(of, i) })
	if err != nil {
		return regions{}, err
	}
	side := int64(c.size)
	x := s.FromFloats(c.device, pixels, int64(len(images)), side, side, 3)    // B×S×S×3
	return regions{features: c.Forward(s, s.Permute(x, 0, 3, 1, 2))}, s.Err() // B×R×D
}

func (c *cnnSource) dim() int { return c.Dim() }

func (c *cnnSource) hashes() map[string]string { return nil }

func (c *cnnSource) close() error { return nil }

// pictures reads a data set's pictures, and caches as many as fit in keptBytes: each epoch needs
// all.
type pictures struct {
	dataset *data.Dataset
	size    int
	table   *pixelTable

	mu   sync.Mutex
	kept map[seenPicture][]uint8
}

// seenPicture is a view of an image.
type seenPicture struct {
	image int
	view  data.View
}

// keptBytes is enough for 43,000 scenes of 64×64.
const keptBytes = 512 << 20

// normalised returns the pixels of a view of each of the images, B×S×S×3 row-major.
func (p *pictures) normalised(images []int, view func(image int) data.View) ([]float32, error) {
	each := 3 * p.size * p.size
	out := make([]float32, len(images)*each)
	for k, i := range images {
		rgb, err := p.bytes(seenPicture{i, view(i)})
		if err != nil {
			return nil, err
		}
		p.table.apply(out[k*each:(k+1)*each], rgb)
	}
	return out, nil
}

func (p *pictures) bytes(of seenPicture) ([]uint8, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if rgb := p.kept[of]; rgb != nil {
		return rgb, nil
	}
	rgb, err := p.dataset.ViewPixels(of.image, p.size, of.view)
	if err == nil && (len(p.kept)+1)*len(rgb) <= keptBytes {
		p.kept[of] = rgb
	}
	return rgb, err
}
