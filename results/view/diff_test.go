package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// described is a diff as text: a line a part, each difference with the texts of the runs.
func described(d *Diff) string {
	var b strings.Builder
	for _, part := range d.Parts() {
		b.WriteString(part.Title + ":")
		for _, one := range part.Differences {
			fmt.Fprintf(&b, " %s(%s)", one.Name, strings.Join(one.Texts, " | "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func diffed(id string) store.Run {
	return store.Run{
		ID: id, Study: "s", Arm: "none", State: store.Completed, Epochs: 3, Seconds: 90, Signature: "data=flickr8k decode=beam5",
		Settings: json.RawMessage(`{"seed":1,"model":{"hidden":64},"train":{"optimizer":{"lr":0.001}},"data":{"content":{"captions":"c1","splits":"s1","pictures":""}}}`),
		Metrics:  map[string]map[string]float64{"test": {"cider": 0.5, "bleu1": 0.25}, "val": {"cider": 0.6}},
		Environment: json.RawMessage(`{"host":"a","cores":2,"versions":{"go":"1.26"},"timings":{"load":1},"peak_rss_bytes":1,"attempts":1,
			"hashes":{"captions":"c1","features":"` + strings.Repeat("f", 64) + `"},"changes":{"diff":"x","files":{"m.go":"1"}}}`),
	}
}

func TestDiffRuns(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *store.Run)
		want   string
	}{
		"equal": {func(*store.Run) {}, ""},
		"measured alone": {func(r *store.Run) {
			r.Environment = json.RawMessage(strings.NewReplacer(`"load":1`, `"load":2`, `"peak_rss_bytes":1`, `"peak_rss_bytes":2`,
				`"attempts":1`, `"attempts":2`, `"diff":"x"`, `"diff":"y"`).Replace(string(r.Environment)))
		}, ""},
		"settings": {func(r *store.Run) {
			r.Settings = json.RawMessage(`{"seed":2,"model":{"hidden":64,"cell":"lstm"},"train":{"optimizer":{}},"data":{"content":{"captions":"c1","splits":"s1","pictures":""}}}`)
		}, "settings: model.cell(gru | lstm) train.optimizer.lr(0.001 | -) seed(1 | 2)\n"},
		"run": {func(r *store.Run) { r.Study, r.State, r.Seconds, r.BestEpoch = "t", store.Interrupted, 30, 2 },
			"run: study(s | t) state(completed | interrupted) best_epoch(- | 2) seconds(1m30s | 30s)\n"},
		"protocol": {func(r *store.Run) { r.Signature = "data=flickr8k decode=greedy meteor=1.5" },
			"protocol: decode(beam5 | greedy) meteor(- | 1.5)\n"},
		"hashes": {func(r *store.Run) {
			r.Environment = json.RawMessage(strings.Replace(string(r.Environment), "ffff", "abab", 1))
		}, "hashes: features(ffffffffffff | ababffffffff)\n"},
		"hashes alike at first": {func(r *store.Run) {
			r.Environment = json.RawMessage(strings.Replace(string(r.Environment), `ffff"`, `ffab"`, 1))
		}, "hashes: features(" + strings.Repeat("f", 64) + " | " + strings.Repeat("f", 62) + "ab)\n"},
		"environment": {func(r *store.Run) {
			r.Environment = json.RawMessage(strings.NewReplacer(`"a"`, `"b"`, `"1.26"`, `"1.27"`, `"m.go":"1"`, `"n.go":"1"`).Replace(string(r.Environment)))
		}, "environment: changes.files.m.go(1 | -) changes.files.n.go(- | 1) host(a | b) versions.go(1.26 | 1.27)\n"},
		"metrics": {func(r *store.Run) {
			r.Metrics = map[string]map[string]float64{"test": {"cider": 0.51, "bleu1": 0.25}, "val": {"cider": 0.7}}
		}, "metrics: test.cider(50.0 | 51.0)\n"},
		"test split spared": {func(r *store.Run) { r.Metrics = map[string]map[string]float64{"val": {"cider": 0.7}} },
			"metrics: test.bleu1(25.0 | -) test.cider(50.0 | -) val.cider(60.0 | 70.0)\n"},
		"not begun": {func(r *store.Run) { r.Environment, r.Metrics = nil, nil },
			"hashes: features(ffffffffffff | -)\n" +
				"environment: changes.files.m.go(1 | -) cores(2 | -) host(a | -) versions.go(1.26 | -)\n" +
				"metrics: test.bleu1(25.0 | -) test.cider(50.0 | -)\n"},
	} {
		a, b := diffed("a1"), diffed("b2")
		c.change(&b)
		if got := described(DiffRuns([]store.Run{a, b})); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, c.want)
		}
	}
}

// TestDiffOfSeveral holds the order of the values, and their JSON.
func TestDiffOfSeveral(t *testing.T) {
	a, b, c := diffed("a1"), diffed("b2"), diffed("c3")
	c.Metrics = map[string]map[string]float64{"test": {"cider": 0.5, "bleu1": 0.3}}
	b.Environment = json.RawMessage(`{"host":"password=hunter2hunter2"}`)
	d := DiffRuns([]store.Run{a, b, c})
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"runs":["a1","b2","c3"]`, `"settings":[]`, `"metrics":[{"name":"test.bleu1","values":[0.25,0.25,0.3]}]`,
		`{"name":"cores","values":[2,null,2]}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(string(text), "hunter2") {
		t.Errorf("a secret is in %s", text)
	}
}
