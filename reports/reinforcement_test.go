package reports

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// reinforce adds two epochs of reinforcement to a run, whose rewards are those; the last is chosen
// where better.
func reinforce(r *run, better bool, repeating ...float64) {
	r.Run.Run.Settings = json.RawMessage(`{"train":{"epochs":8,"reinforce":{"epochs":2,"lr":2e-5,"schedule":"cosine","metric":"weighted",` +
		`"weights":{"cider_d":1,"bleu4":0.5},"samples":5,"baseline":"mean"}}}`)
	last := r.Epochs[len(r.Epochs)-1]
	for i, share := range repeating {
		e := last
		e.Epoch, e.Loss, e.LR = last.Epoch+i+1, -0.8-0.1*float64(i), 2e-5
		e.Sampled = new(sharedKeys).values(map[string]float64{"reward": -e.Loss, "entropy": 1.5, "length": 9, "repeating": share})
		r.Epochs = append(r.Epochs, e)
	}
	if better {
		r.BestEpoch = r.Epochs[len(r.Epochs)-1].Epoch
	}
}

// The report tells how captioners were reinforced, whether an epoch of that was chosen, and what
// went wrong; and the loss of one stage is not drawn as if it were that of the other.
func TestReinforcementIsTold(t *testing.T) {
	const way = "2 epochs at a learning rate of 2e-05 that falls to 0 along a cosine, with 5 sampled captions per image and step, each rewarded by " +
		"1 × CIDEr-D + 0.5 × BLEU-4 against the training references, including </s>, minus the mean reward of the image's other samples (Luo 2020)"
	for _, c := range []struct {
		better [2]bool
		want   string
	}{
		{[2]bool{true, true}, "In all of these runs, one of its epochs was selected on the validation split."},
		{[2]bool{true, false}, "In 1 of 2 runs, one of its epochs was selected on the validation split; in the others, the best cross-entropy epoch was kept."},
		{[2]bool{}, "In none of the 2 runs was one of its epochs better on the validation split: the best cross-entropy epoch was kept."},
	} {
		e, err := gather(t.Context(), usual(t, finished(2, levels, "none", "adaptive")), "attention")
		check(t, err)
		for i, run := range e.Runs[2:] {
			reinforce(run, c.better[i], 0.05, 0.05+0.2*float64(i))
		}
		r, err := analyse(t.Context(), e)
		check(t, err)
		text := r.reinforcementText()
		for _, s := range []string{way, c.want, "Signs of collapse: run " + e.Runs[3].ID + ", epoch", "25 % of the sampled captions repeat", "after 5 % in the first epoch"} {
			if !strings.Contains(text, s) {
				t.Errorf("%q does not say %q", text, s)
			}
		}
		if strings.Contains(text, e.Runs[2].ID) {
			t.Errorf("%q finds fault with run %s", text, e.Runs[2].ID)
		}
		var names []string
		for _, p := range r.learningSection().Parts {
			for _, f := range p.Figures {
				names = append(names, f.Name)
				if reinforced := strings.Contains(f.Alt, "in epoch 10"); f.Name == "loss" && reinforced || f.Name == "reward" && !reinforced {
					t.Errorf("%s, of 8 epochs of cross entropy: %s", f.Name, f.Alt)
				}
			}
		}
		if want := []string{"loss", "reward", "sampled-entropy", "learning-rate", "validation"}; !slices.Equal(names, want) {
			t.Errorf("figures %q, want %q", names, want)
		}
		var csv bytes.Buffer
		check(t, r.epochsCSV()(&csv))
		head, _, _ := strings.Cut(csv.String(), "\n")
		if !strings.Contains(head, "sampled.repeating,sampled.reward") {
			t.Errorf("epochs.csv has the columns %s", head)
		}
	}
}
