package experiments

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// asked writes contrasts as kind, label, and either side with its terms.
func asked(contrasts []Contrast) string {
	var b strings.Builder
	side := func(s Side) {
		fmt.Fprintf(&b, "  %s | %s | %s:", s.Name, s.Label, s.Arm)
		for _, term := range s.Terms {
			fmt.Fprintf(&b, " %+.4g %s;", term.Weight, term.Cell)
		}
		b.WriteByte('\n')
	}
	for _, c := range contrasts {
		fmt.Fprintf(&b, "%s: %s\n", c.Kind, c.Label)
		side(c.B)
		side(c.A)
	}
	return b.String()
}

func TestContrasts(t *testing.T) {
	small := strings.Replace(factorial, "[0.3, 0.1, 0.5]", "[0.3, 0.5]", 1)
	one := strings.NewReplacer("    decode.beam: [1, 3]\n", "", "none, soft, adaptive", "none, soft", ", [adaptive, soft]", "").Replace(small)
	for _, c := range []struct{ name, text, want string }{
		{"pairs", pairs, `
pair: soft − none
  soft | soft | soft: +1 soft;
  none | none | none: +1 none;
pair: adaptive − soft
  adaptive | adaptive | adaptive: +1 adaptive;
  soft | soft | soft: +1 soft;
`},
		// What zip pairs with the arms is a part of them, and stays in the name that groups always had.
		{"zip", `study: a
sweep: {method: zip, over: {model.attention: [none, soft], train.optimizer.lr: [1e-3, 2e-3], seed: [1, 2, 3, 4, 5]}}
compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}
`, `
pair: soft − none
  soft train.optimizer.lr=0.002 | soft | soft: +1 soft train.optimizer.lr=0.002;
  none train.optimizer.lr=0.001 | none | none: +1 none train.optimizer.lr=0.001;
`},
		// What zip pairs with a factor is a part of it: here an LSTM is narrower.
		{"zip of a factor", `study: a
sweep: {method: zip, over: {model.cell: [gru, lstm], model.hidden: [64, 48], seed: [1, 2, 3, 4, 5]}}
compare:
  arms: {none: {model.attention: none}, soft: {model.attention: soft}}
  baseline: none
  contrasts: [[soft, none], {interaction: [arms, model.cell]}]
  primary: {metric: test.cider, minimum_effect: 1}
`, `
average: soft − none
  soft | soft | soft: +0.5 soft model.cell=gru model.hidden=64; +0.5 soft model.cell=lstm model.hidden=48;
  none | none | none: +0.5 none model.cell=gru model.hidden=64; +0.5 none model.cell=lstm model.hidden=48;
interaction: (soft − none) at cell=lstm less at gru
  soft: model.cell=lstm − gru | soft, cell lstm − gru | soft: +1 soft model.cell=lstm model.hidden=48; -1 soft model.cell=gru model.hidden=64;
  none: model.cell=lstm − gru | none, cell lstm − gru | none: +1 none model.cell=lstm model.hidden=48; -1 none model.cell=gru model.hidden=64;
`},
		{"average", one, `
average: soft − none
  soft | soft | soft: +0.5 soft model.dropout=0.3; +0.5 soft model.dropout=0.5;
  none | none | none: +0.5 none model.dropout=0.3; +0.5 none model.dropout=0.5;
interaction: (soft − none) at dropout=0.5 less at 0.3
  soft: model.dropout=0.5 − 0.3 | soft, dropout 0.5 − 0.3 | soft: +1 soft model.dropout=0.5; -1 soft model.dropout=0.3;
  none: model.dropout=0.5 − 0.3 | none, dropout 0.5 − 0.3 | none: +1 none model.dropout=0.5; -1 none model.dropout=0.3;
`},
		{"each", strings.Replace(one, "  baseline", "  factors: each\n  baseline", 1), `
level: soft − none at dropout=0.3
  soft model.dropout=0.3 | soft dropout=0.3 | soft: +1 soft model.dropout=0.3;
  none model.dropout=0.3 | none dropout=0.3 | none: +1 none model.dropout=0.3;
level: soft − none at dropout=0.5
  soft model.dropout=0.5 | soft dropout=0.5 | soft: +1 soft model.dropout=0.5;
  none model.dropout=0.5 | none dropout=0.5 | none: +1 none model.dropout=0.5;
interaction: (soft − none) at dropout=0.5 less at 0.3
  soft: model.dropout=0.5 − 0.3 | soft, dropout 0.5 − 0.3 | soft: +1 soft model.dropout=0.5; -1 soft model.dropout=0.3;
  none: model.dropout=0.5 − 0.3 | none, dropout 0.5 − 0.3 | none: +1 none model.dropout=0.5; -1 none model.dropout=0.3;
`},
		// An arm in which a key has no effect has one cell, and is held against the cell with the same value.
		{"in common", `study: a
sweep: {over: {model.attention: [none, soft, adaptive], model.attention_size: [32, 64, 96], seed: [1, 2, 3, 4, 5]}}
compare: {arms: model.attention, baseline: none, contrasts: [[soft, none], [adaptive, soft]], primary: {metric: test.cider, minimum_effect: 1}}
`, `
average: soft attention_size=32 − none
  soft model.attention_size=32 | soft attention_size=32 | soft: +1 soft model.attention_size=32;
  none | none | none: +1 none model.attention_size=32;
average: adaptive − soft
  adaptive | adaptive | adaptive: +0.3333 adaptive model.attention_size=32; +0.3333 adaptive model.attention_size=64; +0.3333 adaptive model.attention_size=96;
  soft | soft | soft: +0.3333 soft model.attention_size=32; +0.3333 soft model.attention_size=64; +0.3333 soft model.attention_size=96;
`},
		{"named", named, `
average: wide & dry − plain
  wide & dry | wide & dry | wide & dry: +0.5 wide & dry train.optimizer.lr=0.001; +0.5 wide & dry train.optimizer.lr=0.002;
  plain | plain | plain: +0.5 plain train.optimizer.lr=0.001; +0.5 plain train.optimizer.lr=0.002;
average: soft − plain
  soft | soft | soft: +0.5 soft train.optimizer.lr=0.001; +0.5 soft train.optimizer.lr=0.002;
  plain | plain | plain: +0.5 plain train.optimizer.lr=0.001; +0.5 plain train.optimizer.lr=0.002;
interaction: (wide & dry − plain) at lr=0.002 less at 0.001
  wide & dry: train.optimizer.lr=0.002 − 0.001 | wide & dry, lr 0.002 − 0.001 | wide & dry: +1 wide & dry train.optimizer.lr=0.002; -1 wide & dry train.optimizer.lr=0.001;
  plain: train.optimizer.lr=0.002 − 0.001 | plain, lr 0.002 − 0.001 | plain: +1 plain train.optimizer.lr=0.002; -1 plain train.optimizer.lr=0.001;
interaction: (soft − plain) at lr=0.002 less at 0.001
  soft: train.optimizer.lr=0.002 − 0.001 | soft, lr 0.002 − 0.001 | soft: +1 soft train.optimizer.lr=0.002; -1 soft train.optimizer.lr=0.001;
  plain: train.optimizer.lr=0.002 − 0.001 | plain, lr 0.002 − 0.001 | plain: +1 plain train.optimizer.lr=0.002; -1 plain train.optimizer.lr=0.001;
`},
	} {
		if got := asked(declare(t, c.text).Contrasts()); got != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("%s: asked is\n%swant%s", c.name, got, c.want)
		}
	}
}

