package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func words(s string) []string { return strings.Fields(s) }

func item(id, candidate string, references ...string) Item {
	out := Item{ID: id, Candidate: words(candidate)}
	for _, r := range references {
		out.References = append(out.References, words(r))
	}
	return out
}

// grammarItems makes n images with 5 references each.
func grammarItems(n int, seed uint64) []Item {
	rng := rand.New(rand.NewPCG(seed, 0))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	caption := func() []string {
		return words(fmt.Sprintf("%s %s %s %s %s %s the %s",
			pick("a", "the", "one"), pick("small", "big", "young", "red", "happy"), pick("dog", "man", "girl", "bird", "boat"),
			pick("is running", "jumps", "stands", "looks at a camera"), pick("near", "on", "in front of", "under"),
			pick("a tree of", "two men at", "people by", "some"), pick("sea", "street", "house", "snow", "park")))
	}
	items := make([]Item, n)
	for i := range items {
		items[i] = Item{ID: fmt.Sprint(i), Candidate: caption()}
		for range 5 {
			items[i].References = append(items[i].References, caption())
		}
	}
	return items
}

func TestScoreByHand(t *testing.T) {
	// The candidate has 6 words, of which "the" is clipped to 2; the closest
	// references have 5 and 7 words, and the shorter one counts.
	result, err := Score([]Item{
		item("a", "the the the cat sat down", "the cat sat down there", "on the mat the cat sat down"),
		item("b", "x y", "p q"),
	})
	if err != nil {
		t.Fatal(err)
	}
	a := result.Images[0]
	if want := [MaxOrder]int{5, 3, 2, 1}; a.Match != want || a.Length != 6 || a.RefLength != 5 {
		t.Errorf("counts %v, lengths %d and %d", a.Match, a.Length, a.RefLength)
	}
	// LCS: "the cat sat down" of 4 words with the first reference, "the the
	// cat sat down" of 5 with the second.
	p, r := 5.0/6, 4.0/5
	if want := (1 + 1.44) * p * r / (r + 1.44*p); math.Abs(a.RougeL-want) > 1e-12 {
		t.Errorf("ROUGE-L %v, want %v", a.RougeL, want)
	}
	if got, want := result.Metrics["bleu1"], 5.0/8; math.Abs(got-want) > 1e-9 {
		t.Errorf("BLEU-1 %v, want %v", got, want)
	}
	if got := result.Metrics["length_ratio"]; got != 8.0/7 {
		t.Errorf("length ratio %v", got)
	}
	b := result.Images[1]
	if b.RougeL != 0 || b.CIDEr != 0 || b.METEOR != 0 {
		t.Errorf("nothing in common: %+v", b)
	}
}

func TestDescribe(t *testing.T) {
	s := &Scorer{Training: slices.Values([][]string{words("a dog runs"), words("a cat")})}
	result, err := s.Score([]Item{
		item("1", "a dog runs", "a dog"), item("2", "a dog runs", "a dog"), item("3", "a bird", "a dog"), item("4", "", "a dog"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{"distinct": 3.0 / 4, "vocabulary": 4, "copied": 2.0 / 4} {
		if got := result.Metrics[key]; got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if !result.Images[3].Blank || result.Images[0].Blank {
		t.Error("only the empty candidate is blank")
	}
}

func TestScoreErrors(t *testing.T) {
	tests := []struct {
		name  string
		items []Item
		want  string
	}{
		{"none", nil, "no images"},
		{"no references", []Item{item("a", "x", "x"), item("b", "x")}, `image "b" (item 2) has no references`},
		{"twice", []Item{item("a", "x", "x"), item("b", "x", "x"), item("a", "y", "y")}, `image "a" occurs twice, as items 1 and 3`},
	}
	for _, tt := range tests {
		if _, err := Score(tt.items); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// For any multiset of images, corpus scores from stored statistics equal those from
// scoring the images.
func TestCorpusFromStatistics(t *testing.T) {
	items := grammarItems(60, 1)
	result, err := Score(items)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, 0))
	var drawn []Item
	var images []ImageScore
	for i := range 90 {
		k := rng.IntN(len(items))
		copied := items[k]
		copied.ID = fmt.Sprint("draw ", i)
		drawn = append(drawn, copied)
		images = append(images, result.Images[k])
	}
	again, err := Score(drawn)
	if err != nil {
		t.Fatal(err)
	}
	got := Corpus(images)
	for _, key := range []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "length_ratio"} {
		if math.Abs(got[key]-again.Metrics[key]) > 1e-12 {
			t.Errorf("%s: %v from statistics, %v from captions", key, got[key], again.Metrics[key])
		}
	}
	if math.Abs(got["meteor"]-again.Metrics["meteor-exact-stem"]) > 1e-12 {
		t.Errorf("METEOR: %v from statistics, %v from captions", got["meteor"], again.Metrics["meteor-exact-stem"])
	}
}

func TestCorpusOfNothing(t *testing.T) {
	for key, v := range Corpus(nil) {
		if v != 0 {
			t.Errorf("%s of no images is %v", key, v)
		}
	}
	blank, err := Score([]Item{item("a", "", "a dog"), item("b", "", "a cat")})
	if err != nil {
		t.Fatal(err)
	}
	for key, v := range blank.Metrics {
		if math.IsNaN(v) || v > 0 && key != "distinct" {
			t.Errorf("%s of empty captions is %v", key, v)
		}
	}
}

// The result does not depend on the number of cores.
func TestScoreDeterministic(t *testing.T) {
	items := grammarItems(200, 3)
	want, err := Score(items)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	got, err := Score(items)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("one core gives other scores than all")
	}
}

func TestCIDErOfLongCaptions(t *testing.T) {
	long := strings.Repeat("a man with a dog and ", 40)
	result, err := Score([]Item{item("a", long, long+"cat", "a man"), item("b", "a bird", "a bird")})
	if err != nil {
		t.Fatal(err)
	}
	for key, v := range result.Metrics {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s = %v", key, v)
		}
	}
	if got := result.Images[1]; math.Abs(got.METEOR-1) > 1e-12 || math.Abs(got.RougeL-1) > 1e-12 {
		t.Errorf("a perfect caption has METEOR %v, ROUGE-L %v", got.METEOR, got.RougeL)
	}
}

func BenchmarkScore(b *testing.B) {
	items := grammarItems(1000, 4)
	for b.Loop() {
		if _, err := Score(items); err != nil {
			b.Fatal(err)
		}
	}
}
