package experiments

import (
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"arms", pairs, "none, soft, adaptive"},
		{"one factor", "study: a\nsweep: {over: {model.attention: [none, soft], model.dropout: [0.3, 0.5], train.epochs: [7]}}\n" +
			"compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}\n",
			"none dropout=0.3, none dropout=0.5, soft dropout=0.3, soft dropout=0.5"},
		{"paired with the arms", "study: a\nsweep: {method: zip, over: {model.attention: [none, soft], model.hidden: [64, 48]}}\n" +
			"compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}\n", "none, soft"},
		{"named", named, "plain lr=0.001, plain lr=0.002, wide & dry lr=0.001, wide & dry lr=0.002, soft lr=0.001, soft lr=0.002"},
		{"no effect in an arm", "study: a\nsweep: {over: {model.attention: [none, soft], model.attention_size: [32, 64]}}\n" +
			"compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}\n",
			"none, soft attention_size=32, soft attention_size=64"},
		{"one trial", "study: a\n", "a"},
		{"one cell", "study: a\nsweep: {over: {model.hidden: [8], train.optimizer.name: [sgd], seed: [1, 2]}}\n", "hidden=8 optimizer=sgd"},
		{"one key", "study: a\nsweep: {over: {model.hidden: [8, 16], train.epochs: [2], seed: [1, 2]}}\n", "hidden=8, hidden=16"},
		{"usual values", "study: a\nsweep: {method: zip, over: {model.hidden: [8, 8, 8, 16], train.optimizer.name: [adam, adam, sgd, adam], model.layers: [1, 2, 1, 1]}}\n",
			"usual settings, layers=2, optimizer=sgd, hidden=16"},
		{"half is not usual", "study: a\nsweep: {over: {model.hidden: [8, 16], model.layers: [1, 2]}}\n",
			"hidden=8 layers=1, hidden=8 layers=2, hidden=16 layers=1, hidden=16 layers=2"},
		{"alike ends", "study: a\nsweep: {over: {data.max_length: [8, 16], decode.max_length: [8, 16]}}\n",
			"data.max_length=8 decode.max_length=8, data.max_length=8 decode.max_length=16, data.max_length=16 decode.max_length=8, data.max_length=16 decode.max_length=16"},
		{"another seed", "study: a\nsweep: {over: {data.seed: [1, 2], seed: [1, 2]}}\n", "data.seed=1, data.seed=2"},
		{"names", "study: a\nencoder: {weights: w.pth}\nsweep: {over: {encoder.name: [resnet18, resnet50], train.schedule.name: [cosine, constant]}}\n",
			"encoder=resnet18 schedule=cosine, encoder=resnet18 schedule=constant, encoder=resnet50 schedule=cosine, encoder=resnet50 schedule=constant"},
		// Values that read as other keys would make two labels alike.
		{"odd values", "study: a\nencoder: {name: resnet18}\nsweep: {method: zip, over: {encoder.weights: [./a, ./a weights=./b], data.vocabulary: [train, train]}}\n",
			"weights=./a, weights=./a weights=./b"},
	} {
		cells := declare(t, c.text).Cells()
		var got []string
		seen := map[string]bool{}
		for _, cell := range cells {
			got = append(got, cell.Label)
			seen[cell.Label] = true
		}
		if strings.Join(got, ", ") != c.want || len(seen) != len(cells) {
			t.Errorf("%s: labels are %q, want %s", c.name, got, c.want)
		}
	}
	s := load(t, factorial)
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	labels := s.Labels(trials)
	if len(labels) != len(trials) || labels[trials[0].ID] != "none beam=1 dropout=0.3" {
		t.Errorf("the first of %d labels is %q", len(labels), labels[trials[0].ID])
	}
}

// However many settings a study draws, a label names those that are not the usual ones.
func TestLabelsOfASearch(t *testing.T) {
	cells := declare(t, search).Cells()
	seen := map[string]bool{}
	for _, c := range cells {
		seen[c.Label] = true
		if strings.Contains(c.Label, "optimizer.") || strings.Contains(c.Label, "model.") {
			t.Errorf("%q holds a section", c.Label)
		}
	}
	if len(seen) != len(cells) || len(cells) != 80 {
		t.Errorf("%d labels of %d cells", len(seen), len(cells))
	}
}
