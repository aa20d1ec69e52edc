package runner

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/results"
)

// TestReinforcement holds the two stages of a trial: what is recorded of each, and that the second
// begins from the best epoch of the first.
func TestReinforcement(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Reinforce: 2, Jobs: 2}
	_, notes := b.again(t)
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, run := range b.runs(t) {
		epochs, err := db.Epochs(context.Background(), run.ID)
		if err != nil || len(epochs) != 5 {
			t.Fatalf("run %s has %d epochs, %v", run.ID, len(epochs), err)
		}
		best := slices.MaxFunc(epochs[:3], func(a, b store.Epoch) int {
			switch {
			case a.Val["cider"] > b.Val["cider"]:
				return 1
			case a.Val["cider"] < b.Val["cider"]:
				return -1
			}
			return 0
		})
		if want := fmt.Sprintf("reinforcement starts from epoch %d\n", best.Epoch); !strings.Contains(notes[run.ID], want) {
			t.Errorf("run %s says %q, want %q", run.ID, notes[run.ID], want)
		}
		if !strings.Contains(notes[run.ID], "epoch 4 of reinforcement: 1 words is the mean length") {
			t.Errorf("run %s does not tell of captions of one word: %q", run.ID, notes[run.ID])
		}
		for _, e := range epochs {
			if reinforced := e.Epoch > 3; (e.Sampled != nil) != reinforced {
				t.Errorf("run %s, epoch %d: sampled %v", run.ID, e.Epoch, e.Sampled)
			}
			if _, mixed := e.Val["reward"]; mixed || len(e.Val) < 5 {
				t.Errorf("run %s, epoch %d: validation %v", run.ID, e.Epoch, e.Val)
			}
			if e.Selected != (e.Epoch == run.BestEpoch) {
				t.Errorf("run %s: epoch %d", run.ID, e.Epoch)
			}
		}
		if _, mixed := run.Metrics["val"]["sampled.reward"]; mixed {
			t.Errorf("run %s: metrics %v", run.ID, run.Metrics)
		}
	}
}

// TestReinforcementResumes: a trial that is killed in its second stage, at its beginning, in the
// middle, or before anything of it was saved, ends as if nothing had happened.
func TestReinforcementResumes(t *testing.T) {
	t.Parallel()
	b := bench{Seeds: 1, Epochs: 2, Reinforce: 2, Jobs: 2}
	want := reference(t, b)
	for _, f := range []fault{
		{Kind: "kill", Epoch: 3, Step: 1}, {Kind: "kill", Epoch: 3, Step: 5}, {Kind: "kill", Epoch: 4, Step: 3},
		{Kind: "term", Epoch: 3, Step: 4}, {Kind: "term", Epoch: 4, Step: 9},
	} {
		b.Dir, b.Fault = t.TempDir(), f
		if _, err := b.run(context.Background(), nil); err != nil && f.Kind == "kill" {
			t.Fatal(err)
		}
		b.again(t)
		same(t, b, want)
	}
}

// TestReinforcementGoesBack: where the checkpoint that the second stage begins from, or goes on
// from, is damaged, the trial goes back, in whichever stage that is.
func TestReinforcementGoesBack(t *testing.T) {
	t.Parallel()
	b := bench{Seeds: 1, Epochs: 2, Reinforce: 2, Jobs: 2}
	want := reference(t, b)
	for _, epoch := range []int{3, 4} {
		for _, of := range []func(p progress) []string{
			func(p progress) []string { return []string{p.Best} },
			func(p progress) []string { return []string{p.Last} },
			func(p progress) []string { return p.checkpoints() },
		} {
			b.Dir = t.TempDir()
			for run, p := range b.killed(t, epoch) {
				for _, name := range of(p) {
					if err := cut(filepath.Join(b.Dir, "runs", run, name+".safetensors")); err != nil && !os.IsNotExist(err) {
						t.Fatal(err)
					}
				}
			}
			b.again(t)
			same(t, b, want)
		}
	}
}

