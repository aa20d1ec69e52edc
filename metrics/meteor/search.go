package meteor

import "slices"

// beamWidth is how many partial alignments METEOR follows at a time.
const beamWidth = 40

// path is a partial alignment, from the reference's first word on.
type path struct {
	choices int32 // the last link taken, in search.taken; -1 for none
	// covered are the words matched so far, of which a link other than exact
	// counts half: METEOR prefers exact matches in its search. Halves are
	// dropped as they are added, one side at a time.
	testCovered, refCovered int
	chunks                  int
	distance                int // sum of the shifts of the links
	next                    int // the first word of the reference not yet decided
	testEnd                 int // where the last link ends in the candidate; -1 after a gap
	testUsed, refUsed       []uint64
}

// choice is a link taken by a path, and the one before.
type choice struct {
	link     link
	previous int32
}

// search is METEOR's beam search for the alignment that covers the most words,
// in the fewest chunks, with the smallest shifts (Denkowski & Lavie 2014,
// section 2). Its order of trying and its ties decide which of several equal
// alignments counts, so they are METEOR's own.
type search struct {
	taken  []choice
	fixed  []int32 // by start: index of the link that has no rival, or -1
	paths  []*path
	next   []*path
	unused []*path
	out    []link
}

// run returns the links of the best alignment in the reference's order.
func (s *search) run(links [][]link, testCover, refCover []int) []link {
	s.taken = s.taken[:0]
	s.fixed = s.fixed[:0]
	s.next = append(s.next[:0], s.start(len(testCover), len(refCover)))
	for start := range links {
		s.fixed = append(s.fixed, s.fix(s.next[0], links[start], testCover, refCover))
	}
	for current := range links {
		s.paths, s.next = s.next, s.paths[:0]
		slices.SortStableFunc(s.paths, comparePaths)
		s.paths = s.release(s.paths, beamWidth)
		if len(s.taken) > mostTaken {
			s.forget()
		}
		for _, p := range s.paths {
			s.extend(p, current, links[current])
		}
	}
	slices.SortStableFunc(s.next, comparePaths)
	for _, p := range s.next[:min(len(s.next), beamWidth)] {
		if p.testEnd != -1 {
			p.chunks++
		}
	}
	s.next = s.release(s.next, beamWidth)
	slices.SortStableFunc(s.next, comparePaths)
	s.out = s.out[:0]
	for k := s.next[0].choices; k >= 0; k = s.taken[k].previous {
		s.out = append(s.out, s.taken[k].link)
	}
	slices.Reverse(s.out)
	s.release(s.next, 0)
	return s.out
}

// mostTaken is how many choices pile up before those of paths that were given up are forgotten. Tests lower it.
var mostTaken = 1 << 16

// forget drops the choices that no path of s.paths has taken.
func (s *search) forget() {
	moved := make([]int32, len(s.taken)) // 1 + the new place of a choice
	for _, p := range s.paths {
		for k := p.choices; k >= 0 && moved[k] == 0; k = s.taken[k].previous {
			moved[k] = 1
		}
	}
	kept := s.taken[:0]
	place := func(k int32) int32 {
		if k < 0 {
			return k
		}
		return moved[k] - 1
	}
	for k, c := range s.taken {
		if moved[k] != 0 {
			kept = append(kept, choice{c.link, place(c.previous)})
			moved[k] = int32(len(kept))
		}
	}
	for _, p := range s.paths {
		p.choices = place(p.choices)
	}
	s.taken = kept
}

// release keeps the first n paths and frees the others.
func (s *search) release(paths []*path, n int) []*path {
	n = min(n, len(paths))
	s.unused = append(s.unused, paths[n:]...)
	return paths[:n]
}

func comparePaths(x, y *path) int {
	if d := (y.testCovered + y.refCovered) - (x.testCovered + x.refCovered); d != 0 {
		return d
	}
	if d := x.chunks - y.chunks; d != 0 {
		return d
	}
	return x.distance - y.distance
}

// start returns a path that has taken nothing.
func (s *search) start(test, ref int) *path {
	p := s.newPath()
	testUsed := append(p.testUsed[:0], make([]uint64, (test+63)/64)...)
	refUsed := append(p.refUsed[:0], make([]uint64, (ref+63)/64)...)
	*p = path{choices: -1, testEnd: -1, testUsed: testUsed, refUsed: refUsed}
	return p
}

func (s *search) newPath() *path {
	if n := len(s.unused); n > 0 {
		p := s.unused[n-1]
		s.unused = s.unused[:n-1]
		return p
	}
	return new(path)
}

// fix marks a link as taken from the start if it is the only one of all its
// words, and returns its index, or -1.
func (s *search) fix(p *path, links []link, testCover, refCover []int) int32 {
	if len(links) != 1 {
		return -1
	}
	l := links[0]
	for k := range l.length {
		if refCover[l.start+k] != 1 {
			return -1
		}
	}
	for k := range l.testLength {
		if testCover[l.testStart+k] != 1 {
			return -1
		}
	}
	p.use(l)
	return 0
}

// extend goes on with one path over the word at current.
func (s *search) extend(p *path, current int, links []link) {
	if bit(p.refUsed, current) {
		if current >= p.next {
			s.take(p, links[s.fixed[current]])
			p.distance += shift(links[s.fixed[current]])
		}
		s.next = append(s.next, p)
		return
	}
	for _, l := range links {
		if p.uses(l) {
			continue
		}
		q := s.clone(p)
		q.use(l)
		s.take(q, l)
		// METEOR adds the shift to the path that goes on without the link.
		p.distance += shift(l)
		s.next = append(s.next, q)
	}
	if p.testEnd != -1 {
		p.chunks++
		p.testEnd = -1
	}
	p.next++
	s.next = append(s.next, p)
}

// take adds a link to a path.
func (s *search) take(p *path, l link) {
	s.taken = append(s.taken, choice{l, p.choices})
	p.choices = int32(len(s.taken) - 1)
	if l.stage == stageExact {
		p.testCovered += l.testLength
		p.refCovered += l.length
	} else {
		p.testCovered += l.testLength / 2
		p.refCovered += l.length / 2
	}
	if p.testEnd != -1 && l.testStart != p.testEnd {
		p.chunks++
	}
	p.next = l.start + l.length
	p.testEnd = l.testStart + l.testLength
}

func (s *search) clone(p *path) *path {
	q := s.newPath()
	testUsed := append(q.testUsed[:0], p.testUsed...)
	refUsed := append(q.refUsed[:0], p.refUsed...)
	*q = *p
	q.testUsed, q.refUsed = testUsed, refUsed
	return q
}

func shift(l link) int { return max(l.start-l.testStart, l.testStart-l.start) }

func bit(set []uint64, i int) bool { return set[i/64]>>(i%64)&1 == 1 }

func (p *path) uses(l link) bool {
	for k := range l.length {
		if bit(p.refUsed, l.start+k) {
			return true
		}
	}
	for k := range l.testLength {
		if bit(p.testUsed, l.testStart+k) {
			return true
		}
	}
	return false
}

func (p *path) use(l link) {
	for k := range l.length {
		p.refUsed[(l.start+k)/64] |= 1 << ((l.start + k) % 64)
	}
	for k := range l.testLength {
		p.testUsed[(l.testStart+k)/64] |= 1 << ((l.testStart + k) % 64)
	}
}
