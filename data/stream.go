package data

import (
	"math/bits"
	"math/rand/v2"
)

// stream is a source of reproducible random choices. Only the generator is from the standard
// library (PCG, whose output is fixed); the methods are our own, so that no Go release can change
// an order that checkpoints rely on.
type stream struct{ pcg *rand.PCG }

// newStream returns the stream for a seed and a use. Streams for different seeds or uses are
// unrelated.
func newStream(seed int64, use ...uint64) stream {
	low := uint64(0x676c696d707365) // any constant: it only starts the mixing
	for _, u := range use {
		low = mix(low ^ u)
	}
	return stream{rand.NewPCG(mix(uint64(seed)), low)}
}

// mix is the SplitMix64 finalizer (Steele, Lea and Flood 2014): it turns
// neighbouring numbers into unrelated ones.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns a number from 0 to n-1, n > 0. Its bias is under n/2^64.
func (s stream) below(n int) int {
	high, _ := bits.Mul64(s.pcg.Uint64(), uint64(n))
	return int(high)
}

// unit returns a number in [0, 1), a multiple of 2^-53.
func (s stream) unit() float64 { return float64(s.pcg.Uint64()>>11) / (1 << 53) }

// within returns a number in [-reach, reach).
func (s stream) within(reach float64) float64 { return (float64(2*s.unit()) - 1) * reach }

// shuffle puts xs into random order (Fisher and Yates).
func shuffle[T any](s stream, xs []T) {
	for i := len(xs) - 1; i > 0; i-- {
		j := s.below(i + 1)
		xs[i], xs[j] = xs[j], xs[i]
	}
}

// pick returns k different numbers from 0 to n-1 in random order, k <= n.
func pick(s stream, n, k int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	shuffle(s, all)
	return all[:k]
}

// The uses of streams.
const (
	useScene uint64 = iota + 1
	useCaption
	useEpoch
	useView
	useCrop
)
