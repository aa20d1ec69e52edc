package models

import (
	"fmt"
	"testing"

	"glimpse/data"
	"glimpse/internal/torch"
)

// BenchmarkEncoders reports pictures a second through each frozen encoder, decoding not included.
func BenchmarkEncoders(b *testing.B) {
	for _, name := range []string{"efficientnet_lite0", "efficientnet_lite2", "resnet18", "resnet50", "inception_v3"} {
		for _, batch := range []int{8, 16, 32} {
			b.Run(fmt.Sprintf("%s/batch%d", name, batch), func(b *testing.B) {
				benchmarkEncoder(b, name, batch)
			})
		}
	}
}

func benchmarkEncoder(b *testing.B, name string, batch int) {
	size := 224
	if name == "inception_v3" {
		size = 299
	}
	spec, err := data.SpecOf(name, size, 0, "")
	if err != nil {
		b.Fatal(err)
	}
	err = torch.Run(func(s *torch.Scope) error {
		f, err := newFrozen(s, torch.CPU, spec, weightsFile{seed: 1})
		if err != nil {
			return err
		}
		defer f.free()
		pixels := make([]float32, batch*3*size*size)
		for i := range pixels {
			pixels[i] = float32(i%251)/125 - 1
		}
		b.ResetTimer()
		for range b.N {
			err := s.Inference(func(s *torch.Scope) error {
				_, err := s.Halfs(f.Forward(s, f.batch(s, pixels)))
				return err
			})
			if err != nil {
				return err
			}
		}
		b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "pictures/s")
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
