package torch

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRecurrence times a step of training of either recurrence, forward and backward, in turn: the processor's time
// of the whole process, medians, at the sizes of a batch of experiments/flickr8k.yaml.
func BenchmarkRecurrence(b *testing.B) {
	const h = 512
	var steps []int64 // 938 words of 80 captions
	rows := int64(0)
	for _, n := range []int64{80, 80, 80, 80, 80, 79, 78, 75, 68, 60, 51, 41, 31, 22, 13, 9, 6, 3, 2} {
		steps, rows = append(steps, n), rows+n
	}
	SetThreads(1)
	taken := map[string][]float64{}
	err := Run(func(s *Scope) error {
		Seed(1)
		sizes := s.FromInts(CPU, steps, int64(len(steps)))
		normal := func(shape ...int64) *Tensor { return s.Normal(CPU, 0, 0.05, shape...) }
		leaf := func(shape ...int64) *Tensor {
			t := s.Parameter(normal(shape...))
			b.Cleanup(t.Free)
			return t
		}
		start, memory, above := normal(steps[0], h), normal(steps[0], h), normal(rows, h)
		gru := []*Tensor{leaf(rows, 3*h), leaf(3*h, h), leaf(3 * h)}
		lstm := []*Tensor{leaf(rows, 4*h), leaf(4*h, h), leaf(4 * h)}
		kinds := map[string]func(s *Scope) *Tensor{
			"gru":  func(s *Scope) *Tensor { return s.PackedGRU(gru[0], start, gru[1], gru[2], sizes) },
			"lstm": func(s *Scope) *Tensor { t, _ := s.PackedLSTM(lstm[0], start, memory, lstm[1], lstm[2], sizes); return t },
		}
		for b.Loop() {
			for name, kind := range kinds {
				before := processorTime(b)
				err := s.Do(func(s *Scope) error {
					s.ZeroGrad(gru)
					s.ZeroGrad(lstm)
					s.Backward(s.Sum(s.Mul(kind(s), above)))
					return s.Err()
				})
				if err != nil {
					return err
				}
				taken[name] = append(taken[name], (processorTime(b) - before).Seconds()*1000)
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	median := func(name string) float64 {
		slices.Sort(taken[name])
		return taken[name][len(taken[name])/2]
	}
	b.ReportMetric(median("gru"), "gru-ms")
	b.ReportMetric(median("lstm"), "lstm-ms")
	b.ReportMetric(median("lstm")/median("gru"), "ratio")
}

// processorTime is what this process has had of the processors.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
