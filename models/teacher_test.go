package models

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
)

// allOf lists a data set's images, not in its order.
func allOf(d *data.Dataset) []int {
	images := make([]int, len(d.Images))
	for i := range images {
		images[i] = len(images) - 1 - i
	}
	return images
}

// Fed with the beginnings of what it says by greedy decoding, in captions of
// mixed lengths, a network says the same, one word further.
func TestNextWordsAgreeWithGreedyDecoding(t *testing.T) {
	const maxLength = 12
	telling := false // whether an arm says different things of different images
	eachArm(t, func(t *testing.T, a captioner.Arm, cell captioner.Cell) {
		d := smallScenes(t)
		s := smallSettings(a.Name)
		s.Model.Cell = cell.Name
		s.Train.Optimizer.LR = 1e-2
		s.Model.Layers = 2
		s.Seed = 7 // with which no caption is empty
		c := newSmall(t, s, d)
		for range s.Train.Epochs {
			if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
				t.Fatal(err)
			}
		}
		images := allOf(d)
		greedy, err := c.Caption(t.Context(), images, experiments.Decode{Beam: 1, MaxLength: maxLength}, false)
		if err != nil {
			t.Fatal(err)
		}
		different := map[string]bool{}
		defer func() { telling = telling || len(different) > 1 }()
		for i, image := range images {
			words := greedy[i].Words
			n := len(words)
			if n == 0 {
				t.Fatalf("image %d got an empty caption", image)
			}
			different[strings.Join(words, " ")] = true
			d.Images[image] = data.NewImage("", "", [][]string{words[:1], words, {}, words[:i%n], words[:n-1], words})
		}
		next, err := c.NextWords(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) != len(images) {
			t.Fatalf("%d images, want %d", len(next), len(images))
		}
		for i, image := range images {
			if len(next[i]) != 5 {
				t.Fatalf("image %d: %d captions, want the first 5 of 6", image, len(next[i]))
			}
			for k, got := range next[i] {
				want := greedy[i].Words
				want = want[:min(len(want), len(d.Images[image].Tokens()[k])+1)]
				if len(want) == maxLength { // decoding stopped before </s>; the word after is nobody's
					got = got[:min(len(got), maxLength)]
				}
				if !slices.Equal(got, want) {
					t.Errorf("image %d, caption %d: %v, want %v", image, k, got, want)
				}
			}
		}
	})
	if !telling {
		t.Error("every arm says the same of all images, so that mixed-up images would go unseen")
	}
}

func TestNextWordsShape(t *testing.T) {
	for _, test := range []struct {
		name      string
		tokens    [][]string // of every image
		maxLength int
		captions  int
		most      []int // words of each caption
	}{
		{"no caption", nil, 0, 0, nil},
		{"one", [][]string{{"a", "red"}}, 0, 1, []int{3}},
		{"an empty one between", [][]string{{"a"}, {}, {"a", "red", "circle"}}, 0, 3, []int{2, 1, 4}},
		{"unknown words", [][]string{{"zebra", "zebra"}}, 0, 1, []int{3}},
		{"more than C", [][]string{{"a"}, {"a"}, {"a"}, {"a"}, {"a"}, {"a"}, {"a"}}, 0, 5, []int{2, 2, 2, 2, 2}},
		{"cut", [][]string{{"a", "red", "circle", "and", "a"}}, 2, 1, []int{3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := smallScenes(t)
			c := newSmall(t, smallSettings("adaptive"), d)
			d.Options.MaxLength = test.maxLength
			for i := range d.Images {
				d.Images[i] = data.NewImage("", "", test.tokens)
			}
			images := []int{4, 2}
			next, err := c.NextWords(t.Context(), images)
			if err != nil {
				t.Fatal(err)
			}
			if len(next) != len(images) {
				t.Fatalf("%d images, want %d", len(next), len(images))
			}
			for i := range next {
				if len(next[i]) != test.captions {
					t.Fatalf("%d captions, want %d", len(next[i]), test.captions)
				}
				for k, words := range next[i] {
					if len(words) > test.most[k] {
						t.Errorf("caption %d: %v has more than %d words", k, words, test.most[k])
					}
					for _, w := range words {
						if d.Vocabulary.ID(w) == data.UnknownID {
							t.Errorf("caption %d: %q came out", k, w)
						}
					}
				}
			}
		})
	}
}

func TestNextWordsStop(t *testing.T) {
	c := newSmall(t, smallSettings("none"), smallScenes(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.NextWords(ctx, []int{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
	if next, err := c.NextWords(t.Context(), nil); err != nil || len(next) != 0 {
		t.Errorf("of no images: %v, %v", next, err)
	}
}
