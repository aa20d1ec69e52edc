package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"unsafe"

	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
	"glimpse/internal/safetensors"
)

// namedTensor is a float32 tensor as it stands in a file.
type namedTensor struct {
	name  string
	shape []int64
	data  []float32
}

// writeSafetensors writes float32 tensors in the safetensors format (eight
// bytes of header length, the header as JSON, the values little-endian) to a
// temporary file, flushes it and renames it to path. Equal tensors give equal
// bytes. It returns the sha256 of the file in hex.
func writeSafetensors(path string, tensors []namedTensor) (string, error) {
	listed := make([]safetensors.Tensor, len(tensors))
	for i, t := range tensors {
		listed[i] = safetensors.Tensor{Name: t.name, DType: "F32", Shape: t.shape}
	}
	header, err := safetensors.Encode(listed, nil)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	sum := sha256.New()
	err = atomicfile.WriteMode(path, private.Mode(filepath.Dir(path)), func(f io.Writer) error {
		w := io.MultiWriter(f, sum)
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range tensors {
			if _, err := w.Write(littleEndian(t.data)); err != nil {
				return err
			}
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// readSafetensors reads a file of float32 tensors, in the order of their data. Its SHA-256 must
// be sum.
func readSafetensors(path, sum string) ([]namedTensor, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	if got := hexSHA256(content); got != sum {
		return nil, fmt.Errorf("%s is damaged: its sha256 is %s, not %s", path, got, sum)
	}
	tensors, err := parseSafetensors(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, nil
}

// checkpointWeights reads the weights of a checkpoint (a path as passed to Captioner.Save), and
// verifies them with the checksum in its state.
func checkpointWeights(path string) ([]namedTensor, error) {
	state, err := readState(path)
	if err != nil {
		return nil, err
	}
	return readSafetensors(path+".safetensors", state.WeightsSHA256)
}

func parseSafetensors(content []byte) ([]namedTensor, error) {
	header, err := safetensors.Read(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	tensors := make([]namedTensor, len(header.Tensors))
	for i, t := range header.Tensors {
		if t.DType != "F32" {
			return nil, fmt.Errorf("tensor %q: its values are %s, expected F32", t.Name, t.DType)
		}
		data, err := floats(t, content[t.Begin:t.End])
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		tensors[i] = namedTensor{t.Name, t.Shape, data}
	}
	return tensors, nil
}

// littleEndian returns the bytes of the values as files hold them.
func littleEndian(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	if raw := unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)); isLittleEndian {
		return raw
	}
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

var isLittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
