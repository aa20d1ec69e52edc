package experiments

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Result is what is known about a trial of a search.
type Result struct {
	Swept map[string]string // as in its Trial
	Seed  int64
	Ended bool    // completed, pruned or failed
	Value float64 // best train.select.metric (higher is better); NaN if there is none
}

// Searches reports whether the sweep chooses trials from the results of earlier ones, so that the
// plan grows while it runs ([Study.Continue]).
func (s *Study) Searches() bool { return s.Sweep.Method == "tpe" }

// Proposed returns how many of its samples a search has proposed so far.
func (s *Study) Proposed() int {
	if s.proposed == nil {
		return len(s.firstPoints())
	}
	return len(s.proposed)
}

// Continue adds the trials of a search so far, in the order of its plan. Those that the study
// could have proposed stay proposed; once all of them have ended, it proposes the next batch.
// Proposals depend only on the study and these results, so that a search resumed after any
// interruption proposes the same trials. Plan then lists them.
func (s *Study) Continue(known []Result) {
	if !s.Searches() {
		return
	}
	s.proposed = nil
	for _, r := range known {
		if p, drawn := s.drawnPart(r.Swept); drawn && !slices.ContainsFunc(s.proposed, p.equal) {
			s.proposed = append(s.proposed, p)
		}
	}
	for _, p := range s.firstPoints() {
		if !slices.ContainsFunc(s.proposed, p.equal) {
			s.proposed = append(s.proposed, p)
		}
	}
	s.proposed = s.proposed[:min(len(s.proposed), s.Sweep.Samples)]
	values, ended := s.values(known)
	if !ended {
		return
	}
	// A batch that is only partly known ends where it would have ended.
	first, batch := len(s.firstPoints()), s.Sweep.Batch
	tried := first + max(0, len(s.proposed)-first)/batch*batch
	tried = min(tried, len(s.proposed))
	for len(s.proposed) < min(tried+batch, s.Sweep.Samples) {
		p, fresh := s.propose(values[:tried])
		if !fresh {
			return // there is nothing left to try
		}
		s.proposed = append(slices.Clip(s.proposed), p)
	}
}

// firstPoints returns the first draws of a search, equal ones once.
func (s *Study) firstPoints() []point {
	var points []point
	for _, p := range s.samples(min(s.Sweep.Startup, s.Sweep.Samples)) {
		if !slices.ContainsFunc(points, p.equal) {
			points = append(points, p)
		}
	}
	return points
}

// drawnPart returns the drawn part of swept values, and false if this study could not have drawn
// it because it was changed since.
func (s *Study) drawnPart(swept map[string]string) (point, bool) {
	p := point{}
	for i := range s.Sweep.Over {
		a := &s.Sweep.Over[i]
		text, has := swept[a.Path]
		switch {
		case a.Draw == "":
			if a.Path != "seed" && !slices.Contains(a.Values, text) {
				return nil, false
			}
		case !has || !a.holds(text):
			return nil, false
		default:
			p[a.Path] = text
		}
	}
	return p, true
}

// holds reports whether a value could be drawn from a range.
func (a *Axis) holds(text string) bool {
	if a.Draw == "choice" {
		return slices.Contains(a.Values, text)
	}
	x, err := strconv.ParseFloat(text, 64)
	return err == nil && x >= a.Low && x <= a.High
}

func (p point) equal(q point) bool {
	if len(p) != len(q) {
		return false
	}
	for path, text := range p {
		if q[path] != text {
			return false
		}
	}
	return true
}

// values returns the mean value of each proposed point over its trials (one per combination of
// listed values), and whether all have ended. A trial without a value counts as the worst.
func (s *Study) values(known []Result) (values []float64, ended bool) {
	trials := 1
	for _, a := range s.Sweep.Over {
		if a.Draw == "" {
			trials *= len(slices.Compact(slices.Sorted(slices.Values(a.Values))))
		}
	}
	values = make([]float64, len(s.proposed))
	counts := make([]int, len(s.proposed))
	for _, r := range known {
		p, drawn := s.drawnPart(r.Swept)
		i := slices.IndexFunc(s.proposed, p.equal)
		if a := s.Sweep.axis("seed"); !drawn || i < 0 || !r.Ended || a != nil && !slices.Contains(a.Values, strconv.FormatInt(r.Seed, 10)) {
			continue
		}
		counts[i]++
		if math.IsNaN(r.Value) {
			r.Value = math.Inf(-1)
		}
		values[i] += r.Value / float64(trials)
	}
	return values, !slices.ContainsFunc(counts, func(n int) bool { return n < trials })
}

// propose draws the next point by a tree-structured Parzen estimator from the values of the first
// points, and reports whether it is new. The earlier points of its batch count as bad, so that it
// differs from them.
func (s *Study) propose(values []float64) (p point, fresh bool) {
	h := fnv.New64a()
	h.Write([]byte("tpe " + strconv.Itoa(len(s.proposed))))
	random := rand.New(rand.NewPCG(uint64(s.Sweep.Seed), h.Sum64()))
	good, bad := goodAndBad(s.proposed[:len(values)], values)
	bad = append(bad, s.proposed[len(values):]...)
	for range 100 {
		p = point{}
		for i := range s.Sweep.Over {
			if a := &s.Sweep.Over[i]; a.Draw != "" {
				p[a.Path] = a.suggest(random, good, bad)
			}
		}
		if !slices.ContainsFunc(s.proposed, p.equal) {
			return p, true
		}
	}
	return nil, false
}