// In a factorial of two factors: two pairs, and for either arm but the baseline two steps of dropout. Weights sum to 1,
// those of an interaction to 0; sides of one name are the same sums; each cell exists.
func TestContrastsOfAFactorial(t *testing.T) {
	for factors, want := range map[string]string{
		"average": "average 2 interaction 4", "each": "level 12 interaction 4",
	} {
		d := declare(t, factorial, "compare.factors="+factors)
		cells := map[string]bool{}
		for _, c := range d.Cells() {
			cells[c.Name] = true
			if len(c.Trials) != 5 || len(c.Level) != 2 || len(c.Swept) != 3 {
				t.Errorf("a cell is %+v", c)
			}
		}
		kinds, sums := map[string]int{}, map[string][]Term{}
		for _, c := range d.Contrasts() {
			kinds[c.Kind]++
			for _, side := range []Side{c.B, c.A} {
				total := 0.0
				for _, term := range side.Terms {
					total += term.Weight
					if !cells[term.Cell] {
						t.Errorf("%s holds the unknown cell %s", c.Label, term.Cell)
					}
				}
				want := map[bool]float64{true: 0, false: 1}[c.Kind == "interaction"]
				if math.Abs(total-want) > 1e-12 {
					t.Errorf("the weights of %s in %s sum to %g, want %g", side.Name, c.Label, total, want)
				}
				if before, known := sums[side.Name]; known && !reflect.DeepEqual(before, side.Terms) {
					t.Errorf("%s is two sums: %v and %v", side.Name, before, side.Terms)
				}
				sums[side.Name] = side.Terms
			}
		}
		got := fmt.Sprintf("%s %d interaction %d", strings.Fields(want)[0], kinds[strings.Fields(want)[0]], kinds["interaction"])
		if got != want || len(cells) != 18 {
			t.Errorf("factors %s: %s over %d cells, want %s over 18", factors, got, len(cells), want)
		}
	}
}

