package stats

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"

	"glimpse/metrics"
)

// A Reducer keeps of runs what some metrics need of their images: a run that has gone
// through it takes a twentieth of the memory, and goes into [Compare] with these
// metrics as it would have gone before. All runs of an analysis go through one Reducer.
type Reducer struct {
	keys       []string
	columns    []column
	quantities []quantity
	ids        []string // of the run before
}

// NewReducer makes a Reducer for metrics by their keys, those that an analysis has
// as [Options].Metrics.
func NewReducer(keys []string) (*Reducer, error) {
	d := &Reducer{keys: keys, quantities: quantities()}
	for _, key := range keys {
		m, ok := measureOf(key)
		if !ok {
			return nil, fmt.Errorf("stats: no metric %q to compare", key)
		}
		d.columns = append(d.columns, m.columns...)
		if metrics.IsMETEOR(key) { // which of the two is for all runs to say
			m, _ = mean(metrics.METEORKey)
			d.columns = append(d.columns, m.columns...)
		}
	}
	slices.Sort(d.columns)
	d.columns = slices.Compact(d.columns)
	return d, nil
}

// reduced is what is kept of a run's images.
type reduced struct {
	keys    []string
	ids     []string // shared by runs of the same images
	columns map[column][]float64
	counted bool   // an image has METEOR's counts
	digest  uint64 // of all statistics: equal for equal ones
	wrong   error  // of the first image that holds what is no number
}

// digestSeed makes digests comparable within the process.
var digestSeed = maphash.MakeSeed()

// Run is the run without its images.
func (d *Reducer) Run(r Run) Run {
	kept := &reduced{keys: d.keys, ids: d.ids, columns: make(map[column][]float64, len(d.columns))}
	if !slices.EqualFunc(d.ids, r.Images, func(id string, im metrics.ImageScore) bool { return id == im.ID }) {
		kept.ids = make([]string, len(r.Images))
		for i := range r.Images {
			kept.ids[i] = r.Images[i].ID
		}
		d.ids = kept.ids
	}
	var digest maphash.Hash
	digest.SetSeed(digestSeed)
	for i := range r.Images {
		im := &r.Images[i]
		maphash.WriteComparable(&digest, *im)
		kept.counted = kept.counted || im.MeteorStats.RefLength > 0
		if kept.wrong == nil {
			kept.wrong = d.check(im)
		}
	}
	kept.digest = digest.Sum64()
	for _, c := range d.columns {
		values := make([]float64, len(r.Images))
		for i := range values {
			values[i] = d.quantities[c].of(&r.Images[i])
		}
		kept.columns[c] = values
	}
	r.Images, r.kept = nil, kept
	return r
}

// check rejects an image with a quantity that is no number, or below 0.
func (d *Reducer) check(im *metrics.ImageScore) error {
	for _, q := range d.quantities {
		if v := q.of(im); math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("image %q: %s is %v: score the run again", im.ID, q.name, v)
		}
	}
	return nil
}

// reduceArms returns the runs of arms as an analysis of some metrics takes them.
func reduceArms(arms []Arm, keys []string) ([]Arm, error) {
	d, err := NewReducer(keys)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(arms)
	for i, a := range out {
		out[i].Runs, err = d.reduce(a.Runs)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// reduce reduces the runs that are not reduced yet.
func (d *Reducer) reduce(runs []Run) ([]Run, error) {
	out := slices.Clone(runs)
	for i, r := range out {
		switch {
		case r.kept == nil:
			out[i] = d.Run(r)
		case !slices.Equal(r.kept.keys, d.keys):
			return nil, errors.New("stats: a run was reduced for other metrics than those compared")
		}
	}
	return out, nil
}

// same reports whether two runs have the same statistics of every image.
func (r Run) same(q Run) bool {
	return r.kept.digest == q.kept.digest && len(r.kept.ids) == len(q.kept.ids)
}

// images is the number of the run's images.
func (r Run) images() int { return len(r.kept.ids) }
