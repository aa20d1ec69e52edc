package view

import (
	"slices"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/metrics"
)

// TestRunsMetricColumns holds headings, scales and digits of the columns of metrics, and their order.
func TestRunsMetricColumns(t *testing.T) {
	scores := map[string]float64{}
	for _, m := range metrics.Catalogue {
		scores[m.Key] = 0.25
	}
	scores["vocabulary"] = 250
	row := &Row{Run: store.Run{Metrics: map[string]map[string]float64{"test": scores}}}
	var got []string
	for _, f := range Fields() {
		if strings.HasPrefix(f.Name, "final.") {
			got = append(got, f.Name+": "+f.Heading+" "+row.text(f))
		}
	}
	want := []string{
		"final.bleu1: BLEU-1 25.0", "final.bleu2: BLEU-2 25.0", "final.bleu3: BLEU-3 25.0", "final.bleu4: BLEU-4 25.0",
		"final.rouge_l: ROUGE-L 25.0", "final.cider: CIDEr 25.0", "final.cider_d: CIDEr-D 25.0", "final.cider_plain: CIDEr plain 25.0",
		"final.meteor: METEOR 25.0", "final.meteor-exact-stem: METEOR exact+stem 25.0", "final.copied: COPIED 25.0",
		"final.length_ratio: LENGTH RATIO 0.250", "final.distinct: DISTINCT 25.0", "final.vocabulary: VOCABULARY 250",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRunsNewMetric holds that a metric of the catalogue has its columns without more, and its place in the help.
func TestRunsNewMetric(t *testing.T) {
	listed := metrics.Catalogue
	t.Cleanup(func() { metrics.Catalogue = listed })
	metrics.Catalogue = append(slices.Clip(listed), metrics.Entry{Key: "words", Title: "Words", Scale: 1, Digits: 2,
		Image: func(s *metrics.ImageScore) float64 { return float64(s.Length) }})
	f, err := findField(Fields(), "val.words")
	if err != nil {
		t.Fatal(err)
	}
	row := &Row{Run: store.Run{Metrics: map[string]map[string]float64{"val": {"words": 9.5}}}}
	if f.Heading != "val Words" || row.text(f) != "9.50" {
		t.Errorf("%s: %s", f.Heading, row.text(f))
	}
	if !strings.Contains(FieldHelp(), "vocabulary, words") {
		t.Errorf("the help does not list it:\n%s", FieldHelp())
	}
}

// TestOmittedDefaults holds that a default that settings leave out is told, and another value as it is.
func TestOmittedDefaults(t *testing.T) {
	f, err := findField(Fields(), "model.cell")
	if err != nil {
		t.Fatal(err)
	}
	for settings, want := range map[string]string{`{"model": {"hidden": 8}}`: "gru", `{"model": {"cell": "lstm"}}`: "lstm"} {
		row := &Row{Run: store.Run{Settings: []byte(settings)}}
		if v, has := row.known(f); !has || v.Text != want || row.text(f) != want {
			t.Errorf("%s is of cell %q, want %s", settings, row.text(f), want)
		}
	}
}
