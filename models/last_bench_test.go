package models

import (
	"fmt"
	"syscall"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// BenchmarkLastBlocks reports the CPU time that the last blocks of EfficientNet-Lite2 take of a step
// with 16 pictures of 224 pixels: while they are not trained yet, while they are, and when captions
// are decoded. Run it with one thread: OMP_NUM_THREADS=1 go test ./models -run - -bench LastBlocks.
func BenchmarkLastBlocks(b *testing.B) {
	for blocks := 1; blocks <= 6; blocks++ {
		for _, part := range []string{"not yet", "trained", "decoding"} {
			b.Run(fmt.Sprintf("%d/%s", blocks, part), func(b *testing.B) {
				if err := torch.Run(func(s *torch.Scope) error { return benchmarkLast(b, s, blocks, part) }); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

func benchmarkLast(b *testing.B, s *torch.Scope, blocks int, part string) error {
	const images = 16
	spec, err := data.SpecOf("efficientnet_lite2", 224, blocks, "")
	if err != nil {
		return err
	}
	f, err := buildFrozen(s, torch.CPU, spec, computedValues, 1)
	if err != nil {
		return err
	}
	defer f.free()
	p, err := newParameters(s, torch.CPU, f.last.shapes, f.last.initial)
	if err != nil {
		return err
	}
	defer p.free()
	f.last.use(p)
	opt, err := newOptimizer(s, experiments.Optimizer{Name: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, torch.CPU, p.tensors)
	if err != nil {
		return err
	}
	defer opt.free()
	given := s.Normal(torch.CPU, 0, 1, images, int64(spec.Regions), int64(spec.Dim))
	step := map[string]func(s *torch.Scope) error{
		"not yet": func(s *torch.Scope) error {
			s.Detach(f.last.of(s, given, true))
			return nil
		},
		"trained": func(s *torch.Scope) error {
			s.ZeroGrad(p.tensors)
			y := f.last.of(s, given, true)
			s.Backward(s.Sum(s.Mul(y, y)))
			scale, err := clip(s, p.tensors, 5)
			if err != nil {
				return err
			}
			return opt.update(s, scale, 1e-5)
		},
		"decoding": func(s *torch.Scope) error {
			return s.Inference(func(s *torch.Scope) error {
				f.last.of(s, given, false)
				return nil
			})
		},
	}[part]
	before := cpuSeconds(b)
	b.ResetTimer()
	for range b.N {
		if err := s.Do(step); err != nil {
			return err
		}
	}
	b.ReportMetric(1000*(cpuSeconds(b)-before)/float64(b.N), "cpu-ms/op")
	return nil
}

// cpuSeconds is the processor time of this process so far.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
