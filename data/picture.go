package data

import (
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// WithPicture decodes a picture file, of several frames the first, turns it upright, as its Exif data ask for, and passes it to use, which may
// [Squash] it to the size and [Shrink] it to the longest side that are given, 0 for neither. The error names the file. It may
// be called from many goroutines at once: they wait for one another rather than decode more than fits [pictureMemory]. A
// fault of a decoder is an error of the picture.
func WithPicture(path string, squash, shrink int, use func(image.Image)) error {
	return withPicture(path, squash, shrink, func(_ []byte, picture image.Image) { use(picture) })
}

// withPicture is WithPicture, and passes on what is in the file too.
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

// ReadPicture decodes a picture as WithPicture does.
func ReadPicture(path string) (picture image.Image, err error) {
	err = WithPicture(path, 0, 0, func(source image.Image) { picture = source })
	return picture, err
}

// ReadPixels reads a picture file and gives RGB of size×size×3 row-major (HWC),
// see WithPicture and Squash. The error names the file.
func ReadPixels(path string, size int) (rgb []uint8, err error) {
	if size < 1 || size > maxPixels/size {
		return nil, fmt.Errorf("pixels of %s: size %d is out of range", path, size)
	}
	err = WithPicture(path, size, 0, func(source image.Image) { rgb = Squash(source, size) })
	return rgb, err
}

// Squash gives a picture as RGB of size×size×3 row-major (HWC), squashed to a
// square by Catmull-Rom (the bicubic filter with a = -1/2, widened when
// shrinking) unless it has that size. What is transparent is laid over white.
func Squash(source image.Image, size int) []uint8 { return squash(source, source.Bounds(), size) }

// squash is Squash of a part of the picture.
func squash(source image.Image, part image.Rectangle, size int) []uint8 {
	canvas := scaled(source, part, size, size)
	rgb := make([]uint8, 3*size*size)
	for i := range size * size {
		copy(rgb[3*i:3*i+3], canvas.Pix[4*i:])
	}
	return rgb
}

// Shrink scales a picture down so that no side is longer than most pixels; a
// smaller one keeps its size. What is transparent is laid over white.
func Shrink(source image.Image, most int) *image.RGBA {
	w, h := shrunk(source.Bounds().Dx(), source.Bounds().Dy(), most)
	return scaled(source, source.Bounds(), w, h)
}

// shrunk is the size to which Shrink brings a picture.
func shrunk(w, h, most int) (width, height int) {
	if long := max(w, h); long > most {
		return max(1, (w*most+long/2)/long), max(1, (h*most+long/2)/long)
	}
	return w, h
}

// scaled gives a part of a picture at width×height, over white.
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

// Pixels gives picture i as RGB, size×size×3 row-major (HWC): ReadPixels of its
// file, or the drawn scene. It may be called from several goroutines at once.
func (d *Dataset) Pixels(i, size int) ([]uint8, error) {
	if err := d.checkPixels(i, size); err != nil {
		return nil, err
	}
	if d.scenes != nil {
		return d.scenes[i].paint(size), nil
	}
	return ReadPixels(d.Images[i].Path, size)
}

// checkPixels refuses what there are no pixels of.
func (d *Dataset) checkPixels(i, size int) error {
	switch {
	case i < 0 || i >= len(d.Images):
		return fmt.Errorf("pixels of image %d: the data set has %d images", i, len(d.Images))
	case size < 1 || size > maxPixels/size:
		return fmt.Errorf("pixels of %s: size %d is out of range", d.Images[i].ID, size)
	}
	return nil
}

// Picture gives picture i upright, in its own size; a drawn scene in 224×224.
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

// rgbImage makes a picture of RGB, size×size×3 row-major.
func rgbImage(rgb []uint8, size int) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	for k := range size * size {
		copy(picture.Pix[4*k:4*k+4], []uint8{rgb[3*k], rgb[3*k+1], rgb[3*k+2], 255})
	}
	return picture
}
