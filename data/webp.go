package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"iter"
	"slices"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	"golang.org/x/image/webp"
)

// maxChunks limits the parts of a WebP file before its picture; about five are needed.
const maxChunks = 1000

// webpFrame is the picture of a WebP file; the first frame of an animation.
type webpFrame struct {
	canvas   image.Point // size of the whole picture
	at, size image.Point // the frame's place there
	lossless bool
	picture  []byte // content of the chunk VP8L, or VP8
	alpha    []byte // of the chunk ALPH; nil if there is none
}

// frameOfWebP finds the frame, and rejects one whose size differs from the claimed one: the
// decoder allocates memory for the frame's own size, and assumes that the transparency has the
// same size.
func frameOfWebP(file []byte) (webpFrame, error) {
	claimed, err := webp.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return webpFrame{}, err
	}
	size := image.Point{claimed.Width, claimed.Height}
	frame := webpFrame{canvas: size, size: size}
	moves, chunks := false, 0
	for kind, content := range webpChunks(file) {
		if chunks++; chunks > maxChunks {
			return frame, fmt.Errorf("webp: more than %d chunks", maxChunks)
		}
		const animated, head = 1 << 1, 16
		switch {
		case kind == "VP8X":
			moves = len(content) > 0 && content[0]&animated != 0
		case kind == "ANMF" && moves && len(content) < head:
			return frame, errors.New("webp: the first frame has no header")
		case kind == "ANMF" && moves:
			frame.at = image.Point{2 * number24(content), 2 * number24(content[3:])}
			frame.size = image.Point{1 + number24(content[6:]), 1 + number24(content[9:])}
			if end := frame.at.Add(frame.size); end.X > frame.canvas.X || end.Y > frame.canvas.Y {
				return frame, fmt.Errorf("webp: it has a frame of %v pixels at %v in a picture of %v", frame.size, frame.at, frame.canvas)
			}
			for kind, content := range riffChunks(content[head:]) {
				if frame.take(kind, content) {
					return frame, frame.check()
				}
			}
			return frame, errors.New("webp: the first frame has no picture")
		case frame.take(kind, content):
			return frame, frame.check()
		}
	}
	return frame, errors.New("webp: it contains no picture")
}

// take adds a chunk to the frame, and reports whether it is the last.
func (f *webpFrame) take(kind string, content []byte) (last bool) {
	switch kind {
	case "ALPH":
		f.alpha = content
	case "VP8L": // has transparency of its own
		f.picture, f.alpha, f.lossless = content, nil, true
	case "VP8 ":
		f.picture = content
	}
	return f.picture != nil
}

// check compares the frame's own size with the claimed one.
func (f webpFrame) check() error {
	var size image.Point
	if f.lossless {
		c, err := vp8l.DecodeConfig(bytes.NewReader(f.picture))
		if err != nil {
			return err
		}
		size = image.Point{c.Width, c.Height}
	} else {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(f.picture), len(f.picture))
		header, err := d.DecodeFrameHeader()
		if err != nil {
			return err
		}
		size = image.Point{header.Width, header.Height}
	}
	if size != f.size {
		return fmt.Errorf("webp: it has a frame of %d×%d pixels in a picture of %d×%d", size.X, size.Y, f.size.X, f.size.Y)
	}
	return nil
}

func configWebP(file []byte) (image.Config, error) {
	frame, err := frameOfWebP(file)
	return image.Config{Width: frame.canvas.X, Height: frame.canvas.Y}, err
}

func decodeWebP(file []byte) (image.Image, error) {
	frame, err := frameOfWebP(file)
	if err != nil {
		return nil, err
	}
	picture, err := frame.decode()
	if err != nil {
		return nil, err
	}
	return onCanvas(picture, frame.at, frame.canvas), nil
}

// decode decodes the frame, and checks that this uses all of its bytes: after damage a decoder
// stops too early as often as too late, but reports only the latter. A separate chunk of
// transparency is not checked.
func (f webpFrame) decode() (picture image.Image, err error) {
	spare := false // whether some bytes are not needed
	if f.lossless {
		reader := bytes.NewReader(f.picture) // read byte by byte, without reading ahead
		picture, err = vp8l.Decode(reader)
		spare = reader.Len() > spareBytes
	} else {
		picture, err = webp.Decode(bytes.NewReader(f.still()))
		spare = err == nil && f.decodesWithout(spareBytes)
	}
	if err == nil && spare {
		err = errors.New("webp: the number of samples does not match its size")
	}
	return picture, err
}

// still returns a WebP file with only a lossy frame.
func (f webpFrame) still() []byte {
	file := []byte("WEBP")
	if f.alpha != nil {
		const transparent = 1 << 4
		described := []byte{transparent, 0, 0, 0}
		for _, n := range []int{f.size.X - 1, f.size.Y - 1} {
			described = append(described, byte(n), byte(n>>8), byte(n>>16))
		}
		file = slices.Concat(file, riffChunk("VP8X", described), riffChunk("ALPH", f.alpha))
	}
	return riffChunk("RIFF", append(file, riffChunk("VP8 ", f.picture)...))
}

// decodesWithout reports whether a lossy frame can be decoded without its last bytes, padding
// aside.
func (f webpFrame) decodesWithout(last int) bool {
	content := bytes.TrimRight(f.picture, "\x00")
	if len(content) <= last {
		return false
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(content), len(content)-last)
	if _, err := d.DecodeFrameHeader(); err != nil {
		return false
	}
	_, err := d.DecodeFrame()
	return err == nil
}

// exifWebP finds the TIFF block of a WebP file, the chunk EXIF. Some programs start it like a
// JPEG's.
func exifWebP(file []byte) []byte {
	for kind, content := range webpChunks(file) {
		if kind == "EXIF" {
			return bytes.TrimPrefix(content, []byte("Exif\x00\x00"))
		}
	}
	return nil
}

// webpChunks returns the chunks of a WebP file; the last may be cut off.
func webpChunks(file []byte) iter.Seq2[string, []byte] { return riffChunks(file[min(12, len(file)):]) }

// riffChunks returns chunks that follow one another; the last may be cut off.
func riffChunks(content []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := int64(0); at+8 <= int64(len(content)); {
			size := int64(binary.LittleEndian.Uint32(content[at+4:]))
			end := min(at+8+size, int64(len(content)))
			if !yield(string(content[at:at+4]), content[at+8:end]) {
				return
			}
			at = end + size%2
		}
	}
}

// riffChunk returns a chunk.
func riffChunk(kind string, content []byte) []byte {
	chunk := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(content)))
	return append(append(chunk, content...), make([]byte, len(content)%2)...)
}

// number24 returns a number of three bytes, lowest first.
func number24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
