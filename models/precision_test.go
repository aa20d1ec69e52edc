package models

import (
	"math"
	"testing"

	"glimpse/experiments"
)

// Training in bfloat16 rounds, but goes where training in float32 goes: after three epochs on drawn
// scenes the losses are as close as rounding to 8 bits lets one expect, and not equal.
func TestBfloat16FollowsFloat32(t *testing.T) {
	d := smallScenes(t)
	for _, cell := range []string{"gru", "lstm"} {
		var losses [2]float64
		for i, precision := range []string{"", "bfloat16"} {
			s := smallSettings("adaptive")
			s.Model.Cell, s.Train.Precision = cell, precision
			c := newSmall(t, s, d)
			for range 3 {
				r, err := c.TrainEpoch(t.Context(), quiet)
				if err != nil {
					t.Fatal(err)
				}
				losses[i] = r.Loss
			}
		}
		if d := math.Abs(losses[0]-losses[1]) / losses[0]; d == 0 || d > 0.02 {
			t.Errorf("%s: loss %v in float32 and %v in bfloat16, want them to differ by less than 2 %%", cell, losses[0], losses[1])
		}
	}
}

// Captions are decoded in float32, whatever a captioner is trained in: equal weights, equal captions and
// log probabilities.
func TestDecodingIsInFloat32(t *testing.T) {
	d := smallScenes(t)
	var logp [2][]float64
	for i, precision := range []string{"", "bfloat16"} {
		s := smallSettings("soft")
		s.Train.Precision = precision
		captions, err := newSmall(t, s, d).Caption(t.Context(), d.Splits["val"], experiments.Decode{Beam: 3, MaxLength: 12, LengthPenalty: 0.7}, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range captions {
			logp[i] = append(logp[i], c.LogProb)
		}
	}
	for k := range logp[0] {
		if logp[0][k] != logp[1][k] {
			t.Fatalf("caption %d: log probability %v and %v", k, logp[0][k], logp[1][k])
		}
	}
}
