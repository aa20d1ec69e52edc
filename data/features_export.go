package data

import (
	"encoding/json"
	"fmt"
	"io"

	"glimpse/internal/atomicfile"
	"glimpse/internal/safetensors"
)

// Export writes the features of the images in the splits of d, for which the cache was opened, to
// a safetensors file: features N×R×D float16, and in the metadata (names) a JSON list of the
// images' ids in the same order. [OpenPrecomputed] reads it. For a missing row its error wraps
// [ErrFeatures].
func (f *Features) Export(path string, d *Dataset) error {
	images := d.inSplits()
	ids := make([]string, len(images))
	for k, i := range images {
		ids[k] = d.Images[i].ID
	}
	names, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	shape := []int64{int64(len(images)), int64(f.spec.Regions), int64(f.spec.Dim)}
	header, err := safetensors.Encode([]safetensors.Tensor{{Name: "features", DType: "F16", Shape: shape}}, map[string]string{
		"names": string(names), "encoder": f.spec.Encoder, "weights_sha256": f.spec.WeightsSHA256, "preprocessing": f.spec.Preprocessing,
	})
	if err != nil {
		return fmt.Errorf("export features: %w", err)
	}
	row := make([]uint16, f.spec.Regions*f.spec.Dim)
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, i := range images {
			if err := f.Read(i, row); err != nil {
				return err
			}
			if _, err := w.Write(bytesOf(row)); err != nil {
				return err
			}
		}
		return nil
	})
}
