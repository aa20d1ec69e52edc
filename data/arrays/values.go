package arrays

import (
	"encoding/binary"
	"math"
)

// kind is a type of numbers in a file.
type kind struct {
	name string
	size int64 // bytes of a number
	// convert converts the numbers to float32; bad is the index of the first that is not finite;
	// -1 if all are.
	convert func(to []float32, from []byte) (bad int)
}

var (
	float16  = kind{"float16", 2, convertHalf}
	bfloat16 = kind{"bfloat16", 2, convertBrain}
	float32s = kind{"float32", 4, convertSingle}
	float64s = kind{"float64", 8, convertDouble}
)

// halves are the values of all float16; a table is faster than computing them.
var halves = func() (all [1 << 16]float32) {
	for bits := range all {
		exponent, fraction := bits>>10&0x1f, float64(bits&0x3ff)
		x := math.Ldexp(1+fraction/1024, exponent-15)
		switch exponent {
		case 0:
			x = math.Ldexp(fraction/1024, -14)
		case 0x1f:
			x = math.NaN() // or infinite: both are rejected
		}
		if bits&0x8000 != 0 {
			x = -x
		}
		all[bits] = float32(x)
	}
	return all
}()

func convertHalf(to []float32, from []byte) int {
	bad := -1
	for i := range to {
		to[i] = halves[binary.LittleEndian.Uint16(from[2*i:])]
		if bad < 0 && to[i] != to[i] {
			bad = i
		}
	}
	return bad
}

func convertBrain(to []float32, from []byte) int {
	return convertBits(to, func(i int) uint32 { return uint32(binary.LittleEndian.Uint16(from[2*i:])) << 16 })
}

func convertSingle(to []float32, from []byte) int {
	return convertBits(to, func(i int) uint32 { return binary.LittleEndian.Uint32(from[4*i:]) })
}

// convertDouble rounds to the nearest float32.
func convertDouble(to []float32, from []byte) int {
	return convertBits(to, func(i int) uint32 {
		return math.Float32bits(float32(math.Float64frombits(binary.LittleEndian.Uint64(from[8*i:]))))
	})
}

// convertBits converts numbers whose bits as a float32 are known.
func convertBits(to []float32, bits func(i int) uint32) int {
	const exponent = 0x7f800000
	bad := -1
	for i := range to {
		b := bits(i)
		if to[i] = math.Float32frombits(b); bad < 0 && b&exponent == exponent {
			bad = i
		}
	}
	return bad
}
