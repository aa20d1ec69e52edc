package experiments

import "testing"

// A trial leaves out what it does not need; whoever reads its settings finds every key, with its default.
func TestAllSettings(t *testing.T) {
	settings := func(text string) map[string]string {
		all := map[string]string{}
		listed := plan(t, "study: a\n"+text)[0].Settings.All()
		for _, pair := range listed {
			all[pair[0]] = pair[1]
		}
		if len(all) != len(settingPaths()) || len(listed) != len(all) {
			t.Errorf("%d settings of %d", len(listed), len(settingPaths()))
		}
		return all
	}
	usual := settings("")
	changed := settings("model: {cell: lstm, attention: none}\ntrain: {optimizer: {name: sgd}}\ndecode: {beam: 6, groups: 3, split: val}\n")
	for _, c := range []struct{ path, usual, changed string }{
		{"data.name", "shapes", "shapes"},
		{"data.root", "", ""},
		{"data.on_broken", "refuse", "refuse"}, // left out
		{"data.augment.flip", "false", "false"},
		{"encoder.name", "cnn", "cnn"}, // follows from data.name
		{"encoder.train.lr", "", ""},   // no block is trained
		{"model.cell", "gru", "lstm"},  // left out where it is the default
		{"model.attention_size", "256", ""},
		{"train.precision", "float32", "float32"},
		{"train.optimizer.beta1", "0.9", ""},
		{"train.optimizer.momentum", "", "0.9"},
		{"train.label_smoothing", "0", "0"},
		{"decode.groups", "1", "3"},
		{"decode.diversity", "", "0.5"},
		{"decode.split", "test", "val"},
		{"seed", "1", "1"},
	} {
		if usual[c.path] != c.usual || changed[c.path] != c.changed {
			t.Errorf("%s is %q and, changed, %q; want %q and %q", c.path, usual[c.path], changed[c.path], c.usual, c.changed)
		}
	}
}
