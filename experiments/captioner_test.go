package experiments

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/metrics"
)

// TestNewArmAndEncoder holds that an arm and an encoder are one entry each of package captioner: study files, defaults,
// labels, plans and the schema have them without more.
func TestNewArmAndEncoder(t *testing.T) {
	arms, encoders := captioner.Arms, captioner.Encoders
	t.Cleanup(func() { captioner.Arms, captioner.Encoders = arms, encoders })
	captioner.Arms = append(slices.Clip(arms), captioner.Arm{Name: "hard", Regions: true, Scores: true})
	wide, err := captioner.EncoderOf("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	wide.Name, wide.Usual = "wide18", 256
	captioner.Encoders = append(slices.Clip(encoders), wide)

	const text = `study: a
data: {name: flickr8k}
encoder: {name: wide18, weights: random}
sweep: {over: {model.attention: [soft, hard]}}
compare: {arms: model.attention, baseline: soft, primary: {metric: test.cider, minimum_effect: 1}}
`
	trials, err := load(t, text).Plan()
	if err != nil || len(trials) != 2 {
		t.Fatalf("%d trials, %v", len(trials), err)
	}
	var counts []int64
	for _, trial := range trials {
		if side := trial.Settings.Encoder.ImageSize; side != 256 {
			t.Errorf("pictures of %d pixels, not the usual 256", side)
		}
		if trial.Settings.Model.AttentionSize == 0 {
			t.Errorf("%s: no attention_size", trial.Arm)
		}
		n, err := trial.Settings.Parameters(3000)
		if err != nil {
			t.Error(err)
		}
		counts = append(counts, n)
	}
	if counts[0] != counts[1] || counts[0] == 0 {
		t.Errorf("soft and its twin have %v parameters", counts)
	}
	if cells := declare(t, text).Cells(); len(cells) != 2 || cells[1].Label != "hard" {
		t.Errorf("cells are %+v", cells)
	}
	schema, err := Schema()
	if err != nil || !bytes.Contains(schema, []byte(`"hard"`)) || !bytes.Contains(schema, []byte(`"wide18"`)) {
		t.Errorf("the schema lacks one of them: %v", err)
	}
	if meaning := find("encoder.name").tells(); !strings.Contains(meaning, "precomputed, wide18") {
		t.Errorf("encoder.name is told as %q", meaning)
	}
	for refused, want := range map[string]string{
		strings.Replace(text, "weights: random", "weights: auto", 1): "for wide18 give the path",
		strings.Replace(text, "hard", "hart", 1):                     `did you mean "hard"`,
	} {
		if _, err := Parse("study.yaml", []byte(refused)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestNewMetric holds that a study can declare a tested metric that package metrics lists, and choose epochs by it.
func TestNewMetric(t *testing.T) {
	listed := metrics.Catalogue
	t.Cleanup(func() { metrics.Catalogue = listed })
	metrics.Catalogue = append(slices.Clip(listed), metrics.Entry{Key: "matched", Title: "Matched", Scale: 100, Tested: true,
		Image: func(s *metrics.ImageScore) float64 { return float64(s.Match[0]) }})
	s := load(t, "study: a\ntrain: {select: {metric: val.matched}}\nsweep: {over: {model.attention: [none, soft]}}\n"+
		"compare: {arms: model.attention, baseline: none, primary: {metric: test.matched, minimum_effect: 1}}\n")
	if s.Compare.Primary.Metric != "test.matched" || s.Train.Select.Metric != "val.matched" {
		t.Errorf("declared %s, chosen by %s", s.Compare.Primary.Metric, s.Train.Select.Metric)
	}
}
