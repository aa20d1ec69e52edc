package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/webp"
)

// What a picture may be at most. A file of a few kilobytes can claim to unpack to terabytes, and a strip of one pixel's
// width takes gigabytes to be scaled.
const (
	maxPixels  = 64 << 20
	maxAspect  = 100       // the longer side to the shorter: panoramas have some 20
	maxPicture = 512 << 20 // bytes of a file
	maxScans   = 256       // of a JPEG: each takes a walk over all of the picture, and real ones have some 10
)

// A format is a kind of picture file.
type format struct {
	magic  string // "?" stands for any byte
	config func(file io.ReadSeeker, size int64) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// whole says whether the file's last bytes are those of a complete file.
	whole func(head, tail []byte, size int64) bool
	exif  func(file []byte) []byte // the Exif data, which tell how to turn the picture
	// memory is what decoding takes at most, in bytes, or why it is refused.
	memory func(file []byte, pixels int64) (int64, error)
}

// formats are told apart by their first bytes: names lie now and then.
var formats = []format{
	{"\xff\xd8\xff", configOf(jpeg.DecodeConfig), jpeg.Decode,
		func(_, tail []byte, _ int64) bool { return bytes.HasSuffix(tail, []byte("\xff\xd9")) }, exifJPEG, memoryJPEG},
	{"\x89PNG\r\n\x1a\n", configOf(png.DecodeConfig), png.Decode,
		func(_, tail []byte, _ int64) bool { return bytes.HasSuffix(tail, []byte("IEND\xaeB\x60\x82")) }, exifPNG, memoryPNG},
	{"RIFF????WEBP", configWebP, webp.Decode,
		func(head, _ []byte, size int64) bool {
			claimed := int64(head[4]) | int64(head[5])<<8 | int64(head[6])<<16 | int64(head[7])<<24
			return claimed+8 <= size
		}, exifWebP, memoryWebP},
}

// configOf is the config of a format whose decoder reads no more of a file than its header.
func configOf(config func(io.Reader) (image.Config, error)) func(io.ReadSeeker, int64) (image.Config, error) {
	return func(file io.ReadSeeker, _ int64) (image.Config, error) { return config(file) }
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

// inspected is a picture file whose header was read.
type inspected struct {
	format
	width, height int
	whole         bool // it ends as a complete file does
}

// inspect finds a picture's format and checks its size. The file is read from its beginning.
func inspect(file io.ReadSeeker, size int64) (inspected, error) {
	head := make([]byte, 16)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return inspected{}, err
	}
	for _, f := range formats {
		if !f.matches(head[:n]) {
			continue
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return inspected{}, err
		}
		c, err := f.config(file, size)
		if err != nil {
			return inspected{}, fmt.Errorf("has a damaged header: %w", err)
		}
		if err := checkSize(c.Width, c.Height); err != nil {
			return inspected{}, err
		}
		tail := make([]byte, min(16, size))
		if _, err := file.Seek(-int64(len(tail)), io.SeekEnd); err != nil {
			return inspected{}, err
		}
		if _, err := io.ReadFull(file, tail); err != nil {
			return inspected{}, err
		}
		return inspected{f, c.Width, c.Height, f.whole(head, tail, size)}, nil
	}
	return inspected{}, fmt.Errorf("is no JPEG, PNG or WebP file (it begins with % x)", head[:min(n, 8)])
}

// checkSize refuses pictures that are no photographs.
func checkSize(width, height int) error {
	switch {
	case width < 1 || height < 1 || width > maxPixels/height:
		return fmt.Errorf("claims to be %d×%d pixels; the limit is %d megapixels", width, height, maxPixels>>20)
	case max(width, height) > maxAspect*min(width, height):
		return fmt.Errorf("is %d×%d pixels; no side may be longer than %d times the other", width, height, maxAspect)
	}
	return nil
}

// openPicture opens a picture file. The error follows its name.
func openPicture(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.New("is missing")
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case info.Size() == 0:
		return nil, errors.New("is an empty file")
	case info.Size() > maxPicture:
		return nil, fmt.Errorf("is a file of %d MB; the limit is %d MB", info.Size()>>20, maxPicture>>20)
	}
	return os.Open(path)
}

// readPicture reads a picture file whole.
func readPicture(file *os.File) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(file, maxPicture))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return content, nil
}

// checkPicture reads a picture's header and its end, and what is between only where the end is not that of a picture:
// then it is either cut off or has something appended, which only decoding tells.
func checkPicture(path string) error {
	file, err := openPicture(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	p, err := inspect(file, info.Size())
	if err != nil || p.whole {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	content, err := readPicture(file)
	if err == nil {
		err = p.decoded(content, 0, 0, func(image.Image) {})
	}
	if err != nil {
		return fmt.Errorf("is cut off or damaged: it %w", err)
	}
	return nil
}
