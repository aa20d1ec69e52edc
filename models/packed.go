package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/atomicfile"
	"glimpse/internal/safetensors"
)

// The metadata of a packed captioner: its description, and the SHA-256, in hex, of that text
// followed by the values of all tensors.
const (
	packedDescription = "glimpse_captioner"
	packedSHA256      = "sha256"
)

// Pack writes the weights of a checkpoint (a path as passed to Captioner.Save) with a description
// to one safetensors file: as float16 if half is set, else as float32. It returns an error for a
// weight that float16 cannot represent. Equal arguments give equal bytes.
func Pack(path, checkpoint, description string, half bool) error {
	weights, err := checkpointWeights(checkpoint)
	if err != nil {
		return err
	}
	listed, values := make([]safetensors.Tensor, len(weights)), make([][]byte, len(weights))
	sum := sha256.New()
	io.WriteString(sum, description)
	for i, t := range weights {
		listed[i] = safetensors.Tensor{Name: t.name, DType: "F32", Shape: t.shape}
		values[i] = littleEndian(t.data)
		if half {
			listed[i].DType = "F16"
			if values[i], err = halves(t); err != nil {
				return fmt.Errorf("pack %s.safetensors: %w", checkpoint, err)
			}
		}
		sum.Write(values[i])
	}
	header, err := safetensors.Encode(listed, map[string]string{
		packedDescription: description, packedSHA256: hex.EncodeToString(sum.Sum(nil)),
	})
	if err != nil {
		return fmt.Errorf("pack %s.safetensors: %w", checkpoint, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(slices.Concat(header, bytes.Join(values, nil)))
		return err
	})
}

// halves are the values of a tensor rounded to float16, as files hold them.
func halves(t namedTensor) ([]byte, error) {
	values := make([]byte, 0, 2*len(t.data))
	for _, x := range t.data {
		bits := data.Float16(x)
		if bits&0x7c00 == 0x7c00 { // infinite or NaN
			return nil, fmt.Errorf("tensor %q contains %g, which half precision cannot represent: use single precision", t.name, x)
		}
		values = binary.LittleEndian.AppendUint16(values, bits)
	}
	return values, nil
}

// PackedDescription returns the description of a packed captioner, without reading its weights.
func PackedDescription(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open the captioner: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("open the captioner: %w", err)
	}
	header, err := safetensors.Read(f, info.Size())
	if err != nil {
		return "", fmt.Errorf("captioner %s: %w", path, err)
	}
	return describedBy(path, header)
}

// describedBy returns the description in the header of a packed captioner.
func describedBy(path string, header safetensors.Header) (string, error) {
	description, packed := header.Metadata[packedDescription]
	if !packed {
		return "", fmt.Errorf("%s is not a packed captioner: its metadata lack %q; make one with `glimpse pack RUN`", path, packedDescription)
	}
	return description, nil
}

// unpack reads the weights of a packed captioner, as float32, and verifies them and the
// description.
func unpack(path string) ([]namedTensor, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open the captioner: %w", err)
	}
	header, err := safetensors.Read(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, fmt.Errorf("captioner %s: %w", path, err)
	}
	description, err := describedBy(path, header)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	io.WriteString(sum, description)
	for _, t := range header.Tensors {
		sum.Write(content[t.Begin:t.End])
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != header.Metadata[packedSHA256] {
		return nil, fmt.Errorf("captioner %s is damaged: its sha256 is %s, not %q", path, got, header.Metadata[packedSHA256])
	}
	weights := make([]namedTensor, len(header.Tensors))
	for i, t := range header.Tensors {
		weights[i] = namedTensor{name: t.Name, shape: t.Shape}
		if weights[i].data, err = floats(t, content[t.Begin:t.End]); err != nil {
			return nil, fmt.Errorf("captioner %s: tensor %q: %w", path, t.Name, err)
		}
	}
	return weights, nil
}

// floats are the values of a tensor of float16 or float32.
func floats(t safetensors.Tensor, raw []byte) (values []float32, err error) {
	switch t.DType {
	case "F32":
		values = make([]float32, len(raw)/4)
		for k := range values {
			values[k] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*k:]))
		}
	case "F16":
		values = make([]float32, len(raw)/2)
		for k := range values {
			values[k] = data.Float32(binary.LittleEndian.Uint16(raw[2*k:]))
		}
	default:
		err = errors.New("its values are " + t.DType + ", expected F16 or F32")
	}
	return values, err
}

// LoadPacked replaces the weights by those of a packed captioner; the rest of the state, such as
// the optimizer's, stays fresh. For a file that is damaged or of another architecture it returns an
// error and leaves the captioner unchanged.
func (c *Captioner) LoadPacked(path string) error {
	weights, err := unpack(path)
	if err != nil {
		return err
	}
	return restore(path, weights, c.params.shapes, tensorGroup{"", c.params.tensors})
}

// PackedPictures is [Engine.Pictures] with the weights of a packed captioner.
func (e Engine) PackedPictures(ctx context.Context, s experiments.Settings, path string, vocabulary []string) (*Pictures, error) {
	weights, err := unpack(path)
	if err != nil {
		return nil, err
	}
	return e.pictures(ctx, s, path, weights, vocabulary)
}
