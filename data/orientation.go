package data

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/draw"
)

// Cameras store a picture as the sensor saw it, and in its Exif data how to turn it. The Exif
// data are a TIFF block inside the picture's file, at a place that depends on the format.

// exifJPEG finds the TIFF block of a JPEG file, in a segment before the first scan; nil if there
// is none.
func exifJPEG(file []byte) []byte {
	for marker, content := range jpegSegments(file) {
		if tiff, found := bytes.CutPrefix(content, []byte("Exif\x00\x00")); found && marker == 0xE1 {
			return tiff
		}
	}
	return nil
}

// exifPNG finds the TIFF block of a PNG file, the chunk eXIf.
func exifPNG(file []byte) []byte {
	for at := 8; at+12 <= len(file); {
		size := int64(binary.BigEndian.Uint32(file[at:]))
		if size > int64(len(file)-at-12) {
			return nil
		}
		if string(file[at+4:at+8]) == "eXIf" {
			return file[at+8 : at+8+int(size)]
		}
		at += 12 + int(size)
	}
	return nil
}

// orientation returns tag 274 of a TIFF block's first directory, 1 to 8; 1 (upright) if it is
// absent or invalid. It should be a SHORT, but any whole number is accepted.
func orientation(tiff []byte) int {
	const tag = 274
	d, _ := readTIFF(tiff)
	if o := d.value(tag, 0, 1); o >= 1 && o <= 8 {
		return int(o)
	}
	return 1
}

// upright turns and mirrors a picture according to its orientation.
func upright(source image.Image, orientation int) image.Image {
	if orientation == 1 {
		return source
	}
	from := source.Bounds()
	w, h := from.Dx(), from.Dy()
	flat := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(flat, flat.Rect, source, from.Min, draw.Src)
	turned := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		turned = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range turned.Rect.Dy() {
		for x := range turned.Rect.Dx() {
			u, v := x, y // where the pixel comes from
			switch orientation {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = y, h-1-x
			case 7:
				u, v = w-1-y, h-1-x
			case 8:
				u, v = w-1-y, x
			}
			copy(turned.Pix[turned.PixOffset(x, y):][:4], flat.Pix[flat.PixOffset(u, v):])
		}
	}
	return turned
}
