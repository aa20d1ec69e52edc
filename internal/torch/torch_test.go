package torch

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		op   func(s *Scope)
		want string
	}{
		{"shapes", func(s *Scope) { s.MatMul(s.Zeros(CPU, Float, 2, 3), s.Zeros(CPU, Float, 4, 5)) }, "matmul([2 3], [4 5])"},
		{"values", func(s *Scope) { s.FromFloats(CPU, []float32{1, 2}, 3) }, "needs 3 values, got 2"},
		{"negative size", func(s *Scope) { s.FromInts(CPU, nil, -1) }, "negative"},
		{"dimension", func(s *Scope) { s.Softmax(s.Zeros(CPU, Float, 2), 5) }, "softmax([2])"},
		{"index", func(s *Scope) { s.Select(s.Zeros(CPU, Float, 2, 2), 0, s.FromInts(CPU, []int64{7}, 1)) }, "index"},
		{"freed operand", func(s *Scope) { x := s.Zeros(CPU, Float, 1); x.Free(); s.Tanh(x) }, "operand 1 is empty"},
		{"backward of a vector", func(s *Scope) {
			p := s.Parameter(s.Zeros(CPU, Float, 2))
			defer p.Free()
			s.Backward(s.Tanh(p))
		}, "backward([2])"},
		{"target", func(s *Scope) { s.CrossEntropy(s.Zeros(CPU, Float, 1, 3), s.FromInts(CPU, []int64{3}, 1), 0) }, "target 3 of row 0"},
		{"packed sizes", func(s *Scope) {
			s.PackedGRU(s.Zeros(CPU, Float, 5, 6), s.Zeros(CPU, Float, 2, 2), s.Zeros(CPU, Float, 6, 2), s.Zeros(CPU, Float, 6), s.FromInts(CPU, []int64{2, 1}, 2))
		}, "do not add up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Run(func(s *Scope) error { c.op(s); return nil })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "frame #") {
				t.Errorf("the stack trace of C++ is in the error: %v", err)
			}
		})
	}
}

func TestOutOfMemory(t *testing.T) {
	err := Run(func(s *Scope) error { s.Zeros(CPU, Float, 1<<46); return nil })
	if !errors.Is(err, ErrOutOfMemory) {
		t.Fatalf("error %v, want out of memory", err)
	}
	// the process goes on
	err = Run(func(s *Scope) error { _, err := s.Item(s.Sum(s.Full(CPU, 2, 3))); return err })
	if err != nil {
		t.Fatal(err)
	}
}

