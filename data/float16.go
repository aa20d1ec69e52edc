package data

import "math"

// Float16 returns the bits of the nearest IEEE 754 half-precision number, with ties to even.
// Magnitudes from 65520 become infinite; NaN stays NaN.
func Float16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN: keep the top of its payload, and quiet it
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // 65520, half way between the largest half and 2^16
		return sign | 0x7c00
	case b >= 0x38800000: // 2^-14 and above: normal. Rounding may carry into the exponent, rightly.
		b -= (127 - 15) << 23
		return sign | uint16((b+0xfff+b>>13&1)>>13)
	case b < 0x33000000: // below 2^-25, half of the smallest subnormal
		return sign
	default: // subnormal: in units of 2^-24
		shift := 126 - b>>23 // 14 to 24 bits of the 24-bit significand fall off
		significand := b&0x7fffff | 0x800000
		half := uint32(1) << (shift - 1)
		return sign | uint16((significand+half-1+significand>>shift&1)>>shift)
	}
}

// Float32 widens half-precision bits to the same number, exactly.
func Float32(bits uint16) float32 {
	sign := uint32(bits&0x8000) << 16
	exponent, fraction := uint32(bits>>10&0x1f), uint32(bits&0x3ff)
	switch exponent {
	case 0: // zero or subnormal
		x := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(x) | sign)
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	default:
		return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
	}
}
