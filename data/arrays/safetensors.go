package arrays

import (
	"errors"
	"fmt"

	"glimpse/internal/safetensors"
)

// openSafetensors opens a file with one array per image, or with features N×R×D, names in the
// metadata or beside it and, optionally, counts N.
func (s *Set) openSafetensors(size int64, names string) error {
	header, err := safetensors.Read(s.file, size)
	if err != nil {
		return err
	}
	var features, counts *safetensors.Tensor
	for i := range header.Tensors {
		switch t := &header.Tensors[i]; t.Name {
		case featuresArray:
			features = t
		case countsArray:
			counts = t
		}
	}
	if features != nil {
		return s.openTensors(features, counts, header.Metadata[namesArray], names)
	}
	if names != "" {
		return errors.New("its tensors are named after their images; remove encoder.names")
	}
	for _, t := range header.Tensors {
		k, err := tensorKind(&t)
		if err != nil {
			return err
		}
		b, err := perImage(k, t.Shape, t.Begin)
		if err != nil {
			return fmt.Errorf("image %q (byte %d) %w", t.Name, t.Begin, err)
		}
		s.add(t.Name, place{block: b})
	}
	return nil
}

// openTensors opens one tensor of all images. listed are the names in the metadata; "" for none.
func (s *Set) openTensors(features, counts *safetensors.Tensor, listed, names string) error {
	k, err := tensorKind(features)
	if err != nil {
		return err
	}
	var list []string
	if names == "" && listed != "" {
		list, err = parseNames("names in the metadata", []byte(listed))
	} else {
		list, err = namesBeside(s.path, names)
	}
	if err != nil {
		return err
	}
	var numbers []int64
	if counts != nil {
		if wholeSize[counts.DType] == 0 || len(counts.Shape) != 1 || counts.End-counts.Begin > mostNames {
			return fmt.Errorf("tensor %q is %s of shape %v, expected one whole number per image", counts.Name, counts.DType, counts.Shape)
		}
		values := make([]byte, counts.End-counts.Begin)
		if _, err := s.file.ReadAt(values, counts.Begin); err != nil {
			return err
		}
		numbers = wholeNumbers(counts.DType, values)
	}
	return s.addAll(k, features.Shape, features.Begin, list, numbers)
}

// tensorKind returns the type of a tensor's values, which must be numbers.
func tensorKind(t *safetensors.Tensor) (kind, error) {
	k, known := map[string]kind{"F16": float16, "BF16": bfloat16, "F32": float32s, "F64": float64s}[t.DType]
	if !known {
		return k, fmt.Errorf("tensor %q: the values are %s; F16, BF16, F32 and F64 are supported", t.Name, t.DType)
	}
	return k, nil
}