func TestCells(t *testing.T) {
	cells := declare(t, factorial).Cells()
	c := cells[2]
	if c.Name != "none decode.beam=1 model.dropout=0.1" || c.Label != "none beam=1 dropout=0.1" || c.Arm != "none" ||
		!reflect.DeepEqual(c.Level, map[string]string{"model.dropout": "0.1", "decode.beam": "1"}) {
		t.Errorf("the third cell is %+v", c)
	}
	s := load(t, factorial, "sweep.over.seed=[4, 2, 9]")
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, trial := range trials {
		if trial.Arm == "none" && trial.Swept["model.dropout"] == "0.3" && trial.Swept["decode.beam"] == "1" {
			want = append(want, trial.ID)
		}
	}
	d := s.Declare(trials)
	d.Trials = append(d.Trials[36:], d.Trials[:36]...) // their order is that of the seeds, whatever the order of the trials
	if got := d.Cells()[0]; !reflect.DeepEqual(got.Trials, want) {
		t.Errorf("the cell %s has the trials %v, want %v", got.Name, got.Trials, want)
	}
}

// Whatever is combined, cells, labels and sides are each one's own, and the study written out declares the same.
func TestDeclarationsOfManyStudies(t *testing.T) {
	arms := []string{"arms: model.attention, baseline: none", "arms: {none: {model.attention: none, model.layers: 2}, soft: {train.epochs: 3}, bare: {}}, baseline: none"}
	over := []string{"", ", model.attention_size: [32, 64]", ", model.dropout: [0.1, 0.1, 0.2]", ", model.dropout: [0.1, 0.2, 0.3], decode.beam: [2, 1, 2]",
		", train.schedule.name: [step, cosine, step], train.optimizer.lr: [1e-3, 2e-3, 1e-3]", ", decode.beam: {choice: [1, 2, 3]}"}
	contrasts := []string{"", ", contrasts: [[soft, none]]", ", contrasts: [[soft, none], {interaction: [arms, model.dropout]}]", ", contrasts: [{interaction: [decode.beam, arms]}]", ", contrasts: []"}
	loaded, asked := 0, map[string]int{}
	for _, method := range []string{"grid", "zip", "random, samples: 3"} {
		for _, a := range arms {
			for _, o := range over {
				for _, c := range contrasts {
					for _, f := range []string{"", ", factors: each", ", factors: average, stop: {looks: [2, 3]}"} {
						swept := "model.attention: [none, soft, soft]"
						if strings.Contains(a, "bare") {
							swept = "data.min_count: [3]"
						}
						text := fmt.Sprintf("study: a\nsweep: {method: %s, over: {%s%s, seed: [3, 1, 2]}}\ncompare: {%s%s%s, primary: {metric: test.cider, minimum_effect: 1}}\n",
							method, swept, o, a, c, f)
						s, err := Parse("a.yaml", []byte(text))
						if err != nil {
							checkErrors(t, err)
							continue
						}
						loaded++
						trials, err := s.Plan()
						if err != nil {
							t.Fatal(err)
						}
						d := s.Declare(trials)
						checkDeclaration(t, d)
						for _, contrast := range d.Contrasts() {
							asked[contrast.Kind]++
						}
						resolved, err := s.YAML()
						if err != nil {
							t.Fatal(err)
						}
						again, err := Parse("a.yaml", resolved)
						if err != nil {
							t.Fatalf("%v\nin\n%s\nof\n%s", err, resolved, text)
						}
						if !samePlan(t, s, again) {
							t.Errorf("another declaration is made of\n%s\nthan of\n%s", resolved, text)
						}
					}
				}
			}
		}
	}
	if loaded < 100 || len(asked) != 4 {
		t.Errorf("%d studies of these are accepted, and ask %v", loaded, asked)
	}
}

// The largest study that is accepted is read in seconds.
func TestLargeStudy(t *testing.T) {
	start := time.Now()
	s := load(t, "study: a\nsweep: {method: random, samples: 2500, over: {model.dropout: {uniform: [0, 0.9]}, model.attention: [none, soft], seed: [1, 2]}}\n"+
		"compare: {arms: model.attention, baseline: none, factors: each, primary: {metric: test.cider, minimum_effect: 1}}\n")
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	s.Warnings()
	if labels := s.Labels(trials); len(labels) != len(trials) || len(trials) < 8000 {
		t.Errorf("%d trials have %d labels", len(trials), len(labels))
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("reading it took %v", took)
	} else {
		t.Logf("%d trials: %v", len(trials), took)
	}
}
