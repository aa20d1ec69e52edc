package metrics

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// The fixtures come from testdata/make_fixtures.py, which names the programs
// and versions that they were made with.

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

func TestTokenizeParity(t *testing.T) {
	var fixture []struct {
		Text   string   `json:"text"`
		Tokens []string `json:"tokens"`
	}
	readFixture(t, "tokens.json", &fixture)
	for _, f := range fixture {
		if got := Tokenize(f.Text); !reflect.DeepEqual(got, f.Tokens) {
			t.Errorf("Tokenize(%q)\n got %q\nwant %q", f.Text, got, f.Tokens)
		}
	}
}

func TestStemParity(t *testing.T) {
	var fixture map[string]string
	readFixture(t, "stems.json", &fixture)
	for word, want := range fixture {
		if got := stem(word); got != want {
			t.Errorf("stem(%q) = %q, want %q", word, got, want)
		}
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
		items[i] = Item{ID: item.ID, Candidate: Tokenize(item.Candidate)}
		for _, r := range item.References {
			items[i].References = append(items[i].References, Tokenize(r))
		}
	}
	return items
}

// tolerance is that of the project for BLEU, ROUGE-L and CIDEr; METEOR in fact
// keeps it as well.
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
	m, err := LoadMeteor(filepath.Join("testdata", "meteor"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := (&Scorer{Meteor: m}).Score(f.tokenized())
	if err != nil {
		t.Fatal(err)
	}
	checkScores(t, &f, result, "meteor", "meteor_small")
}

// The same on METEOR's own data, where $GLIMPSE_METEOR tells where they are.
func TestMeteorDataParity(t *testing.T) {
	path := os.Getenv("GLIMPSE_METEOR")
	if path == "" {
		t.Skip("GLIMPSE_METEOR does not name METEOR's jar or its folder")
	}
	var f scoresFixture
	readFixture(t, "scores.json", &f)
	m, err := LoadMeteor(path)
	if err != nil {
		t.Fatal(err)
	}
	result, err := (&Scorer{Meteor: m}).Score(f.tokenized())
	if err != nil {
		t.Fatal(err)
	}
	checkScores(t, &f, result, "meteor", "meteor")
}

// The protocols that NLTK defines too, on captions of at least four words.
func TestAuditParity(t *testing.T) {
	var f scoresFixture
	readFixture(t, "scores.json", &f)
	var items []AuditItem
	for _, item := range f.tokenized() {
		if len(item.Candidate) >= MaxOrder {
			items = append(items, AuditItem{ID: item.ID, CandidateTokens: item.Candidate, ReferenceTokens: item.References})
		}
	}
	rows, err := Audit(AuditSplit{Name: "test", HeldOut: true, Claim: ClaimTest, Items: items})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][MaxOrder]float64)
	for _, row := range rows {
		got[row.Protocol] = row.BLEU
	}
	tests := []struct {
		protocol string
		order    int
		key      string
	}{
		{"coco", 1, "nltk_bleu1"}, {"coco", 2, "nltk_bleu2"}, {"coco", 3, "nltk_bleu3"}, {"coco", 4, "nltk_bleu4"},
		{"sentence-mean-epsilon", 1, "nltk_epsilon1"}, {"sentence-mean-epsilon", 2, "nltk_epsilon2"},
		{"sentence-mean-epsilon", 3, "nltk_epsilon3"}, {"sentence-mean-epsilon", 4, "nltk_epsilon4"},
		{"sentence-mean-add-one", 2, "nltk_add-one2"}, {"sentence-mean-add-one", 4, "nltk_add-one4"},
		{"nltk-default-weights", 1, "nltk_bleu4"}, {"nltk-tutorial-weights", 3, "nltk_tutorial3"},
		{"nltk-single-order", 2, "nltk_single2"}, {"characters", 2, "nltk_characters2"},
	}
	for _, tt := range tests {
		if got, want := got[tt.protocol][tt.order-1], f.Corpus[tt.key]; !near(got, want) {
			t.Errorf("%s, BLEU-%d = %.12f, NLTK has %.12f", tt.protocol, tt.order, got, want)
		}
	}
}
