package metrics

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"glimpse/metrics/meteor"
	"glimpse/metrics/ptb"
)

// The fixture is made by testdata/make_fixtures.py, which names the programs and
// versions used.

func readFixture(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type scoresFixture struct {
	Items []struct {
		ID         string   `json:"id"`
		Candidate  string   `json:"candidate"`
		References []string `json:"references"`
	} `json:"items"`
	Corpus map[string]float64            `json:"corpus"`
	Images map[string]map[string]float64 `json:"images"`
}

func (f *scoresFixture) tokenized() []Item {
	items := make([]Item, len(f.Items))
	for i, item := range f.Items {
		items[i] = Item{ID: item.ID, Candidate: ptb.Tokenize(item.Candidate)}
		for _, r := range item.References {
			items[i].References = append(items[i].References, ptb.Tokenize(r))
		}
	}
	return items
}

// tolerance is the project's tolerance for BLEU, ROUGE-L and CIDEr. METEOR satisfies
// it too.
const tolerance = 1e-9

func near(a, b float64) bool { return math.Abs(a-b) <= tolerance }

// perImage are the scores of one image under the keys of the fixture.
func perImage(s ImageScore, meteorKey string) map[string]float64 {
	bleu := SentenceBLEU(s)
	return map[string]float64{
		"bleu1": bleu[0], "bleu2": bleu[1], "bleu3": bleu[2], "bleu4": bleu[3],
		"rouge_l": s.RougeL, "cider": s.CIDEr, "cider_plain": s.CIDErPlain, meteorKey: s.METEOR,
	}
}

// checkScores compares a result with the fixture, METEOR under meteorKey.
func checkScores(t *testing.T, f *scoresFixture, result Result, resultKey, meteorKey string) {
	t.Helper()
	for _, key := range []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "cider_plain"} {
		if got, want := result.Metrics[key], f.Corpus[key]; !near(got, want) {
			t.Errorf("%s = %.12f, want %.12f", key, got, want)
		}
	}
	if got, want := result.Metrics[resultKey], f.Corpus[meteorKey]; !near(got, want) {
		t.Errorf("%s = %.12f, want %.12f", resultKey, got, want)
	}
	for i, image := range result.Images {
		for key, got := range perImage(image, meteorKey) {
			if want := f.Images[image.ID][key]; !near(got, want) {
				t.Errorf("%s of %s = %.12f, want %.12f\n%q\n%q", key, image.ID, got, want, f.Items[i].Candidate, f.Items[i].References)
			}
		}
	}
}

func TestScoreParity(t *testing.T) {
	var f scoresFixture
	readFixture(t, "scores.json", &f)
	result, err := Score(f.tokenized())
	if err != nil {
		t.Fatal(err)
	}
	checkScores(t, &f, result, "meteor-exact-stem", "meteor_exact_stem")
	if _, ok := result.Metrics["meteor"]; ok {
		t.Error("a value is called meteor without METEOR's data")
	}
	if got, want := result.Metrics["bleu4"], f.Corpus["sacrebleu4"]; !near(got, want) {
		t.Errorf("bleu4 = %.12f, sacreBLEU has %.12f", got, want)
	}
}

// The four stages of METEOR on a small data set, against METEOR itself.
func TestMeteorParity(t *testing.T) {
	var f scoresFixture
	readFixture(t, "scores.json", &f)
	m, err := meteor.Load(filepath.Join("meteor", "testdata", "small"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := (&Scorer{Meteor: m}).Score(f.tokenized())
	if err != nil {
		t.Fatal(err)
	}
	checkScores(t, &f, result, "meteor", "meteor_small")
}

// The same with METEOR's own data, if $GLIMPSE_METEOR names the jar or its folder.
func TestMeteorDataParity(t *testing.T) {
	path := os.Getenv("GLIMPSE_METEOR")
	if path == "" {
		t.Skip("GLIMPSE_METEOR does not name METEOR's jar or its folder")
	}
	var f scoresFixture
	readFixture(t, "scores.json", &f)
	m, err := meteor.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	result, err := (&Scorer{Meteor: m}).Score(f.tokenized())
	if err != nil {
		t.Fatal(err)
	}
	checkScores(t, &f, result, "meteor", "meteor")
}
