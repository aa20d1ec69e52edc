package data

import (
	"math"
	"testing"
)

func TestFloat16KnownValues(t *testing.T) {
	// Bits from IEEE 754-2008, table 3.5 and its rounding rule (ties to even).
	for _, c := range []struct {
		x    float64
		bits uint16
	}{
		{0, 0}, {math.Copysign(0, -1), 0x8000}, {1, 0x3c00}, {-2, 0xc000}, {65504, 0x7bff},
		{65519, 0x7bff}, {65520, 0x7c00}, {1e9, 0x7c00}, {math.Inf(-1), 0xfc00},
		{0x1p-14, 0x0400}, {0x1p-24, 0x0001}, {0x1p-25, 0}, {0x1.8p-25, 1}, {0x1.8p-24, 2}, {0x1p-26, 0},
		{0x1.ff8p-15, 0x03ff}, {0x1.ffcp-15, 0x0400}, // the largest subnormal; half way above it
		{1 + 0x1p-11, 0x3c00}, {1 + 0x3p-11, 0x3c02}, {1 + 0x1p-11 + 0x1p-20, 0x3c01},
		{1.0 / 3, 0x3555}, {0x1.ffep0, 0x4000},
	} {
		if got := Float16(float32(c.x)); got != c.bits {
			t.Errorf("Float16(%v) = %#04x, want %#04x", c.x, got, c.bits)
		}
	}
	if got := Float16(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("Float16(NaN) = %#04x, which is no NaN", got)
	}
}

// Every half widens and narrows to itself, and every float32 half way between
// two neighbours goes to the even one, its neighbours to the nearer.
func TestFloat16AllBits(t *testing.T) {
	for b := range 1 << 16 {
		h := uint16(b)
		x := Float32(h)
		if nan := h&0x7c00 == 0x7c00 && h&0x3ff != 0; nan != (x != x) {
			t.Fatalf("Float32(%#04x) = %v", h, x)
		} else if nan {
			continue
		}
		if got := Float16(x); got != h {
			t.Fatalf("Float16(Float32(%#04x)) = %#04x", h, got)
		}
		if h&0x7fff >= 0x7bff {
			continue
		}
		middle := (x + Float32(h+1)) / 2 // exact: 12 bits of significand
		if got, want := Float16(middle), h+h&1; got != want {
			t.Fatalf("half way above %#04x: %#04x, want %#04x", h, got, want)
		}
		if got := Float16(math.Nextafter32(middle, x)); got != h {
			t.Fatalf("just nearer to %#04x: %#04x", h, got)
		}
	}
}
