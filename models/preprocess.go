package models

import "glimpse/captioner"

// pixelTable holds the float of each byte, for each channel.
type pixelTable [3][256]float32

// tableOf returns the normalised value of each byte.
func tableOf(n captioner.Normalisation) *pixelTable {
	t := &pixelTable{}
	for c := range t {
		for x := range t[c] {
			t[c][x] = (float32(x)/n.Scale - n.Mean[c]) / n.Deviation[c]
		}
	}
	return t
}

// apply normalises RGB bytes into dst, of the same length and order (channels innermost).
func (t *pixelTable) apply(dst []float32, rgb []uint8) {
	for i := 0; i+2 < len(rgb); i += 3 {
		dst[i], dst[i+1], dst[i+2] = t[0][rgb[i]], t[1][rgb[i+1]], t[2][rgb[i+2]]
	}
}
