package models

import (
	"cmp"
	"context"
	"math"
	"slices"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// beam is an unfinished or finished caption.
type beam struct {
	words []int64 // without <s>; </s> is last when done
	total float64 // sum of the words' log probabilities
	done  bool
	row   int // where its state is
	group int
}

// score returns the score of a beam: log probability over length^penalty.
func (b beam) score(penalty float64) float64 {
	return b.total / math.Pow(float64(max(len(b.words), 1)), penalty)
}

// last returns the word to read next.
func (b beam) last() int64 {
	if len(b.words) == 0 {
		return data.StartID
	}
	return b.words[len(b.words)-1]
}

// beamSearch is the state of a search over the captions of B images at once.
type beamSearch struct {
	experiments.Decode
	members []*member     // one, or those of an ensemble
	mask    *torch.Tensor // V
	beams   [][]beam      // of each image
	// choose extends each unfinished beam by one word, given the log probabilities rows×V in the
	// beam's row.
	choose func(s *torch.Scope, logp *torch.Tensor) error
}

// member is a network that takes part in a search.
type member struct {
	*network
	picture picture
	states  []state // of each layer, one row for each unfinished beam; kept
}

// never is added to the log probability of a word that must not be chosen.
const never = -1e9

// mask returns the tensor, V, to add to log probabilities or logits so that <pad>, <s> and <unk>
// are never chosen.
func (n *network) mask(s *torch.Scope) *torch.Tensor {
	mask := make([]float32, n.sizes.Vocabulary)
	mask[data.PadID], mask[data.StartID], mask[data.UnknownID] = never, never, never
	return s.FromFloats(n.device, mask, n.sizes.Vocabulary)
}

// search finds the best caption of each of B images, see beams. Each network has its own features of the images.
func search(ctx context.Context, s *torch.Scope, networks []*network, features []regions, o experiments.Decode) ([]beam, error) {
	pictures := make([]picture, len(networks))
	for i, n := range networks {
		pictures[i] = n.look(s, features[i], false)
	}
	return searchOn(ctx, s, networks, pictures, o)
}

// searchOn is search, given what each network computes once of the images.
func searchOn(ctx context.Context, s *torch.Scope, networks []*network, pictures []picture, o experiments.Decode) ([]beam, error) {
	lists, err := beams(ctx, s, networks, pictures, o)
	if err != nil {
		return nil, err
	}
	best := make([]beam, len(lists))
	for i, list := range lists {
		best[i] = slices.MaxFunc(list, func(x, y beam) int { return cmp.Compare(x.score(o.LengthPenalty), y.score(o.LengthPenalty)) })
	}
	return best, nil
}

// beams searches captions of each of B images, as many as the beam is wide. All members read the
// same vocabulary, and each has its own picture of the images. Finished beams stay in the beam at
// no cost. The search ends when all are finished or MaxLength words long. Unfinished beams count
// too, so every image gets a caption. <pad>, <s> and <unk> are never generated.
func beams(ctx context.Context, s *torch.Scope, networks []*network, pictures []picture, o experiments.Decode) ([][]beam, error) {
	b := newSearch(s, networks, pictures, o)
	b.choose = b.chooseBest
	var start []beam
	for g := range b.groups() {
		start = append(start, beam{group: g})
	}
	return b.run(ctx, s, start)
}

// newSearch returns a search in which no caption has started.
func newSearch(s *torch.Scope, networks []*network, pictures []picture, o experiments.Decode) *beamSearch {
	b := &beamSearch{Decode: o, mask: networks[0].mask(s), beams: make([][]beam, pictures[0].first.hidden.Size(0))}
	for i, n := range networks {
		m := &member{network: n.laidOut(s), picture: pictures[i]}
		for range n.layers {
			m.states = append(m.states, m.picture.first.each(func(t *torch.Tensor) *torch.Tensor { return s.Keep(s.Detach(t)) }))
		}
		b.members = append(b.members, m)
	}
	return b
}

// run extends captions, from start for each image, until all are finished or MaxLength words
// long.
func (b *beamSearch) run(ctx context.Context, s *torch.Scope, start []beam) ([][]beam, error) {
	defer b.release()
	for i := range b.beams {
		b.beams[i] = slices.Clone(start)
		for j := range b.beams[i] {
			b.beams[i][j].row = i
		}
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.Do(func(s *torch.Scope) (err error) {
			more, err = b.step(s)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return b.beams, nil
}

func (b *beamSearch) release() {
	for _, m := range b.members {
		m.release()
	}
}

func (m *member) release() {
	for _, st := range m.states {
		st.hidden.Free()
		st.memory.Free()
	}
}

// caption captions B images in the words of the vocabulary. It does not set the captions' Image.
func (n *network) caption(ctx context.Context, s *torch.Scope, features regions, vocabulary []string, o experiments.Decode, explain bool) ([]data.Caption, error) {
	beams, err := search(ctx, s, []*network{n}, []regions{features}, o)
	if err != nil {
		return nil, err
	}
	captions := inWords(beams, vocabulary)
	if explain {
		words := make([][]int64, len(beams))
		for i, b := range beams {
			words[i] = b.words
		}
		err = n.explain(s, features, words, captions)
	}
	return captions, err
}

// inWords converts beams to captions.
func inWords(beams []beam, vocabulary []string) []data.Caption {
	captions := make([]data.Caption, len(beams))
	for i, b := range beams {
		captions[i].LogProb = b.total
		for _, id := range b.words {
			if id != data.EndID {
				captions[i].Words = append(captions[i].Words, vocabulary[id])
			}
		}
	}
	return captions
}

// step extends every unfinished beam by a word. It returns whether there was one.
func (b *beamSearch) step(s *torch.Scope) (more bool, err error) {
	var rows []int64
	var p positions
	for i, list := range b.beams {
		for j := range list {
			if beam := &list[j]; !beam.done && len(beam.words) < b.MaxLength {
				rows = append(rows, int64(beam.row))
				beam.row = len(rows) - 1
				p.input = append(p.input, beam.last())
				p.image = append(p.image, int64(i))
			}
		}
	}
	if len(rows) == 0 {
		return false, nil
	}
	p.group(len(b.beams))
	p.sizes = []int64{int64(len(rows))}
	logp, states := b.read(s, p, rows)
	if err := b.choose(s, logp); err != nil {
		return false, err
	}
	b.release()
	for i, m := range b.members {
		for l, st := range states[i] {
			m.states[l] = st.each(s.Keep)
		}
	}
	return true, nil
}

// chooseBest keeps the best beams of each image.
func (b *beamSearch) chooseBest(s *torch.Scope, logp *torch.Tensor) (err error) {
	next := extensions{width: min(b.candidates(), int(logp.Size(1)))}
	values, indices := s.TopK(logp, int64(next.width)) // rows×width
	if next.logp, err = s.Floats(values); err != nil {
		return err
	}
	if next.word, err = s.Ints(indices); err != nil {
		return err
	}
	for i, list := range b.beams {
		b.beams[i] = b.grow(list, next)
	}
	return nil
}

// read reads one word in each of the rows of states, and gives the log probabilities of the next word, rows×V, and each
// member's new states. An ensemble's probability is the mean of its members'.
func (b *beamSearch) read(s *torch.Scope, p positions, rows []int64) (logp *torch.Tensor, states [][]state) {
	var mean *torch.Tensor
	for i, m := range b.members {
		logits, after := m.read1(s, p.tensors(s, m.device), s.FromInts(m.device, rows, int64(len(rows))))
		states = append(states, after)
		switch {
		case len(b.members) == 1:
			logp = s.LogSoftmax(logits, 1)
		case i == 0:
			mean = s.Softmax(logits, 1)
		default:
			mean = s.Add(mean, s.Softmax(logits, 1))
		}
	}
	if mean != nil {
		logp = s.Log(s.MulScalar(mean, 1/float64(len(b.members))))
	}
	return s.Add(logp, b.mask), states
}

// read1 reads one word in each of the rows, which continue the states at index,
// and gives the logits of the next word, rows×V, and the new states.
func (m *member) read1(s *torch.Scope, w packed, index *torch.Tensor) (logits *torch.Tensor, states []state) {
	before := make([]state, len(m.states))
	for l, st := range m.states {
		before[l] = st.each(func(t *torch.Tensor) *torch.Tensor { return s.Select(t, 0, index) }) // rows×H
	}
	top := len(before) - 1
	words, states := m.read(s, m.picture, w, before, false)
	seen, _ := m.head(s, m.picture, w, words, before[top].hidden, states[top])
	return m.out.of(s, seen), states
}
