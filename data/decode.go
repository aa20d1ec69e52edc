package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"runtime"

	"golang.org/x/sync/semaphore"

	"glimpse/internal/crash"
)

// pictureMemory limits the memory of all pictures being decoded, in bytes: enough for each
// processor to decode a photograph of ten megapixels in any format. A picture that may need more
// is decoded alone.
var pictureMemory = max(2<<30, 256<<20*int64(runtime.GOMAXPROCS(0)))

var decoding = semaphore.NewWeighted(pictureMemory)

// maxScaling limits the memory for scaling a picture's rows to a width, in bytes.
const maxScaling = 1 << 30

// scaling returns the memory that draw.CatmullRom needs to scale a picture with this many rows to
// a width: all rows at the new width, with four numbers of 8 bytes per pixel.
func scaling(width, rows int) int64 { return 32 * int64(width) * int64(rows) }

// decoded decodes a file's content, turns the picture upright and passes it to use, as
// WithPicture does. It waits until there is enough memory. It returns a decoder's panic as an
// error.
func (p inspected) decoded(content []byte, squash, shrink int, use func(image.Image)) error {
	err := p.decodeFor(content, squash, shrink, use)
	if fault := (*crash.Error)(nil); errors.As(err, &fault) {
		return fmt.Errorf("cannot be decoded: %v", err) // only the picture fails, not the program
	}
	return err
}

func (p inspected) decodeFor(content []byte, squash, shrink int, use func(image.Image)) (err error) {
	defer crash.Recover(&err)
	pixels := int64(p.width) * int64(p.height)
	memory, err := p.memory(content, pixels)
	if err != nil {
		return err
	}
	turn := orientation(p.exif(content))
	across, rows := p.width, p.height
	if turn >= 5 { // on its side
		across, rows = rows, across
	}
	width := squash
	if shrink > 0 {
		smaller, _ := shrunk(across, rows, shrink)
		width = max(width, smaller)
	}
	scaling := scaling(width, rows)
	if scaling > maxScaling {
		return fmt.Errorf("is %d×%d pixels: scaling it to a width of %d needs %d MB, but the limit is %d MB: make it smaller",
			p.width, p.height, width, scaling>>20, int64(maxScaling)>>20)
	}
	if turn != 1 {
		memory += 8 * pixels
	}
	memory = min(memory+scaling+int64(len(content)), pictureMemory)
	if err := decoding.Acquire(context.Background(), memory); err != nil {
		return err
	}
	defer decoding.Release(memory)
	source, err := p.decode(content)
	if err != nil {
		if wanting := (unsupported{}); errors.As(err, &wanting) {
			return wanting
		}
		return fmt.Errorf("cannot be decoded: truncated or damaged (%w)", err)
	}
	use(upright(source, turn))
	return nil
}

// The most memory that the decoders need per pixel, in bytes.
const (
	baselineJPEG    = 8  // four planes, and four more for CMYK
	progressiveJPEG = 24 // also 4 bytes for each sample's coefficient
	anyPNG          = 12 // four channels of two bytes, and half as much for a pass of an interlaced picture
	anyWebP         = 12 // four channels, twice for a palette or a frame on a canvas, and transparency
)

func memoryPNG(_ []byte, pixels int64) (int64, error) { return anyPNG * pixels, nil }

// memoryJPEG reads the segments to see whether a JPEG is progressive, and counts its scans.
func memoryJPEG(file []byte, pixels int64) (int64, error) {
	scans, each := 0, int64(baselineJPEG)
	for at := 2; at+4 <= len(file); {
		if file[at] != 0xFF { // between segments are the samples of a scan
			next := bytes.IndexByte(file[at:], 0xFF)
			if next < 0 {
				break
			}
			at += next
			continue
		}
		switch marker := file[at+1]; {
		case marker == 0xFF: // a fill byte
			at++
			continue
		case marker == 0xD9: // end of the image
			return each * pixels, nil
		case marker == 0 || marker == 1 || marker >= 0xD0 && marker <= 0xD8: // a sample of 0xFF, or a marker that stands alone
			at += 2
			continue
		case marker == 0xC2:
			each = progressiveJPEG
		case marker == 0xDA:
			if scans++; scans > maxScans {
				return 0, fmt.Errorf("has more than the limit of %d scans", maxScans)
			}
		}
		at += 2 + int(binary.BigEndian.Uint16(file[at+2:]))
	}
	return each * pixels, nil
}

// memoryWebP adds the code tables of lossless samples, with which a small file can take the most
// memory: at most 65,536 groups of five codes. A group takes 2,680 bytes and at least 20 bits of
// the file; its tables take up to 50 KB, 280 times their size in the file.
func memoryWebP(file []byte, pixels int64) (int64, error) {
	const groups = 65_536
	frame, err := frameOfWebP(file)
	codes := int64(0)
	add := func(lossless []byte) {
		n := int64(len(lossless))
		codes += min(groups, n*8/20)*2_680 + min(groups*50_000, n*280)
	}
	if add(frame.alpha); frame.lossless {
		add(frame.picture)
	}
	return anyWebP*pixels + codes, err
}
