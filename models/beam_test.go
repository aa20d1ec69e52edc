package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		n     int
		words []int64
		want  []int64
	}{
		{0, []int64{5, 5}, nil},
		{1, nil, nil},
		{1, []int64{5, 6}, []int64{5, 6}},
		{2, []int64{5}, nil},
		{2, []int64{5, 5}, []int64{5}},
		{2, []int64{5, 6, 5}, []int64{6}},
		{2, []int64{5, 6, 5, 7, 5}, []int64{6, 7}},
		{3, []int64{5, 6, 7, 5}, nil},
		{3, []int64{5, 6, 7, 5, 6}, []int64{7}},
	} {
		if got := (beam{words: c.words}).forbidden(c.n); !slices.Equal(got, c.want) {
			t.Errorf("%d, %v: %v, want %v", c.n, c.words, got, c.want)
		}
	}
	if (beam{words: []int64{5, data.EndID}, done: true}).forbidden(1) != nil {
		t.Error("a finished caption goes on")
	}
}

// slowBeams is the search of one image written without regard to speed: next gives the log probabilities of all words
// behind a prefix.
func slowBeams(next func(prefix []int64) []float64, o experiments.Decode) []beam {
	groups := max(1, o.Groups)
	var list []beam
	for g := range groups {
		list = append(list, beam{group: g})
	}
	for range o.MaxLength {
		type option struct {
			beam
			score float64
		}
		taken := map[int64]float64{}
		var all []beam
		for g := range groups {
			var options []option
			for _, b := range list {
				if b.group != g {
					continue
				}
				if b.done {
					options = append(options, option{b, b.score(o.LengthPenalty)})
					continue
				}
				for word, logp := range next(b.words) {
					words := append(slices.Clone(b.words), int64(word))
					if word == data.PadID || word == data.StartID || word == data.UnknownID || o.NoRepeat > 0 && repeats(words, o.NoRepeat) {
						continue
					}
					longer := beam{words: words, total: b.total + logp, done: word == data.EndID, group: g}
					penalised := beam{words: words, total: longer.total - o.Diversity*taken[int64(word)]}
					options = append(options, option{longer, penalised.score(o.LengthPenalty)})
				}
			}
			slices.SortStableFunc(options, func(x, y option) int { return cmp.Compare(y.score, x.score) })
			before := map[string]bool{}
			for _, b := range list {
				before[fmt.Sprint(b.words)] = true
			}
			for _, c := range options[:min(o.Beam/groups, len(options))] {
				all = append(all, c.beam)
			}
			for _, c := range options[:min(o.Beam/groups, len(options))] {
				if !before[fmt.Sprint(c.words)] {
					taken[c.last()]++
				}
			}
		}
		list = all
	}
	return list
}

// repeats tells whether words have a sequence of n words twice.
func repeats(words []int64, n int) bool {
	seen := map[string]bool{}
	for i := 0; i+n <= len(words); i++ {
		key := fmt.Sprint(words[i : i+n])
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func TestBeamsAreThoseOfASlowSearch(t *testing.T) {
	onEachDevice(t, func(t *testing.T, device torch.Device) {
		ref := loadReference(t, armOf(t, "adaptive"), captioner.Cells[0])
		err := torch.Run(func(s *torch.Scope) error {
			n := ref.network(t, s, device, "decode.")
			known := map[string][][]float64{}
			// next gives the log probabilities of each image's next word, by reading the prefix as in training.
			next := func(prefix []int64, image int) []float64 {
				key := fmt.Sprint(prefix)
				if known[key] == nil {
					known[key] = readPrefix(t, s, n, ref.features(s, device), prefix, device)
				}
				return known[key][image]
			}
			different := map[string]bool{}
			for _, o := range []experiments.Decode{
				{Beam: 1}, {Beam: 1, NoRepeat: 1}, {Beam: 3, NoRepeat: 1}, {Beam: 4, NoRepeat: 2},
				{Beam: 4, Groups: 2, Diversity: 0.5}, {Beam: 6, Groups: 3, Diversity: 2}, {Beam: 3, Groups: 3, Diversity: 100},
				{Beam: 4, Groups: 2, Diversity: 1, NoRepeat: 1},
			} {
				o.LengthPenalty, o.MaxLength = 0.7, 8
				found, err := beams(t.Context(), s, []*network{n}, []picture{n.look(s, ref.features(s, device), false)}, o)
				if err != nil {
					return err
				}
				for i := range found {
					want := slowBeams(func(prefix []int64) []float64 { return next(prefix, i) }, o)
					if len(found[i]) != len(want) {
						t.Fatalf("%+v, image %d: %d beams, want %d", o, i, len(found[i]), len(want))
					}
					for k, b := range found[i] {
						if !slices.Equal(b.words, want[k].words) || math.Abs(b.total-want[k].total) > 1e-3 {
							t.Errorf("%+v, image %d, beam %d: %v (%.3f), want %v (%.3f)", o, i, k, b.words, b.total, want[k].words, want[k].total)
						}
					}
					different[fmt.Sprint(found[i])] = true
				}
			}
			if len(different) < 3*referenceImages {
				t.Errorf("the searches find %d lists of captions: they cannot be told apart", len(different))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// readPrefix gives the log probabilities of the word behind a prefix, for each image of the reference.
func readPrefix(t *testing.T, s *torch.Scope, n *network, features *torch.Tensor, prefix []int64, device torch.Device) [][]float64 {
	t.Helper()
	row := append(append([]int64{data.StartID}, prefix...), data.EndID)
	b := data.Batch{Images: make([]int, referenceImages), C: 1, T: len(row)}
	for range referenceImages {
		b.Tokens = append(b.Tokens, row...)
	}
	p := pack(b)
	logits, _ := n.logits(s, features, p.tensors(s, device), false)
	values, err := s.Floats(s.LogSoftmax(s.Select(logits, 0, s.FromInts(device, p.captionOrder(), int64(len(p.input)))), 1))
	if err != nil {
		t.Fatal(err)
	}
	v := int(referenceSizes.Vocabulary)
	all := make([][]float64, referenceImages)
	for i := range all {
		last := values[((i+1)*(len(row)-1)-1)*v:][:v]
		for _, x := range last {
			all[i] = append(all[i], float64(x))
		}
	}
	return all
}
