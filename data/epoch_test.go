package data

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
)

// batched is a data set of n images with varied captions: image i has i%7 of them.
func batched(t *testing.T, n int) *Dataset {
	t.Helper()
	d := &Dataset{Splits: map[string][]int{}, Options: Options{CaptionsPerImage: 5, MinCount: 1, MaxLength: 6, Vocabulary: "train"}}
	for i := range n {
		var tokens [][]string
		for k := range i % 7 {
			words := make([]string, 1+(i+k)%9)
			for w := range words {
				words[w] = string(rune('a' + (i*k+w)%26))
			}
			tokens = append(tokens, words)
		}
		d.Images = append(d.Images, NewImage(fmt.Sprint(i), "", tokens))
		d.Splits["train"] = append(d.Splits["train"], i)
	}
	if err := d.finish(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEpoch(t *testing.T) {
	d := batched(t, 1003)
	batches := d.Epoch("train", 16, 7, 3)
	if len(batches) != 63 {
		t.Fatalf("%d batches", len(batches))
	}
	var seen []int
	for _, b := range batches {
		if len(b.Images) > 16 || b.C != 5 || len(b.Tokens) != len(b.Images)*b.C*b.T || b.T > 8 {
			t.Fatalf("batch of %d images, C %d, T %d, %d tokens", len(b.Images), b.C, b.T, len(b.Tokens))
		}
		seen = append(seen, b.Images...)
		full := false
		for k, i := range b.Images {
			var rows [][]int64
			for c := range b.C {
				row := b.Tokens[(k*b.C+c)*b.T:][:b.T]
				end := slices.Index(row, PadID)
				if end < 0 {
					end, full = b.T, true
				}
				if slices.ContainsFunc(row[end:], func(id int64) bool { return id != PadID }) {
					t.Fatalf("row %v", row)
				}
				if end > 0 {
					rows = append(rows, row[:end])
				} else if c < len(d.Images[i].Captions()) {
					t.Fatalf("image %d lacks caption %d", i, c)
				}
			}
			if len(rows) != min(5, len(d.Images[i].Captions())) {
				t.Fatalf("image %d has %d rows", i, len(rows))
			}
			at, encoded := 0, d.encode(i) // the rows are captions of the image, in order
			for _, row := range rows {
				for at < len(encoded) && !slices.Equal(encoded[at], row) {
					at++
				}
				if at++; at > len(encoded) {
					t.Fatalf("image %d: row %v is none of its captions", i, row)
				}
			}
		}
		if !full && b.T > 0 {
			t.Fatal("a batch is padded for nothing")
		}
	}
	slices.Sort(seen)
	if !slices.Equal(seen, d.Splits["train"]) {
		t.Error("an epoch is not every image once")
	}
}

func digest(batches []Batch) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, batches)))[:16]
}

// The order may never change: a resumed training counts on it.
func TestEpochOrderIsFixed(t *testing.T) {
	d := batched(t, 300)
	if got, want := digest(d.Epoch("train", 8, 1, 0)), "8744102a0c753bcf"; got != want {
		t.Errorf("epoch 0 of seed 1 is %s, was %s", got, want)
	}
	seen := map[string]string{}
	for seed := range int64(4) {
		for epoch := range 4 {
			name := fmt.Sprintf("seed %d epoch %d", seed, epoch)
			got := digest(d.Epoch("train", 8, seed, epoch))
			if other, twice := seen[got]; twice {
				t.Errorf("%s is the same as %s", name, other)
			}
			seen[got] = name
			if digest(d.Epoch("train", 8, seed, epoch)) != got {
				t.Errorf("%s differs from itself", name)
			}
		}
	}
}

func TestEpochOfNothing(t *testing.T) {
	d := batched(t, 10)
	d.Splits["val"] = []int{}
	for _, got := range [][]Batch{d.Epoch("val", 4, 1, 0), d.Epoch("dev", 4, 1, 0), d.Epoch("train", 0, 1, 0)} {
		if got != nil {
			t.Errorf("got %d batches", len(got))
		}
	}
	if got := d.Epoch("train", 1<<40, 1, 0); len(got) != 1 || len(got[0].Images) != 10 {
		t.Errorf("one large batch: %d", len(got))
	}
}

// Of an image with seven captions and C = 5, every one has its turn.
func TestEpochDrawsCaptions(t *testing.T) {
	d := batched(t, 7) // image 6 has six captions
	d.Splits["train"] = []int{6}
	left := map[string]bool{}
	for epoch := range 40 {
		b := d.Epoch("train", 4, 1, epoch)[0]
		for k, ids := range d.encode(6) {
			found := false
			for c := range b.C {
				row := b.Tokens[c*b.T:][:b.T]
				found = found || slices.Equal(row[:min(len(ids), b.T)], ids)
			}
			if !found {
				left[fmt.Sprint(k)] = true
			}
		}
	}
	if len(left) != 6 {
		t.Errorf("captions left out in one epoch or another: %v, want all six", left)
	}
}

func TestStream(t *testing.T) {
	s := newStream(3, useEpoch)
	count := make([]int, 7)
	for range 70_000 {
		count[s.below(7)]++
	}
	for n, c := range count {
		if c < 9_500 || c > 10_500 {
			t.Errorf("%d came %d times of 70,000, want about 10,000", n, c)
		}
	}
	for range 1000 {
		if x := s.unit(); x < 0 || x >= 1 {
			t.Fatal(x)
		}
		if x := s.within(0.5); x < -0.5 || x >= 0.5 {
			t.Fatal(x)
		}
	}
	firsts := make([]int, 4)
	for range 40_000 {
		firsts[pick(s, 4, 2)[0]]++
	}
	for n, c := range firsts {
		if c < 9_500 || c > 10_500 {
			t.Errorf("%d was picked first %d times of 40,000", n, c)
		}
	}
}
