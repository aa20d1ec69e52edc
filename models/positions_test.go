package models

import (
	"math"
	"slices"
	"testing"

	"glimpse/data"
)

// About as many words are dropped as asked for, never <s>, always the same in one step, and others in
// another; what is to be predicted stays.
func TestDropWords(t *testing.T) {
	const rate, captions, words = 0.3, 500, 20
	b := data.Batch{Images: make([]int, captions), C: 1, T: words + 2}
	for range captions {
		b.Tokens = append(b.Tokens, data.StartID)
		for w := range words {
			b.Tokens = append(b.Tokens, int64(10+w))
		}
		b.Tokens = append(b.Tokens, data.EndID)
	}
	whole := pack(b)
	dropped := func(seed int64, epoch, step int) []int64 {
		p := pack(b)
		p.dropWords(rate, seed, epoch, step)
		if !slices.Equal(p.target, whole.target) {
			t.Error("words to be predicted were dropped")
		}
		return p.input
	}
	first := dropped(1, 2, 3)
	n := 0
	for i, word := range first {
		switch {
		case word == whole.input[i]:
		case word == data.UnknownID && whole.input[i] != data.StartID:
			n++
		default:
			t.Fatalf("word %d became %d", whole.input[i], word)
		}
	}
	if share := float64(n) / (captions * words); math.Abs(share-rate) > 0.02 { // 4 standard errors
		t.Errorf("%.3f of the words were dropped, want %v", share, rate)
	}
	if !slices.Equal(first, dropped(1, 2, 3)) {
		t.Error("a step that is taken again drops other words")
	}
	for _, other := range [][]int64{dropped(2, 2, 3), dropped(1, 3, 3), dropped(1, 2, 4)} {
		if slices.Equal(first, other) {
			t.Error("another seed, epoch or step drops the same words")
		}
	}
}
