package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"iter"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	"golang.org/x/image/webp"
)

// maxChunks is how many parts a WebP file may have: one that does not move needs some five.
const maxChunks = 1000

// configWebP reads the size of a WebP file, and refuses one whose frame has
// another: the decoder makes room for the frame, whatever size was claimed, and
// takes the transparency to be as large as the frame.
func configWebP(file io.ReadSeeker, size int64) (image.Config, error) {
	claimed, err := webp.DecodeConfig(file)
	if err != nil {
		return image.Config{}, err
	}
	chunks := 0
	for at := int64(12); at+8 <= size; chunks++ {
		if chunks == maxChunks {
			return image.Config{}, fmt.Errorf("webp: more than %d chunks", maxChunks)
		}
		if _, err := file.Seek(at, io.SeekStart); err != nil {
			return image.Config{}, err
		}
		var head [8]byte
		if _, err := io.ReadFull(file, head[:]); err != nil {
			return image.Config{}, err
		}
		content := int64(binary.LittleEndian.Uint32(head[4:]))
		end := min(at+8+content, size)
		frame := claimed
		switch string(head[:4]) {
		case "VP8 ":
			d := vp8.NewDecoder()
			d.Init(file, int(end-at-8))
			header, err := d.DecodeFrameHeader()
			if err != nil {
				return image.Config{}, err
			}
			frame.Width, frame.Height = header.Width, header.Height
		case "VP8L":
			if frame, err = vp8l.DecodeConfig(io.LimitReader(file, end-at-8)); err != nil {
				return image.Config{}, err
			}
		}
		if frame.Width != claimed.Width || frame.Height != claimed.Height {
			return image.Config{}, fmt.Errorf("webp: a frame of %d×%d pixels in a picture of %d×%d", frame.Width, frame.Height, claimed.Width, claimed.Height)
		}
		at = end + content%2
	}
	return claimed, nil
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
func webpChunks(file []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := int64(12); at+8 <= int64(len(file)); {
			size := int64(binary.LittleEndian.Uint32(file[at+4:]))
			end := min(at+8+size, int64(len(file)))
			if !yield(string(file[at:at+4]), file[at+8:end]) {
				return
			}
			at = end + size%2
		}
	}
}
