package metrics

import (
	"math"
	"slices"
	"testing"
)

// A candidate scored alone against counted references gets the same scores as when all
// are scored together.
func TestReferences(t *testing.T) {
	items := grammarItems(40, 3)
	items[1].Candidate = nil
	items[2].Candidate = words("zebras zebras zebras zebras of zebras of no reference")
	items[3].Candidate = slices.Clone(items[3].References[1])
	items[4].References[0] = nil
	items[5].Candidate = append(slices.Clone(items[5].References[0]), "two\u00a0words", "two\u00a0words")
	together, err := Score(items)
	if err != nil {
		t.Fatal(err)
	}
	images := make([][][]string, len(items))
	for i := range items {
		images[i] = items[i].References
	}
	var order []int // of images, in reverse, with two captions each
	var candidates [][]string
	for i := range slices.Backward(items) {
		order = append(order, i, i)
		candidates = append(candidates, items[i].Candidate, items[i].Candidate)
	}
	for k, got := range NewReferences(images).ScoreAll(order, candidates) {
		want := together.Images[order[k]]
		if got.Match != want.Match || got.Length != want.Length || got.RefLength != want.RefLength {
			t.Errorf("image %d: counts %+v, want %+v", order[k], got, want)
		}
		for _, pair := range [][2]float64{{got.CIDEr, want.CIDEr}, {got.CIDErD, want.CIDErD}, {got.CIDErPlain, want.CIDErPlain}} {
			if math.Abs(pair[0]-pair[1]) > 1e-12 {
				t.Errorf("image %d: CIDEr %v, want %v", order[k], pair[0], pair[1])
			}
		}
	}
	if together.Images[3].CIDErD < 1 || together.Images[2].CIDErD > 0.1 {
		t.Errorf("the test's captions score %v and %v", together.Images[3].CIDErD, together.Images[2].CIDErD)
	}
}

func BenchmarkReferences(b *testing.B) {
	items := grammarItems(2000, 3)
	images := make([][][]string, len(items))
	for i := range items {
		images[i] = items[i].References
	}
	r := NewReferences(images)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r.Score(i%len(items), items[i%len(items)].Candidate)
	}
}
