package metrics

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestCatalogue checks that entries satisfy what the fields of Entry require.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Catalogue {
		switch {
		case e.Key == "" || e.Title == "" || seen[e.Key]:
			t.Errorf("%q, %q: no key or title, or a key twice", e.Key, e.Title)
		case strings.Contains(e.Key, "."):
			t.Errorf("%s cannot be told from a split and a key", e.Key)
		case e.Scale != 1 && e.Scale != 100:
			t.Errorf("%s has scale %g", e.Key, e.Scale)
		case e.Tested && (e.Scale != 100 || e.Image == nil):
			t.Errorf("%s is tested, but its scale is %g, or it has no score of an image", e.Key, e.Scale)
		case (e.Image == nil && e.Corpus == nil) == (e.Captions == nil):
			t.Errorf("%s has no function, or looks at scores and captions", e.Key)
		}
		seen[e.Key] = true
		if got, ok := Find(e.Key); !ok || got.Title != e.Title {
			t.Errorf("%s is found as %q, %v", e.Key, got.Title, ok)
		}
	}
	if _, ok := Find("test.cider"); ok {
		t.Error("a metric of a split is found as a metric")
	}
}

func TestTested(t *testing.T) {
	for meteor, want := range map[string]string{
		METEORKey:                      "bleu1 bleu2 bleu3 bleu4 rouge_l cider cider_d meteor",
		ExactStemKey:                   "bleu1 bleu2 bleu3 bleu4 rouge_l cider cider_d meteor-exact-stem",
		ExactStemKey + " " + METEORKey: "bleu1 bleu2 bleu3 bleu4 rouge_l cider cider_d meteor meteor-exact-stem",
		"":                             "bleu1 bleu2 bleu3 bleu4 rouge_l cider cider_d",
	} {
		if got := strings.Join(Tested(strings.Fields(meteor)...), " "); got != want {
			t.Errorf("with METEOR as %q: %s, want %s", meteor, got, want)
		}
	}
}

func TestParseKey(t *testing.T) {
	for name, want := range map[string][2]string{
		"test.cider": {"test", "cider"}, "val.meteor-exact-stem": {"val", "meteor-exact-stem"}, "test.a.b": {"test", "a.b"},
		"": {}, "last": {}, ".cider": {}, "val.": {},
	} {
		split, key, ok := ParseKey(name)
		if got := [2]string{split, key}; got != want || ok != (want != [2]string{}) {
			t.Errorf("%q is %q, %v, want %q", name, got, ok, want)
		}
	}
}

func TestBLEUOrder(t *testing.T) {
	for key, want := range map[string]int{"bleu1": 1, "bleu4": 4, "bleu0": 0, "bleu5": 0, "bleu": 0, "4": 0, "cider": 0} {
		if got := BLEUOrder(key); got != want {
			t.Errorf("%s is of order %d, want %d", key, got, want)
		}
	}
}

// TestNewMetric checks that an entry is all that a new metric needs: scorers and Corpus
// then compute it.
func TestNewMetric(t *testing.T) {
	listed := Catalogue
	t.Cleanup(func() { Catalogue = listed })
	Catalogue = append(slices.Clip(Catalogue),
		Entry{Key: "words", Title: "Words", Scale: 1, Image: func(s *ImageScore) float64 { return float64(s.Length) }},
		Entry{Key: "images", Title: "Images", Scale: 1, Corpus: func(images []ImageScore) float64 { return float64(len(images)) }},
		Entry{Key: "first", Title: "First", Scale: 1, Captions: func(_ *Scorer, items []Item) (float64, bool) {
			return float64(len(items[0].Candidate)), true
		}},
		Entry{Key: "absent", Title: "Absent", Scale: 1, Captions: func(*Scorer, []Item) (float64, bool) { return 0, false }})
	result, err := Score([]Item{item("1", "a dog runs", "a dog"), item("2", "a", "a dog")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"words": 2, "images": 2, "first": 3}
	maps.DeleteFunc(result.Metrics, func(key string, _ float64) bool {
		return slices.ContainsFunc(listed, func(e Entry) bool { return e.Key == key })
	})
	if !maps.Equal(result.Metrics, want) {
		t.Errorf("the new metrics are %v, want %v", result.Metrics, want)
	}
	if got := Corpus(nil); got["words"] != 0 || got["images"] != 0 {
		t.Errorf("of no images: %v", got)
	}
}
