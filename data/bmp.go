package data

import (
	"bytes"
	"errors"
	"image"
	"image/color"

	"golang.org/x/image/bmp"
)

func configBMP(file []byte) (image.Config, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(file))
	if errors.Is(err, bmp.ErrUnsupported) {
		err = unsupported{"an unusual BMP (compressed, 16 bits per pixel, or OS/2)", toPNG}
	}
	return c, err
}

// decodeBMP decodes a BMP. Colours missing from its palette are black.
func decodeBMP(file []byte) (image.Image, error) {
	picture, err := bmp.Decode(bytes.NewReader(file))
	if p, ok := picture.(*image.Paletted); ok {
		for len(p.Palette) < 256 {
			p.Palette = append(p.Palette, color.RGBA{A: 255})
		}
	}
	return picture, err
}

func memoryBMP(_ []byte, pixels int64) (int64, error) { return 4 * pixels, nil }
