package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// maxPixels is the largest picture that is decoded. A file of a few kilobytes
// can claim to unpack to terabytes.
const maxPixels = 64 << 20

// A format is a kind of picture file.
type format struct {
	magic  string // "?" stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// whole says whether the file's last bytes are those of a complete file.
	whole func(head, tail []byte, size int64) bool
	exif  func(file []byte) []byte // the Exif data, which tell how to turn the picture
}

// formats are told apart by their first bytes: names lie now and then.
var formats = []format{
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode,
		func(_, tail []byte, _ int64) bool { return bytes.HasSuffix(tail, []byte("\xff\xd9")) }, exifJPEG},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode,
		func(_, tail []byte, _ int64) bool { return bytes.HasSuffix(tail, []byte("IEND\xaeB\x60\x82")) }, exifPNG},
	{"RIFF????WEBP", webpConfig, webp.Decode,
		func(head, _ []byte, size int64) bool {
			claimed := int64(head[4]) | int64(head[5])<<8 | int64(head[6])<<16 | int64(head[7])<<24
			return claimed+8 <= size
		}, exifWebP},
}

func (f format) matches(head []byte) bool {
	if len(head) < len(f.magic) {
		return false
	}
	for i := range len(f.magic) {
		if f.magic[i] != '?' && f.magic[i] != head[i] {
			return false
		}
	}
	return true
}

// openPicture opens a picture file and reads its header. The caller closes the
// file; it stands at its beginning.
func openPicture(path string) (*os.File, format, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, format{}, errors.New("is missing")
	case err != nil:
		return nil, format{}, err
	case !info.Mode().IsRegular():
		return nil, format{}, errors.New("is not a regular file")
	case info.Size() == 0:
		return nil, format{}, errors.New("is an empty file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, format{}, err
	}
	found, err := header(file, info.Size())
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, format{}, err
	}
	return file, found, nil
}

// header finds a picture's format and checks its dimensions and its end.
func header(file io.ReadSeeker, size int64) (format, error) {
	head := make([]byte, 16)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return format{}, err
	}
	for _, f := range formats {
		if !f.matches(head[:n]) {
			continue
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return format{}, err
		}
		c, err := f.config(file)
		if err != nil {
			return format{}, fmt.Errorf("has a damaged header: %w", err)
		}
		if c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
			return format{}, fmt.Errorf("claims to be %d×%d pixels; the limit is %d megapixels", c.Width, c.Height, maxPixels>>20)
		}
		tail := make([]byte, min(16, size))
		if _, err := file.Seek(-int64(len(tail)), io.SeekEnd); err != nil {
			return format{}, err
		}
		if _, err := io.ReadFull(file, tail); err != nil {
			return format{}, err
		}
		if f.whole(head, tail, size) {
			return f, nil
		}
		// Either cut off or with something appended: only decoding tells.
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return format{}, err
		}
		if _, err := f.decode(file); err != nil {
			return format{}, fmt.Errorf("is cut off or damaged: %w", err)
		}
		return f, nil
	}
	return format{}, fmt.Errorf("is no JPEG, PNG or WebP file (it begins with % x)", head[:min(n, 8)])
}

// checkPicture reads a picture's header and its end, not what is between.
func checkPicture(path string) error {
	file, _, err := openPicture(path)
	if err != nil {
		return err
	}
	return file.Close()
}

// ReadPicture decodes a JPEG, PNG or WebP file and turns it upright, as its Exif data ask for. The error names the file.
func ReadPicture(path string) (image.Image, error) {
	file, f, err := openPicture(path)
	if err != nil {
		return nil, fmt.Errorf("picture %s %w", path, err)
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("picture %s: %w", path, err)
	}
	source, err := f.decode(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("picture %s cannot be decoded: %w; get the file again", path, err)
	}
	return upright(source, orientation(f.exif(content))), nil
}

// ReadPixels reads a picture file and gives RGB of size×size×3 row-major (HWC),
// see ReadPicture and Squash. The error names the file.
func ReadPixels(path string, size int) ([]uint8, error) {
	if size < 1 || size > maxPixels/size {
		return nil, fmt.Errorf("pixels of %s: size %d is out of range", path, size)
	}
	source, err := ReadPicture(path)
	if err != nil {
		return nil, err
	}
	return Squash(source, size), nil
}

// Squash gives a picture as RGB of size×size×3 row-major (HWC), squashed to a
// square by Catmull-Rom (the bicubic filter with a = -1/2, widened when
// shrinking) unless it has that size. What is transparent is laid over white.
func Squash(source image.Image, size int) []uint8 {
	canvas := scaled(source, size, size)
	rgb := make([]uint8, 3*size*size)
	for i := range size * size {
		copy(rgb[3*i:3*i+3], canvas.Pix[4*i:])
	}
	return rgb
}

// Shrink scales a picture down so that no side is longer than most pixels; a
// smaller one keeps its size. What is transparent is laid over white.
func Shrink(source image.Image, most int) *image.RGBA {
	w, h := source.Bounds().Dx(), source.Bounds().Dy()
	if long := max(w, h); long > most {
		w, h = max(1, (w*most+long/2)/long), max(1, (h*most+long/2)/long)
	}
	return scaled(source, w, h)
}

// scaled gives a picture at width×height, over white.
func scaled(source image.Image, width, height int) *image.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	op := draw.Src
	if o, ok := source.(interface{ Opaque() bool }); !ok || !o.Opaque() {
		draw.Draw(canvas, canvas.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		op = draw.Over
	}
	if from := source.Bounds(); from.Dx() == width && from.Dy() == height {
		draw.Draw(canvas, canvas.Rect, source, from.Min, op)
	} else {
		draw.CatmullRom.Scale(canvas, canvas.Rect, source, from, op, nil)
	}
	return canvas
}

// Pixels gives picture i as RGB, size×size×3 row-major (HWC): ReadPixels of its
// file, or the drawn scene. It may be called from several goroutines at once.
func (d *Dataset) Pixels(i, size int) ([]uint8, error) {
	switch {
	case i < 0 || i >= len(d.Images):
		return nil, fmt.Errorf("pixels of image %d: the data set has %d images", i, len(d.Images))
	case size < 1 || size > maxPixels/size:
		return nil, fmt.Errorf("pixels of %s: size %d is out of range", d.Images[i].ID, size)
	case d.scenes != nil:
		return d.scenes[i].paint(size), nil
	default:
		return ReadPixels(d.Images[i].Path, size)
	}
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
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	for k := range size * size {
		copy(picture.Pix[4*k:4*k+4], []uint8{rgb[3*k], rgb[3*k+1], rgb[3*k+2], 255})
	}
	return picture, nil
}
