package data

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
)

func configGIF(file []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(file)) }

// decodeGIF decodes the first frame of a GIF, which may cover only a part of the picture.
func decodeGIF(file []byte) (image.Image, error) {
	size, err := configGIF(file)
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	return onCanvas(frame, frame.Bounds().Min, image.Point{size.Width, size.Height}), nil
}

// memoryGIF counts an index per pixel and, for a partial frame, four channels.
func memoryGIF(_ []byte, pixels int64) (int64, error) { return (1 + 4) * pixels, nil }

// onCanvas draws a frame on a transparent canvas, and returns one that covers the canvas
// unchanged.
func onCanvas(frame image.Image, at, size image.Point) image.Image {
	if frame.Bounds().Size() == size {
		return frame
	}
	canvas := image.NewNRGBA(image.Rectangle{Max: size})
	draw.Draw(canvas, frame.Bounds().Sub(frame.Bounds().Min).Add(at), frame, frame.Bounds().Min, draw.Src)
	return canvas
}
