package data

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
)

// View is the part of a picture that an encoder sees. The zero View is the plain one: the whole
// picture, unchanged.
type View struct {
	Crop     int  `json:"crop,omitempty"` // number of the random crop, from 1; 0 is the whole picture
	Mirrored bool `json:"mirrored,omitempty"`
}

// String returns the name of a view, such as "crop 2 mirrored"; "plain" for the plain one.
func (v View) String() string {
	switch {
	case v == View{}:
		return "plain"
	case v.Crop == 0:
		return "mirrored"
	case v.Mirrored:
		return fmt.Sprintf("crop %d mirrored", v.Crop)
	}
	return fmt.Sprintf("crop %d", v.Crop)
}

// HashName returns the name under which a run records the hash of a view's features: "features"
// for the plain one.
func (v View) HashName() string {
	if v == (View{}) {
		return plainHash
	}
	return viewHash + v.String()
}

const (
	plainHash = "features"
	viewHash  = "features of "
)

// FeatureHashes returns the names of a run's hashes that are of features, of any view, sorted.
func FeatureHashes(hashes map[string]string) []string {
	var found []string
	for name, hash := range hashes {
		if name == plainHash || strings.HasPrefix(name, viewHash) {
			found = append(found, hash)
		}
	}
	slices.Sort(found)
	return found
}

// Views lists the views of an augmentation, the plain one first: the whole picture and the given
// number of crops; with flip, each also mirrored.
func Views(flip bool, crops int) []View {
	var views []View
	for crop := range crops + 1 {
		views = append(views, View{Crop: crop})
		if flip {
			views = append(views, View{Crop: crop, Mirrored: true})
		}
	}
	return views
}

// DrawView returns which of n views to train on in an epoch. It depends only on seed, epoch and
// image (an index of the data set), so that all captioners of a seed see the same views, however
// often they were interrupted.
func DrawView(n int, seed int64, epoch, image int) int {
	if n < 2 {
		return 0
	}
	return newStream(seed, useView, uint64(epoch), uint64(image)).below(n)
}

// The rule of crops, after the random crops of Szegedy et al. 2014 (arXiv 1409.4842), section 6:
// width and height are uniform among those that are each at least leastCrop of the side, and
// together at least leastCrop of the area; the position is uniform too. Crops are drawn from the
// picture's content, so that identical pictures share their features whatever their names.
const (
	leastCrop = 0.7
	cropRule  = "crops of 0.7 to 1 of the area by content"
	cropSeed  = 1
)

// crop is a part of a picture, in fractions of its width and height.
type crop struct{ left, top, width, height float64 }

// drawCrop draws the k-th crop of the picture with this SHA-256.
func drawCrop(picture [hashBytes]byte, k int) crop {
	s := newStream(cropSeed, useCrop, binary.LittleEndian.Uint64(picture[:]), uint64(k))
	var c crop
	for c.width*c.height < leastCrop {
		c.width, c.height = 1-float64((1-leastCrop)*s.unit()), 1-float64((1-leastCrop)*s.unit())
	}
	c.left, c.top = float64((1-c.width)*s.unit()), float64((1-c.height)*s.unit())
	return c
}

// of returns the crop in whole pixels, at least one, of a picture with these bounds.
func (c crop) of(bounds image.Rectangle) image.Rectangle {
	w, h := float64(bounds.Dx()), float64(bounds.Dy())
	part := image.Rect(int(math.Round(c.left*w)), int(math.Round(c.top*h)),
		int(math.Round(float64(c.left+c.width)*w)), int(math.Round(float64(c.top+c.height)*h)))
	part.Max.X, part.Max.Y = max(part.Max.X, part.Min.X+1), max(part.Max.Y, part.Min.Y+1)
	return part.Add(bounds.Min)
}

// WithView returns the spec of the features of a view.
func (s FeatureSpec) WithView(v View) FeatureSpec {
	s.View = v
	if v.Crop > 0 {
		s.Preprocessing += "; " + cropRule
	}
	return s
}

// ViewPixels returns a view of picture i, in the format of [Dataset.Pixels]. A crop is squashed
// to a square as the whole picture is; a mirrored view is flipped from left to right.
func (d *Dataset) ViewPixels(i, size int, v View) (rgb []uint8, err error) {
	switch {
	case v.Crop == 0:
		rgb, err = d.Pixels(i, size)
	case v.Crop < 0:
		err = fmt.Errorf("pixels of image %d: crop %d does not exist", i, v.Crop)
	default:
		rgb, err = d.cropPixels(i, size, v.Crop)
	}
	if err == nil && v.Mirrored {
		mirror(rgb, size)
	}
	return rgb, err
}

// cropPixels returns the k-th crop of picture i.
func (d *Dataset) cropPixels(i, size, k int) (rgb []uint8, err error) {
	if err := d.checkPixels(i, size); err != nil {
		return nil, err
	}
	if d.scenes == nil {
		err = withPicture(d.Images[i].Path, size, 0, func(file []byte, picture image.Image) {
			rgb = squash(picture, drawCrop(sha256.Sum256(file), k).of(picture.Bounds()), size)
		})
		return rgb, err
	}
	scene := d.scenes[i]
	painted := rgbImage(scene.paint(3*size/2), 3*size/2) // large enough that every crop has at least size×size pixels
	return squash(painted, drawCrop(sha256.Sum256(scene.paint(paintedSize)), k).of(painted.Bounds()), size), nil
}

// mirror flips RGB of size×size×3 (HWC) from left to right.
func mirror(rgb []uint8, size int) {
	for row := range slices.Chunk(rgb, 3*size) {
		for l, r := 0, size-1; l < r; l, r = l+1, r-1 {
			for c := range 3 {
				row[3*l+c], row[3*r+c] = row[3*r+c], row[3*l+c]
			}
		}
	}
}
