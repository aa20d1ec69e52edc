package data

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
)

func configGIF(file []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(file)) }

// decodeGIF decodes the first frame of a GIF, which may be a part of its picture.
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

// memoryGIF is an index a pixel and, where the frame is a part of the picture, four channels.
func memoryGIF(_ []byte, pixels int64) (int64, error) { return (1 + 4) * pixels, nil }

// onCanvas lays a frame on a transparent canvas; one that covers it stays as it is.
func onCanvas(frame image.Image, at, size image.Point) image.Image {
	if frame.Bounds().Size() == size {
		return frame
	}
	canvas := image.NewNRGBA(image.Rectangle{Max: size})
	draw.Draw(canvas, frame.Bounds().Sub(frame.Bounds().Min).Add(at), frame, frame.Bounds().Min, draw.Src)
	return canvas
}
