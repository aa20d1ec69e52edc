package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"iter"
)

// jpegToJPEG is the command that converts an unusual JPEG.
const jpegToJPEG = "magick IN.jpg OUT.png"

// jpegSegments returns the segments of a JPEG file up to its first scan: marker and content.
func jpegSegments(file []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for at := 2; at+4 <= len(file) && file[at] == 0xFF; {
			marker := file[at+1]
			if marker == 0xFF { // a fill byte
				at++
				continue
			}
			end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
			if marker == 0xDA || end < at+4 || end > len(file) || !yield(marker, file[at+4:end]) { // start of scan, or damaged
				return
			}
			at = end
		}
	}
}

// unusualJPEG returns the unusual kind of a JPEG, by its frame header; "" for a usual one.
func unusualJPEG(file []byte) string {
	for marker, content := range jpegSegments(file) {
		switch {
		case marker < 0xC0 || marker > 0xCF || marker == 0xC4 || marker == 0xC8 || marker == 0xCC: // no frame header
			continue
		case marker == 0xC3 || marker == 0xC7 || marker == 0xCB || marker == 0xCF:
			return "a lossless JPEG"
		case marker >= 0xC9:
			return "an arithmetic-coded JPEG"
		case marker >= 0xC5:
			return "a hierarchical JPEG"
		case len(content) > 0 && content[0] != 8 && content[0] <= 16:
			return fmt.Sprintf("a JPEG of %d bits per sample", content[0])
		}
		return ""
	}
	return ""
}

func configJPEG(file []byte) (image.Config, error) {
	if unusual := unusualJPEG(file); unusual != "" {
		return image.Config{}, unsupported{unusual, jpegToJPEG}
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(file))
	if wanting := jpeg.UnsupportedError(""); errors.As(err, &wanting) && string(wanting) != "unknown marker" {
		err = unsupported{"an unusual kind of JPEG (" + string(wanting) + ")", jpegToJPEG}
	}
	return c, err
}

// adobe is the segment with which Adobe's programs mark four planes as inverted cyan, magenta,
// yellow and black.
const adobe = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"

// decodeJPEG decodes a JPEG and checks that it has as many samples as its size requires. Like
// other programs, it reads four planes that are not marked as Adobe's programs write them.
func decodeJPEG(file []byte) (image.Image, error) {
	planes, told := 0, false
	for marker, content := range jpegSegments(file) {
		switch {
		case marker == 0xEE:
			told = told || bytes.HasPrefix(content, []byte("Adobe"))
		case marker >= 0xC0 && marker <= 0xC2 && len(content) > 5:
			planes = int(content[5])
		}
	}
	var reader io.Reader = bytes.NewReader(file)
	if planes == 4 && !told {
		reader = io.MultiReader(bytes.NewReader(file[:2]), bytes.NewReader([]byte(adobe)), bytes.NewReader(file[2:]))
	}
	if err := checkScans(file); err != nil {
		return nil, err
	}
	return jpeg.Decode(reader)
}
