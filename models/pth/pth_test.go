package pth

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// base is the sequence that testdata/make_fixtures.py builds its tensors from.
func base(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i)/8 - 1
	}
	return out
}

// pick gives the elements of base at the indices.
func pick(indices ...int) []float32 {
	out := make([]float32, len(indices))
	for i, j := range indices {
		out[i] = float32(j)/8 - 1
	}
	return out
}

func want() map[string]Tensor {
	transposed := make([]int, 0, 24)
	for column := range 6 {
		for row := range 4 {
			transposed = append(transposed, row*6+column)
		}
	}
	inf := float32(math.Inf(1))
	return map[string]Tensor{
		"plain":         {[]int{2, 3, 4}, base(24), "float32"},
		"transposed":    {[]int{6, 4}, pick(transposed...), "float32"},
		"middle":        {[]int{2, 3}, pick(8, 9, 10, 14, 15, 16), "float32"},
		"channels_last": {[]int{1, 2, 3, 4}, base(24), "float32"},
		"scalar":        {nil, []float32{2.5}, "float32"},
		"empty":         {[]int{0, 3}, []float32{}, "float32"},
		"parameter":     {[]int{4}, base(4), "float32"},
		"tied":          {[]int{4}, base(4), "float32"},
		"float64":       {[]int{24}, base(24), "float64"},
		"float16":       {[]int{24}, base(24), "float16"},
		"bfloat16":      {[]int{24}, base(24), "bfloat16"},
		// 6.1e-5 and ±5.96e-8 round to 2^-14 - 2^-24 and ±2^-24 in binary16
		"odd_halves": {[]int{7}, []float32{65504, 1023.0 / (1 << 24), 1.0 / (1 << 24), -1.0 / (1 << 24), inf, -inf,
			float32(math.Copysign(0, -1))}, "float16"},
		"int64": {[]int{3}, []float32{-3, 0, 7}, "int64"},
		"int32": {[]int{3}, []float32{-3, 0, 7}, "int32"},
		"int16": {[]int{3}, []float32{-3, 0, 7}, "int16"},
		"int8":  {[]int{3}, []float32{-3, 0, 7}, "int8"},
		"uint8": {[]int{3}, []float32{0, 7, 255}, "uint8"},
		"bool":  {[]int{2}, []float32{1, 0}, "bool"},
	}
}

func TestRead(t *testing.T) {
	for _, file := range []string{"zip.pth", "protocol4.pth", "legacy.pth", "checkpoint.pth"} {
		t.Run(file, func(t *testing.T) {
			got, err := Read(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			for name, w := range want() {
				if !reflect.DeepEqual(got[name], w) {
					t.Errorf("%s: got %v, want %v", name, got[name], w)
				}
			}
			if len(got) != len(want()) {
				t.Errorf("%d tensors, want %d", len(got), len(want()))
			}
		})
	}
	got, err := Read("testdata/python2.pth")
	wanted := map[string]Tensor{
		"weight":       {[]int{3}, []float32{1, 2, 3}, "float32"},
		"running_mean": {[]int{2}, []float32{-1, 0.5}, "float32"},
	}
	if err != nil || !reflect.DeepEqual(got, wanted) {
		t.Errorf("python2.pth: got %v, %v", got, err)
	}
}

func TestHalfNaN(t *testing.T) {
	if got := half(0x7e00); got == got {
		t.Errorf("half(0x7e00) = %v, want NaN", got)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.pth"), "no such file"},
		{"directory", dir, "not a regular file"},
		{"module", "testdata/module.pth", `contains the class "torch.nn.modules.linear.Linear"`},
		{"script", "testdata/make_fixtures.py", "neither a zip archive nor a pickle"},
	} {
		if _, err := Read(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// Each file is cut at every length, and each byte flipped: none may panic, and none may read as something else.
func TestDamage(t *testing.T) {
	for _, file := range []string{"zip.pth", "legacy.pth", "python2.pth"} {
		whole, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		for n := range whole {
			if _, err := Decode(bytes.NewReader(whole[:n]), int64(n)); err == nil {
				t.Errorf("%s cut to %d of %d bytes is read without an error", file, n, len(whole))
			}
		}
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 0x41
			_, _ = Decode(bytes.NewReader(damaged), int64(len(damaged)))
		}
	}
}