// TestPatienceOfTwoStages: each stage has its own patience, and reinforcement gets all of its
// epochs after one that ended early.
func TestPatienceOfTwoStages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p           progress
		due, ended  bool // the second stage is due; all is trained
		epochs      int
		reinforcing bool
	}{
		{progress{Epoch: 4, Stale: 1}, false, false, 12, false},
		{progress{Epoch: 5, Stale: 2}, true, false, 12, false},
		{progress{Epoch: 10}, true, false, 12, false},
		{progress{Epoch: 5, Reinforced: 5}, false, false, 7, true},
		{progress{Epoch: 6, Reinforced: 5, Stale: 1}, false, false, 7, true},
		{progress{Epoch: 7, Reinforced: 5, Stale: 1}, false, true, 7, true},
		{progress{Epoch: 7, Reinforced: 5, Stale: 2}, false, true, 7, true},
	} {
		tr := &trial{progress: c.p}
		tr.settings.Train = experiments.Train{Epochs: 10, Reinforce: experiments.Reinforce{Epochs: 2}, Select: experiments.Select{Metric: "val.cider", Patience: 2}}
		due := c.p.Reinforced == 0 && tr.stageDone()
		if due != c.due || tr.trained() != c.ended || tr.epochs() != c.epochs || (tr.stage() == StageReinforce) != c.reinforcing {
			t.Errorf("%+v: due %v, trained %v, of %d epochs, stage %s", c.p, due, tr.trained(), tr.epochs(), tr.stage())
		}
	}
}

// The rewards of captions are what the scorer gives them, with </s> as a word of captions and
// references.
func TestRewardsAreTheScorers(t *testing.T) {
	d, err := data.Load(data.Options{Name: "shapes", Split: "official", Images: 60, Seed: 1, MinCount: 1, Tokenize: strings.Fields})
	if err != nil {
		t.Fatal(err)
	}
	var items []metrics.Item
	for k, image := range d.Splits["train"] {
		references := d.Images[image].Tokens()
		for i := range references {
			references[i] = append(slices.Clone(references[i]), "</s>")
		}
		candidate := slices.Clone(d.Images[d.Splits["train"][(k+3)%7]].Tokens()[0])
		if k%3 > 0 {
			candidate = append(candidate, "</s>") // else it is cut off
		}
		items = append(items, metrics.Item{ID: fmt.Sprint(image), Candidate: candidate, References: references})
	}
	want, err := metrics.Score(items)
	if err != nil {
		t.Fatal(err)
	}
	if want.Metrics["cider_d"] < 0.1 || want.Metrics["bleu4"] < 0.1 {
		t.Fatalf("the captions have too little in common with the references: %v", want.Metrics)
	}
	captions := make([][]string, len(items))
	for i := range items {
		captions[i] = items[i].Candidate
	}
	for _, w := range []experiments.Weights{{CIDErD: 1}, {BLEU4: 1}, {CIDErD: 0.7, BLEU4: 2}} {
		for i, got := range RewardOf(d, w)(d.Splits["train"], captions) {
			s := want.Images[i]
			if sum := w.CIDErD*s.CIDErD + w.BLEU4*metrics.SentenceBLEU(s)[3]; math.Abs(got-sum) > 1e-12 {
				t.Errorf("%+v, caption %d: %v, want %v", w, i, got, sum)
			}
		}
	}
	if before := d.Images[d.Splits["train"][0]].Tokens()[0]; slices.Contains(before, "</s>") {
		t.Errorf("the data set's captions have become %q", before)
	}
}

// What is recorded of samples has a name in reports, and what is wrong with them is told.
func TestSampledValues(t *testing.T) {
	values := sampledValues(&data.Samples{Captions: 4, Tokens: 20, Unfinished: 1, Empty: 1, Repeating: 2, Different: 3, Reward: 6, Entropy: 30})
	want := map[string]float64{
		"reward": 1.5, "entropy": 1.5, "different": 0.75, "length": 17.0 / 4, "empty": 0.25, "repeating": 0.5, "unfinished": 0.25,
	}
	for _, v := range results.SampledValues {
		if values[v.Key] != want[v.Key] {
			t.Errorf("%s is %v, want %v", v.Key, values[v.Key], want[v.Key])
		}
	}
	if len(values) != len(want) || len(results.SampledValues) != len(want) {
		t.Errorf("values %v", values)
	}
	told := strings.Join(results.Collapse(map[string]float64{"repeating": 0.3}, values), "; ")
	for _, sign := range []string{
		"25 % of the sampled captions are empty", "or a trigram, after 30 % in the first epoch", "25 % of the sampled captions are cut off",
	} {
		if !strings.Contains(told, sign) {
			t.Errorf("%q does not tell that %s", told, sign)
		}
	}
	delete(values, "empty")
	delete(values, "unfinished")
	if wrong := results.Collapse(map[string]float64{"repeating": 0.45}, values); wrong != nil {
		t.Errorf("repeating as in the first epoch is told: %q", wrong)
	}
	if sampledValues(nil) != nil || results.Collapse(nil, nil) != nil {
		t.Error("an epoch without samples has values")
	}
}
