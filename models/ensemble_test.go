package models

import (
	"math"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
)

// An ensemble finds its caption as likely as the mean of its members' probabilities, word by word, says. Of one captioner, or
// of the same one twice, it is that captioner. Arms, layers and cells differ among the members.
func TestEnsemble(t *testing.T) {
	const near = 1e-4
	d := smallScenes(t)
	var members []*Captioner
	for seed, arm := range []string{"adaptive", "none", "soft"} {
		s := smallSettings(arm)
		s.Seed, s.Train.Optimizer.LR, s.Model.Layers, s.Model.Cell = int64(seed), 1e-2, 1+seed%2, captioner.CellNames()[1-seed%2]
		c := newSmall(t, s, d)
		for range s.Train.Epochs {
			if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
				t.Fatal(err)
			}
		}
		members = append(members, c)
	}
	images := allOf(d) // more than a batch
	decode := smallSettings("none").Decode
	decode.Beam, decode.MaxLength = 3, 12

	alone, err := members[0].Caption(t.Context(), images, decode, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, same := range [][]*Captioner{members[:1], {members[0], members[0]}} {
		together, err := Ensemble(t.Context(), same, images, decode)
		if err != nil {
			t.Fatal(err)
		}
		for i := range together {
			if together[i].Image != images[i] || !slices.Equal(together[i].Words, alone[i].Words) || math.Abs(together[i].LogProb-alone[i].LogProb) > near {
				t.Fatalf("%d times the same: %+v, want %+v", len(same), together[i], alone[i])
			}
		}
	}

	together, err := Ensemble(t.Context(), members, images, decode)
	if err != nil {
		t.Fatal(err)
	}
	readings := make([][]data.Reading, len(members))
	for k, c := range members {
		if readings[k], err = c.Read(t.Context(), together, images); err != nil {
			t.Fatal(err)
		}
	}
	different := 0
	for i, caption := range together {
		total := 0.0
		for at := range len(caption.Words) + 1 {
			if at == decode.MaxLength {
				break // the search stopped before the end
			}
			mean := 0.0
			for k := range members {
				r := readings[k][i]
				mean += math.Exp(append(slices.Clone(r.LogProb), r.End)[at]) / float64(len(members))
			}
			total += math.Log(mean)
		}
		if math.Abs(total-caption.LogProb) > near*float64(1+len(caption.Words)) {
			t.Errorf("image %d: written with %v, its members' mean probabilities give %v", i, caption.LogProb, total)
		}
		if !slices.Equal(caption.Words, alone[i].Words) {
			different++
		}
	}
	if different == 0 {
		t.Error("the ensemble writes what its first member writes, so that the others could be left out unseen")
	}

	other := *d
	other.Vocabulary = &data.Vocabulary{Words: append(slices.Clone(d.Vocabulary.Words), "zebra")}
	if _, err := Ensemble(t.Context(), []*Captioner{members[0], newSmall(t, smallSettings("none"), &other)}, images, decode); err == nil || !strings.Contains(err.Error(), "same vocabulary") {
		t.Errorf("two vocabularies: %v", err)
	}
	if _, err := Ensemble(t.Context(), nil, images, decode); err == nil {
		t.Error("an ensemble of none was made")
	}
}
