package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const searchStudy = `study: a
sweep:
  method: tpe
  samples: 40
  over:
    train.optimizer.lr: {log: [1e-5, 1e-1]}
    model.hidden: {int: [16, 512]}
    model.attention: {choice: [none, soft, adaptive]}
`

// toy is best at lr 1e-3, hidden 300, attention soft, where it is 0.
func toy(swept map[string]string) float64 {
	lr, _ := strconv.ParseFloat(swept["train.optimizer.lr"], 64)
	hidden, _ := strconv.ParseFloat(swept["model.hidden"], 64)
	value := -math.Pow(math.Log10(lr)+3, 2) - math.Pow((hidden-300)/200, 2)
	if swept["model.attention"] != "soft" {
		value--
	}
	return value
}

// play plays a search to its end and gives the results in the order of the plan.
func play(t *testing.T, text string, known []Result) []Result {
	t.Helper()
	s := load(t, text)
	for {
		s.Continue(known)
		trials, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		if len(trials) == len(known) && !slices.ContainsFunc(known, func(r Result) bool { return !r.Ended }) {
			return known
		}
		known = nil
		for _, trial := range trials {
			known = append(known, Result{Swept: trial.Swept, Seed: trial.Settings.Seed, Ended: true, Value: toy(trial.Swept)})
		}
	}
}

func best(results []Result) float64 {
	return slices.MaxFunc(results, func(a, b Result) int { return int(math.Copysign(1, a.Value-b.Value)) }).Value
}

// A search that learns finds better settings than draws at random: on this
// function, over twenty seeds, clearly so.
func TestSearchLearns(t *testing.T) {
	var learned, drawn float64
	for seed := range 20 {
		text := searchStudy + fmt.Sprintf("  seed: %d\n", seed)
		results := play(t, text, nil)
		if len(results) != 40 {
			t.Fatalf("%d trials, want 40", len(results))
		}
		learned += best(results) / 20
		drawn += best(play(t, text+"  startup: 40\n", nil)) / 20
	}
	t.Logf("mean of the best: %.3f, at random %.3f", learned, drawn)
	if learned < drawn/2 {
		t.Errorf("mean of the best: %.3f, at random %.3f", learned, drawn)
	}
}

// Whatever of a search is known, it goes on as it would have.
func TestSearchGoesOnAsItWas(t *testing.T) {
	whole := play(t, searchStudy, nil)
	for _, n := range []int{0, 3, 10, 14, 17, 38, 40} {
		if again := play(t, searchStudy, whole[:n]); fmt.Sprint(again) != fmt.Sprint(whole) {
			t.Errorf("from %d trials on it went another way", n)
		}
	}
	// While a trial is under way nothing is proposed.
	s := load(t, searchStudy)
	running := slices.Clone(whole[:14])
	running[5].Ended = false
	if s.Continue(running); s.Proposed() != 14 {
		t.Errorf("%d points are proposed while one of 14 is under way", s.Proposed())
	}
	if s.Continue(whole[:14]); s.Proposed() != 18 {
		t.Errorf("%d points are proposed after 14 have ended, want a batch of 4 more", s.Proposed())
	}
	// What the study could not have proposed leaves it.
	s = load(t, strings.Replace(searchStudy, "[16, 512]", "[16, 64]", 1))
	s.Continue(whole)
	for _, p := range s.proposed {
		if hidden, _ := strconv.Atoi(p["model.hidden"]); hidden > 64 {
			t.Errorf("%v is outside of the range", p)
		}
	}
	// A failed trial is the worst, and no obstacle.
	failed := slices.Clone(whole[:10])
	failed[0].Value, failed[1].Value = math.NaN(), math.Inf(-1)
	s = load(t, searchStudy)
	if s.Continue(failed); s.Proposed() != 14 {
		t.Errorf("%d points are proposed beside failed trials", s.Proposed())
	}
}

// Seeds are crossed with what is drawn, and a point counts by their mean.
func TestSearchWithSeeds(t *testing.T) {
	text := searchStudy + "    seed: [1, 2]\n"
	results := play(t, text, nil)
	if len(results) != 80 || results[0].Seed != 1 || results[79].Seed != 2 {
		t.Fatalf("%d trials, the first of seed %d", len(results), results[0].Seed)
	}
	s := load(t, text)
	s.Continue(results)
	if values, ended := s.values(results); !ended || math.Abs(values[3]-toy(s.proposed[3])) > 1e-9 {
		t.Errorf("value %v of point 3, want %v; ended: %v", values[3], toy(s.proposed[3]), ended)
	}
	if _, ended := s.values(results[:79]); ended {
		t.Error("a point has ended without its second seed")
	}
}

// Where every point was tried a search ends before its samples do; and it spares
// the test split unless told otherwise.
func TestSearchEnds(t *testing.T) {
	const few = "study: a\nsweep:\n  method: tpe\n  samples: 40\n  over: {model.layers: {int: [1, 2]}}\n"
	if n := len(play(t, few, nil)); n != 2 {
		t.Errorf("%d trials of 2 possible ones", n)
	}
	if got := load(t, few).Decode.FinalSplit(); got != "val" {
		t.Errorf("a search ends on %s", got)
	}
	if got := load(t, few+"decode: {split: test}\n").Decode.FinalSplit(); got != "test" {
		t.Errorf("a search told to use test ends on %s", got)
	}
}

func TestPlaceIsTheInverseOfAt(t *testing.T) {
	for _, a := range []Axis{
		{Path: "train.optimizer.lr", Draw: "log", Low: 1e-5, High: 0.1},
		{Path: "model.dropout", Draw: "uniform", Low: 0.1, High: 0.7},
		{Path: "model.hidden", Draw: "int", Low: 16, High: 19},
		{Path: "model.hidden", Draw: "log", Low: 16, High: 512},
	} {
		for _, u := range []float64{0, 0.1, 0.5, 0.9, 0.9999} {
			if text := a.at(u); a.at(a.place(text)) != text || !a.holds(text) {
				t.Errorf("%s %s: %v gives %s, which lies at %v and gives %s", a.Path, a.Draw, u, text, a.place(text), a.at(a.place(text)))
			}
		}
	}
}

// The densities are densities: their integral is 1.
func TestDensities(t *testing.T) {
	for name, d := range map[string]density{
		"nothing": newParzen(nil), "one": newParzen([]float64{0.2}), "some": newParzen([]float64{0.9, 0.1, 0.15, 1}),
	} {
		const n = 20000
		sum := 0.0
		for i := range n {
			sum += d.at((float64(i)+0.5)/n) / n
		}
		if math.Abs(sum-1) > 1e-3 {
			t.Errorf("%s: the integral is %v", name, sum)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			if u := d.draw(random); u < 0 || u >= 1 {
				t.Fatalf("%s: drew %v", name, u)
			}
		}
	}
	w := shares{1, 2, 1}
	if w.at(0.5) != 0.5 || w.at(0.99) != 0.25 {
		t.Errorf("shares are %v and %v", w.at(0.5), w.at(0.99))
	}
}
