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

// maxChunks is how many parts a WebP file may have before its picture: one needs some five.
const maxChunks = 1000

// webpFrame is the picture of a WebP file: of one that moves, the first.
type webpFrame struct {
	file   []byte      // a file that does not move
	canvas image.Point // size of the whole picture
	at     image.Point // where the frame lies there
}

// frameOfWebP finds the frame, and refuses one that does not have the size that was claimed for it: the decoder makes room
// for the frame, whatever size was claimed, and takes the transparency to be as large as the frame.
func frameOfWebP(file []byte) (webpFrame, error) {
	claimed, err := webp.DecodeConfig(bytes.NewReader(file))
	frame := webpFrame{file: file, canvas: image.Point{claimed.Width, claimed.Height}}
	if err != nil {
		return frame, err
	}
	moves, chunks := false, 0
	for kind, content := range webpChunks(file) {
		if chunks++; chunks > maxChunks {
			return frame, fmt.Errorf("webp: more than %d chunks", maxChunks)
		}
		switch kind {
		case "VP8X":
			const animated = 1 << 1
			moves = len(content) > 0 && content[0]&animated != 0
		case "ANMF":
			if moves {
				return frame, frame.first(content)
			}
		case "VP8 ", "VP8L":
			return frame, checkFrame(kind, content, frame.canvas)
		}
	}
	return frame, nil // the decoder tells what is missing
}

// first takes the first frame of a file that moves: its place, and a file of its own.
func (f *webpFrame) first(content []byte) error {
	const head = 16
	if len(content) < head {
		return errors.New("webp: the first frame has no head")
	}
	f.at = image.Point{2 * number24(content), 2 * number24(content[3:])}
	size := image.Point{1 + number24(content[6:]), 1 + number24(content[9:])}
	if end := f.at.Add(size); end.X > f.canvas.X || end.Y > f.canvas.Y {
		return fmt.Errorf("webp: a frame of %d×%d pixels at %d,%d of a picture of %d×%d", size.X, size.Y, f.at.X, f.at.Y, f.canvas.X, f.canvas.Y)
	}
	var alpha, still []byte
	for kind, part := range riffChunks(content[head:]) {
		switch kind {
		case "ALPH":
			const transparent = 1 << 4
			described := []byte{transparent, 0, 0, 0}
			for _, n := range []int{size.X - 1, size.Y - 1} {
				described = append(described, byte(n), byte(n>>8), byte(n>>16))
			}
			alpha = slices.Concat(riffChunk("VP8X", described), riffChunk(kind, part))
		case "VP8 ", "VP8L":
			if err := checkFrame(kind, part, size); err != nil {
				return err
			}
			if kind == "VP8L" { // has its own transparency
				alpha = nil
			}
			still = riffChunk("RIFF", slices.Concat([]byte("WEBP"), alpha, riffChunk(kind, part)))
		}
		if still != nil {
			f.file = still
			return nil
		}
	}
	return errors.New("webp: the first frame has no picture")
}

// checkFrame compares the size of a frame by its own header with the one that was claimed.
func checkFrame(kind string, content []byte, claimed image.Point) error {
	var size image.Point
	if kind == "VP8L" {
		c, err := vp8l.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return err
		}
		size = image.Point{c.Width, c.Height}
	} else {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(content), len(content))
		header, err := d.DecodeFrameHeader()
		if err != nil {
			return err
		}
		size = image.Point{header.Width, header.Height}
	}
	if size != claimed {
		return fmt.Errorf("webp: a frame of %d×%d pixels in a picture of %d×%d", size.X, size.Y, claimed.X, claimed.Y)
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
	picture, err := webp.Decode(bytes.NewReader(frame.file))
	if err != nil {
		return nil, err
	}
	return onCanvas(picture, frame.at, frame.canvas), nil
}

// exifWebP finds the TIFF block of a WebP file, the chunk EXIF. Some programs begin it as JPEG's.
func exifWebP(file []byte) []byte {
	for kind, content := range webpChunks(file) {
		if kind == "EXIF" {
			return bytes.TrimPrefix(content, []byte("Exif\x00\x00"))
		}
	}
	return nil
}

// webpChunks gives the chunks of a WebP file; the last may be cut off.
func webpChunks(file []byte) iter.Seq2[string, []byte] { return riffChunks(file[min(12, len(file)):]) }

// riffChunks gives chunks that follow one another; the last may be cut off.
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

// riffChunk makes a chunk.
func riffChunk(kind string, content []byte) []byte {
	chunk := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(content)))
	return append(append(chunk, content...), make([]byte, len(content)%2)...)
}

// number24 is a number of three bytes, the lowest first.
func number24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
