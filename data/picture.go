package data

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// WithPicture decodes a picture file (the first of several frames), turns it upright according to
// its Exif data, and passes it to use. use may [Squash] it to the size squash and [Shrink] it to
// the longest side shrink; 0 for neither. The error names the file. WithPicture may be called
// from many goroutines at once: they wait rather than decode more than fits in [pictureMemory]. A
// panic of a decoder is returned as an error.
func WithPicture(path string, squash, shrink int, use func(image.Image)) error {
	return withPicture(path, squash, shrink, func(_ []byte, picture image.Image) { use(picture) })
}

// withPicture is WithPicture, but also passes the content of the file.
func withPicture(path string, squash, shrink int, use func(file []byte, picture image.Image)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("picture %s %w", path, err)
		}
	}()
	content, err := readPicture(path)
	if err != nil {
		return err
	}
	p, err := inspect(content)
	if err != nil {
		return err
	}
	return p.decoded(content, squash, shrink, func(picture image.Image) { use(content, picture) })
}

// ReadPicture decodes a picture like [WithPicture].
func ReadPicture(path string) (picture image.Image, err error) {
	err = WithPicture(path, 0, 0, func(source image.Image) { picture = source })
	return picture, err
}

// ReadPixels reads a picture file and returns RGB of size×size×3 row-major (HWC); see
// [WithPicture] and [Squash]. The error names the file.
func ReadPixels(path string, size int) (rgb []uint8, err error) {
	if size < 1 || size > maxPixels/size {
		return nil, fmt.Errorf("pixels of %s: size %d is out of range", path, size)
	}
	err = WithPicture(path, size, 0, func(source image.Image) { rgb = Squash(source, size) })
	return rgb, err
}

// Squash returns a picture as RGB of size×size×3 row-major (HWC), squashed to a square by
// Catmull-Rom (the bicubic filter with a = -1/2, widened when shrinking) unless it has that size.
// Transparent pixels are blended with white.
func Squash(source image.Image, size int) []uint8 { return squash(source, source.Bounds(), size) }

// squash is Squash for a part of the picture.
func squash(source image.Image, part image.Rectangle, size int) []uint8 {
	canvas := scaled(source, part, size, size)
	rgb := make([]uint8, 3*size*size)
	for i := range size * size {
		copy(rgb[3*i:3*i+3], canvas.Pix[4*i:])
	}
	return rgb
}

// Shrink scales a picture down so that no side is longer than most pixels; a smaller one keeps
// its size. Transparent pixels are blended with white.
func Shrink(source image.Image, most int) *image.RGBA {
	w, h := shrunk(source.Bounds().Dx(), source.Bounds().Dy(), most)
	return scaled(source, source.Bounds(), w, h)
}

// shrunk returns the size of a picture after Shrink.
func shrunk(w, h, most int) (width, height int) {
	if long := max(w, h); long > most {
		return max(1, (w*most+long/2)/long), max(1, (h*most+long/2)/long)
	}
	return w, h
}

// scaled returns a part of a picture at width×height, blended with white.
func scaled(source image.Image, from image.Rectangle, width, height int) *image.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	op := draw.Src
	if o, ok := source.(interface{ Opaque() bool }); !ok || !o.Opaque() {
		draw.Draw(canvas, canvas.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		op = draw.Over
	}
	if from.Dx() == width && from.Dy() == height {
		draw.Draw(canvas, canvas.Rect, source, from.Min, op)
	} else {
		draw.CatmullRom.Scale(canvas, canvas.Rect, source, from, op, nil)
	}
	return canvas
}

// Pixels returns picture i as RGB, size×size×3 row-major (HWC): ReadPixels of its file, or the
// drawn scene. It may be called from several goroutines at once.
func (d *Dataset) Pixels(i, size int) ([]uint8, error) {
	if err := d.checkPixels(i, size); err != nil {
		return nil, err
	}
	if d.scenes != nil {
		return d.scenes[i].paint(size), nil
	}
	return ReadPixels(d.Images[i].Path, size)
}

// checkPixels rejects an image or a size that does not exist.
func (d *Dataset) checkPixels(i, size int) error {
	switch {
	case i < 0 || i >= len(d.Images):
		return fmt.Errorf("pixels of image %d: the data set has %d images", i, len(d.Images))
	case size < 1 || size > maxPixels/size:
		return fmt.Errorf("pixels of %s: size %d is out of range", d.Images[i].ID, size)
	}
	return nil
}

// Picture returns picture i upright, in its own size; a drawn scene in 224×224.
func (d *Dataset) Picture(i int) (image.Image, error) {
	if d.scenes == nil && i >= 0 && i < len(d.Images) {
		return ReadPicture(d.Images[i].Path)
	}
	const size = 224
	rgb, err := d.Pixels(i, size)
	if err != nil {
		return nil, err
	}
	return rgbImage(rgb, size), nil
}

// rgbImage returns a picture from RGB, size×size×3 row-major.
func rgbImage(rgb []uint8, size int) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	for k := range size * size {
		copy(picture.Pix[4*k:4*k+4], []uint8{rgb[3*k], rgb[3*k+1], rgb[3*k+2], 255})
	}
	return picture
}
