package models

import (
	"math"
	"slices"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
)

// apart is the largest difference of two series; +Inf where their lengths differ.
func apart(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	most := 0.0
	for i := range a {
		most = max(most, math.Abs(a[i]-b[i]))
	}
	return most
}

// A captioner finds the captions that it wrote as likely as it did then, and on
// other pictures as likely as anybody's caption of those.
func TestRead(t *testing.T) {
	const near = 1e-4
	d := smallScenes(t)
	eachArm(t, func(t *testing.T, a captioner.Arm, cell captioner.Cell) {
		s := smallSettings(a.Name)
		s.Model.Cell = cell.Name
		s.Train.Optimizer.LR = 1e-2
		s.Model.Layers = 2
		s.Seed = 7 // with which no caption is empty
		c := newSmall(t, s, d)
		for range s.Train.Epochs {
			if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
				t.Fatal(err)
			}
		}
		images := allOf(d) // more than a batch
		captions, err := c.Caption(t.Context(), images, s.Decode, true)
		if err != nil {
			t.Fatal(err)
		}
		captions[3].Words, captions[3].LogProb, captions[3].Beta = nil, math.NaN(), nil // an empty one among them
		others := append(slices.Clone(images[7:]), images[:7]...)
		readings, err := c.Read(t.Context(), captions, others)
		if err != nil {
			t.Fatal(err)
		}
		swapped := slices.Clone(captions)
		for i := range swapped {
			swapped[i].Image = others[i]
		}
		onOthers, err := c.Read(t.Context(), swapped, images)
		if err != nil {
			t.Fatal(err)
		}
		ownRegions, moved := 0.0, 0.0
		for i, r := range readings {
			total := 0.0
			for _, v := range r.LogProb {
				total += v
			}
			if len(captions[i].Words) < s.Decode.MaxLength { // else decoding stopped before </s>
				total += r.End
			}
			if len(r.LogProb) != len(captions[i].Words) || math.Abs(total-captions[i].LogProb) > near {
				t.Errorf("caption %d is read with a log probability of %v, and was written with %v", i, total, captions[i].LogProb)
			}
			if d := apart(r.Beta, captions[i].Beta); d > near {
				t.Errorf("β of caption %d is off by %v from when it was written", i, d)
			}
			if apart(r.Other, onOthers[i].LogProb) > near || apart(r.BetaOther, onOthers[i].Beta) > near {
				t.Errorf("caption %d is read otherwise as another picture's", i)
			}
			if (r.Regions != nil) != a.Regions && i != 3 || (r.Even != nil) != a.Scores && i != 3 || (r.BetaOther != nil) != a.Sentinel && i != 3 {
				t.Errorf("caption %d has what the arm has not, or lacks what it has", i)
			}
			if a.Regions {
				ownRegions = max(ownRegions, apart(r.Regions, r.LogProb))
				moved = max(moved, apart(r.Regions, r.Other))
			}
		}
		if a.Regions && (ownRegions < near || moved < near) {
			t.Errorf("the regions alone decide (%v) or do not matter (%v)", moved, ownRegions)
		}

		same, err := c.Read(t.Context(), captions, images)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range same {
			if apart(r.Other, r.LogProb) > near || a.Regions && apart(r.Regions, r.LogProb) > near {
				t.Errorf("caption %d is read otherwise with its own picture as the other", i)
			}
		}
		if a.Name != "soft" {
			return
		}
		// With its weights, the control attends evenly.
		uniform, err := captioner.ArmOf("uniform")
		if err != nil {
			t.Fatal(err)
		}
		network := *c.network
		network.arm = uniform
		control := *c
		control.network = &network
		even, err := control.Read(t.Context(), captions, others)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range readings {
			if d := apart(r.Even, even[i].LogProb); d > near {
				t.Errorf("with even weights, caption %d is off by %v from the control", i, d)
			}
		}
	})
	c := newSmall(t, smallSettings("soft"), d)
	if _, err := c.Read(t.Context(), []data.Caption{{Image: 1}}, nil); err == nil {
		t.Error("a caption was read without another picture")
	}
}