func TestFromIntLists(t *testing.T) {
	devices := []Device{CPU}
	if _, err := CUDADevices(); err == nil {
		devices = append(devices, 0)
	}
	want := [][]int64{{3, 1}, {}, {2}, {7, 8, 9}}
	err := Run(func(s *Scope) error {
		for _, device := range devices {
			for i, list := range s.FromIntLists(device, want...) {
				if got, err := s.Ints(list); err != nil || !slices.Equal(got, want[i]) {
					t.Errorf("device %v: list %d is %v, want %v: %v", device, i, got, want[i], err)
				}
			}
		}
		return s.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// After the first error nothing runs, and that error is the one returned.
func TestFirstErrorStays(t *testing.T) {
	err := Run(func(s *Scope) error {
		bad := s.MatMul(s.Zeros(CPU, Float, 2), s.Zeros(CPU, Float, 3))
		next := s.Tanh(s.Add(bad, bad))
		if next.Shape() != nil || next.Size(0) != 0 || next.Len() != 0 {
			t.Error("an operation after the error gave a tensor")
		}
		if _, err := s.Floats(next); err == nil {
			t.Error("reading an empty tensor gave no error")
		}
		if err := s.Do(func(*Scope) error { t.Error("a failed scope ran an inner one"); return nil }); err == nil {
			t.Error("a failed scope hides its error from an inner one")
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "matmul") {
		t.Fatalf("error %v, want that of matmul", err)
	}
}

func TestScopesFree(t *testing.T) {
	err := Run(func(s *Scope) error {
		before := resident(t)
		for range 200 {
			if err := s.Do(func(s *Scope) error { s.Full(CPU, 1, 1<<20); return nil }); err != nil { // 8 MB
				return err
			}
		}
		if grown := resident(t) - before; grown > 64<<20 {
			t.Errorf("200 scopes of 8 MB left %d MB behind", grown>>20)
		}
		kept := &Tensor{}
		if err := s.Do(func(s *Scope) error { kept = s.Keep(s.Full(CPU, 3, 2)); return nil }); err != nil {
			return err
		}
		defer kept.Free()
		v, err := s.Floats(kept)
		if !slices.Equal(v, []float32{3, 3}) {
			t.Errorf("kept tensor is %v", v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Tensors of ever other sizes, with small ones kept between them, take the memory of those before them.
func TestMemoryIsReused(t *testing.T) {
	err := Run(func(s *Scope) error {
		var before int64
		var small []*Tensor
		defer func() {
			for _, kept := range small {
				kept.Free()
			}
		}()
		for i := range int64(400) {
			m := 900 + 37*i%200
			err := s.Do(func(inner *Scope) error {
				logits := inner.Full(CPU, 1, m, 2543) // 9 to 11 MB
				inner.Full(CPU, 1, 3*m, 512)
				small = append(small, inner.Keep(inner.Full(CPU, 1, 1000+i)))
				inner.Softmax(logits, 1)
				return nil
			})
			if err != nil {
				return err
			}
			if i == 20 {
				before = resident(t)
			}
		}
		if grown := resident(t) - before; grown > 16<<20 {
			t.Errorf("tensors of 31 MB at most made the process grow by %d MB", grown>>20)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// resident is the memory that the process holds, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("memory of the process is read from /proc, which is not there")
	}
	var pages int64
	for _, c := range strings.Fields(string(text))[1] {
		pages = pages*10 + int64(c-'0')
	}
	return pages * int64(os.Getpagesize())
}

// Grad mode and inference mode belong to threads; goroutines must not mix them.
func TestModesStayWithTheirScope(t *testing.T) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 {
				err := Run(func(s *Scope) error {
					p := s.Parameter(s.Full(CPU, 2, 1))
					defer p.Free()
					if i%2 == 0 {
						return s.Inference(func(s *Scope) error { s.Mul(p, p); return nil })
					}
					s.Backward(s.Sum(s.Mul(p, p)))
					g, err := s.Item(s.Grad(p))
					if g != 4 {
						t.Errorf("gradient of p² at 2 is %v", g)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestGeneratorState(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(5)
		state, err := s.GeneratorState(CPU)
		if err != nil {
			return err
		}
		a, err := s.Floats(s.Uniform(CPU, 0, 1, 4))
		if err != nil {
			return err
		}
		if err := s.SetGeneratorState(CPU, state); err != nil {
			return err
		}
		b, err := s.Floats(s.Uniform(CPU, 0, 1, 4))
		if !slices.Equal(a, b) {
			t.Errorf("the same state gave %v and %v", a, b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = Run(func(s *Scope) error { return s.SetGeneratorState(CPU, []byte("short")) })
	if err == nil {
		t.Error("a state of five bytes was accepted")
	}
}

func TestParseDevice(t *testing.T) {
	for _, name := range []string{"gpu", "cuda:x", "cuda:-1", "cuda:999"} {
		if _, err := ParseDevice(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("device %q: error %v", name, err)
		}
	}
	for _, name := range []string{"cpu", "auto", ""} {
		if _, err := ParseDevice(name); err != nil {
			t.Errorf("device %q: %v", name, err)
		}
	}
}

// What a GPU has besides tensors: a name, a generator whose state can be put
// back, and deterministic products.
func TestCUDA(t *testing.T) {
	if _, err := CUDADevices(); err != nil {
		t.Skip(err)
	}
	gpu := Device(0)
	if gpu.Name() == "" {
		t.Error("the GPU has no name")
	}
	SetDeterministic(true)
	defer SetDeterministic(false)
	err := Run(func(s *Scope) error {
		Seed(6)
		state, err := s.GeneratorState(gpu)
		if err != nil {
			return err
		}
		x := s.Normal(CPU, 0, 1, 500, 300)
		product := func() []float32 {
			if err := s.SetGeneratorState(gpu, state); err != nil {
				t.Fatal(err)
			}
			y := s.Dropout(s.To(x, gpu), 0.5, true)
			values, err := s.Floats(s.MatMul(y, s.Permute(y, 1, 0)))
			if err != nil {
				t.Fatal(err)
			}
			return values
		}
		if !slices.Equal(product(), product()) {
			t.Error("the same state gave another dropout, or another product")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The number of threads belongs to a thread of the operating system: what others are told meanwhile does not change it.
func TestThreadsOfEachThread(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	SetThreads(2)
	var begun, ended sync.WaitGroup
	told := make(chan struct{})
	for range 20 { // more than there are idle threads, which have computed before
		begun.Add(1)
		ended.Go(func() {
			_ = Run(func(*Scope) error {
				begun.Done()
				<-told
				if got := Threads(); got != 2 {
					t.Errorf("%d threads, want 2", got)
				}
				end := OneThread()
				alone := Threads()
				end()
				if alone != 1 || Threads() != 2 {
					t.Errorf("%d threads for OneThread and then %d", alone, Threads())
				}
				return nil
			})
		})
	}
	begun.Wait()
	SetThreads(5)
	close(told)
	ended.Wait()
}
