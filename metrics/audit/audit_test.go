package audit

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/metrics"
	"glimpse/metrics/ptb"
)

func someItems() []Item {
	return []Item{
		{ID: "1", Candidate: "a dog runs", References: []string{"A dog runs, fast.", "The dog runs", "a small dog runs over sand"}},
		{ID: "2", Candidate: "two men sit on a bench", References: []string{"Two men sit on the bench.", "two men, a bench"}},
		{ID: "3", Candidate: "a cat", References: []string{"A black cat, asleep"}},
	}
}

func TestScore(t *testing.T) {
	train := []Item{{ID: "9", Candidate: "a red boat at sea", References: []string{"a red boat at sea"}}}
	forced := []Item{
		{ID: "1", Candidate: "a dog runs fast", References: someItems()[0].References},
		{ID: "1", Candidate: "a dog runs", References: someItems()[0].References},
	}
	rows, err := Score(
		Split{Name: "test", HeldOut: true, Claim: ClaimTest, Items: someItems(), TeacherForced: forced},
		Split{Name: "train", Claim: ClaimTrain, Items: train})
	if err != nil {
		t.Fatal(err)
	}
	n := len(Protocols())
	if len(rows) != 2*n+1 || rows[n].Protocol != "teacher-forced" {
		t.Fatalf("%d rows for %d protocols on two splits and teacher forcing on one", len(rows), n)
	}
	if rows[n].Images != 1 {
		t.Errorf("teacher forcing on two references of one image scored %d images", rows[n].Images)
	}
	by := make(map[string]Row)
	for _, r := range rows {
		by[r.Split+"/"+r.Protocol] = r
		if r.Says == "" || r.Source == "" || r.Why == "" {
			t.Errorf("%s lacks its words: %+v", r.Protocol, r)
		}
		if want := r.Protocol == "coco" && r.Split == "test"; r.Reportable != want {
			t.Errorf("%s on %s: reportable is %v", r.Protocol, r.Split, r.Reportable)
		}
		if want := r.BLEU[0] >= r.Claim.BLEU1 && r.BLEU[1] >= r.Claim.BLEU2; r.Reaches != want {
			t.Errorf("%s on %s: %v, reaches is %v", r.Protocol, r.Split, r.BLEU, r.Reaches)
		}
	}
	if r := by["train/coco"]; !r.Reaches || r.Why != "trained on these images" {
		t.Errorf("copied training captions: %+v", r)
	}
	// Image 3 has no reference without a comma.
	if got := by["test/no-comma-references"].Images; got != 2 {
		t.Errorf("%d images have references without commas, want 2", got)
	}
	for _, higher := range []string{"markers", "no-brevity"} {
		if by["test/"+higher].BLEU[1] < by["test/coco"].BLEU[1] {
			t.Errorf("%s lowers BLEU-2: %v against %v", higher, by["test/"+higher].BLEU, by["test/coco"].BLEU)
		}
	}
	if by["test/best-reference"].BLEU[1] < by["test/first-reference"].BLEU[1] {
		t.Error("the best reference is worse than the first")
	}
}

func TestScoreErrors(t *testing.T) {
	tests := []struct {
		name  string
		split Split
		want  string
	}{
		{"empty", Split{Name: "test"}, `split "test" has no captions`},
		{"no references", Split{Name: "val", Items: []Item{{ID: "7", Candidate: "a"}}}, `split "val": image "7" has no references`},
		{"unequal", Split{Name: "val", Items: []Item{{ID: "7", References: []string{"a", "b"}, ReferenceTokens: [][]string{{"a"}}}}},
			`image "7" has 2 references as text and 1 as tokens`},
	}
	for _, tt := range tests {
		if _, err := Score(tt.split); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	rows, err := Score(Split{Name: "test", HeldOut: true, Items: someItems()[2:]})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Protocol == "seed-parsing" && (r.Images != 0 || r.Why != "leaves no image with a reference") {
			t.Errorf("nothing left: %+v", r)
		}
	}
}

func TestKerasTokens(t *testing.T) {
	got := strings.Join(kerasTokens("A dog's t-shirt, (red)!  It's\tfun."), "|")
	if want := "a|dog's|t|shirt|red|it's|fun"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The protocols that NLTK defines too, on captions of at least four words, of
// which package metrics has the fixture.
func TestParity(t *testing.T) {
	var f struct {
		Items []struct {
			ID, Candidate string
			References    []string
		}
		Corpus map[string]float64
	}
	data, err := os.ReadFile(filepath.Join("..", "testdata", "scores.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	var items []Item
	for _, of := range f.Items {
		item := Item{ID: of.ID, CandidateTokens: ptb.Tokenize(of.Candidate)}
		for _, r := range of.References {
			item.ReferenceTokens = append(item.ReferenceTokens, ptb.Tokenize(r))
		}
		if len(item.CandidateTokens) >= metrics.MaxOrder {
			items = append(items, item)
		}
	}
	rows, err := Score(Split{Name: "test", HeldOut: true, Claim: ClaimTest, Items: items})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bleu)
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
		if got, want := got[tt.protocol][tt.order-1], f.Corpus[tt.key]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s, BLEU-%d = %.12f, NLTK has %.12f", tt.protocol, tt.order, got, want)
		}
	}
}
