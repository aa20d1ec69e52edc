package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
)

// The limits of a picture. A file of a few kilobytes can claim to unpack to terabytes, and a
// strip one pixel wide takes gigabytes to scale.
const (
	maxPixels  = 64 << 20
	maxAspect  = 100       // of the longer side to the shorter; panoramas have about 20
	maxPicture = 512 << 20 // bytes of a file
	maxScans   = 256       // of a JPEG: each is a pass over the whole picture; real ones have about 10
)

// A format is a supported kind of picture file.
type format struct {
	kind
	config func(file []byte) (image.Config, error)
	decode func(file []byte) (image.Image, error) // the first frame
	exif   func(file []byte) []byte               // the Exif data, with the orientation
	// memory returns the most memory that decoding needs, in bytes, or why the picture is
	// rejected.
	memory func(file []byte, pixels int64) (int64, error)
}

// formats are recognized by their first bytes, since names may be wrong.
var formats = []format{
	{kind{"JPEG", []string{"\xff\xd8\xff"}, []string{".jpg", ".jpeg"}}, configJPEG, decodeJPEG, exifJPEG, memoryJPEG},
	{kind{"PNG", []string{"\x89PNG\r\n\x1a\n"}, []string{".png"}}, configPNG, reading(png.Decode), exifPNG, memoryPNG},
	{kind{"WebP", []string{"RIFF????WEBP"}, []string{".webp"}}, configWebP, decodeWebP, exifWebP, memoryWebP},
	{kind{"GIF", []string{"GIF87a", "GIF89a"}, []string{".gif"}}, configGIF, decodeGIF, noExif, memoryGIF},
	{kind{"TIFF", []string{"II*\x00", "MM\x00*"}, []string{".tif", ".tiff"}}, configTIFF, decodeTIFF, exifTIFF, memoryTIFF},
	{kind{"BMP", []string{"BM????\x00\x00\x00\x00"}, []string{".bmp"}}, configBMP, decodeBMP, noExif, memoryBMP},
}

// reading turns a function of a reader into one of a file's content.
func reading[T any](read func(io.Reader) (T, error)) func([]byte) (T, error) {
	return func(file []byte) (T, error) { return read(bytes.NewReader(file)) }
}

func noExif([]byte) []byte { return nil }

func configPNG(file []byte) (image.Config, error) {
	c, err := png.DecodeConfig(bytes.NewReader(file))
	if wanting := png.UnsupportedError(""); errors.As(err, &wanting) {
		err = unsupported{"an unknown kind of PNG (" + string(wanting) + ")", toPNG}
	}
	return c, err
}

// inspected is a picture file whose header was read.
type inspected struct {
	format
	width, height int
}

// inspect finds the format of a picture by its content, and checks its size. Its error is worded
// to follow the file's name.
func inspect(file []byte) (inspected, error) {
	for _, f := range formats {
		if !f.matches(file) {
			continue
		}
		c, err := f.config(file)
		switch wanting := (unsupported{}); {
		case errors.As(err, &wanting):
			return inspected{}, wanting
		case err != nil:
			return inspected{}, fmt.Errorf("has a damaged header: %w", err)
		}
		return inspected{f, c.Width, c.Height}, checkSize(c.Width, c.Height)
	}
	for _, other := range others {
		if other.matches(file) {
			return inspected{}, unsupported{article(other.name), other.convert}
		}
	}
	if isHTML(file) {
		return inspected{}, errors.New("is an HTML page: failed download?")
	}
	if isSVG(file) {
		return inspected{}, unsupported{"an SVG drawing", svgToPNG}
	}
	return inspected{}, fmt.Errorf("is not a known picture format (it starts with % x)", file[:min(len(file), 8)])
}

// checkSize rejects sizes that no photograph has.
func checkSize(width, height int) error {
	switch {
	case width < 1 || height < 1 || width > maxPixels/height:
		return fmt.Errorf("claims to be %d×%d pixels; the limit is %d megapixels", width, height, maxPixels>>20)
	case max(width, height) > maxAspect*min(width, height):
		return fmt.Errorf("is %d×%d pixels; no side may be longer than %d times the other", width, height, maxAspect)
	}
	return nil
}

// readPicture reads a picture file. Its error is worded to follow the file's name, and is an
// awayError unless the content is at fault.
func readPicture(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, awayError{"is missing", nil}
	case err != nil:
		return nil, awayError{"cannot be read", err}
	case !info.Mode().IsRegular():
		return nil, awayError{"is not a regular file", nil}
	case info.Size() == 0:
		return nil, errors.New("is an empty file")
	case info.Size() > maxPicture:
		return nil, fmt.Errorf("is a file of %d MB; the limit is %d MB", info.Size()>>20, maxPicture>>20)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, awayError{"cannot be read", err}
	}
	defer file.Close()
	content := make([]byte, info.Size())
	n, err := io.ReadFull(file, content)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, awayError{"cannot be read", err}
	}
	return content[:n], nil
}

// awayError is the error of a picture that cannot be read on this machine, for reasons other than
// its content.
type awayError struct {
	what  string
	cause error // or nil
}

func (e awayError) Error() string {
	if e.cause == nil {
		return e.what
	}
	return e.what + ": " + e.cause.Error()
}

func (e awayError) Unwrap() error { return e.cause }
