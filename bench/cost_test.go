package bench

import (
	"testing"

	"glimpse/experiments"
)

// TestStepCosts compares with sums done by hand for B=2, N=4, M=20, T=5, V=30, R=9, D=16, E=6, H=8,
// K=4.
func TestStepCosts(t *testing.T) {
	shape := StepShape{Images: 2, Captions: 4, Positions: 20, Steps: 5, Vocabulary: 30, Regions: 9, Features: 16}
	// The products of none: global feature, first state, gates from image, words and state (4×8×24
	// in each of five steps), vocabulary.
	none := 2 * (2*(2*16*6) + 2*(2*16*8) + 3*(2*6*24) + 3*(20*6*24) + 3*5*(4*8*24) + 3*(20*8*30))
	uniform := none + 2*2*(18*16*8)
	soft := uniform + 2*3*(18*8*4+20*8*4+2*10*9*8)
	adaptive := soft + 2*3*(2*6*8+20*6*8+20*8*8+20*8*4)
	// What an LSTM adds: its gates are 32 wide, not 24, and the picture gives the first memory
	// cell.
	memory := 2 * (2*(2*16*8) + 3*(2*6*8) + 3*(20*6*8) + 3*5*(4*8*8))
	for _, kind := range []struct {
		arm, cell string
		want      int
	}{
		{"none", "", none}, {"uniform", "", uniform}, {"soft", "", soft}, {"adaptive", "", adaptive},
		{"none", "lstm", none + memory}, {"adaptive", "lstm", adaptive + memory},
	} {
		arm, want := kind.arm, kind.want
		flops, bytes, tanh := 0.0, 0, 0
		model := experiments.Model{Embedding: 6, Hidden: 8, Cell: kind.cell, AttentionSize: 4, Attention: arm, Layers: 1}
		for _, c := range stepCosts(model, shape, 1000) {
			flops += c.flops()
			bytes += c.bytes
			tanh += c.tanh
		}
		if flops != float64(want) {
			t.Errorf("%s %s: %v FLOP, want %d", arm, kind.cell, flops, want)
		}
		wantBytes, wantTanh := 10*2*9*16+16*20*30+32*1000, 0
		if arm != "none" {
			wantBytes += 9 * 2 * 9 * 16
		}
		if arm == "soft" || arm == "adaptive" {
			wantTanh = 2 * 20 * 9 * 4
		}
		if bytes != wantBytes || tanh != wantTanh {
			t.Errorf("%s: %d bytes and %d tanh, want %d and %d", arm, bytes, tanh, wantBytes, wantTanh)
		}
	}
}
