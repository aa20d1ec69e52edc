package stats

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"

	"glimpse/metrics"
)

// A Reducer drops the parts of runs that the given metrics do not need. A reduced
// run takes a twentieth of the memory and gives the same results in [Compare] with
// these metrics. Use one Reducer for all runs of an analysis.
type Reducer struct {
	keys       []string
	columns    []column
	quantities []quantity
	ids        []string // of the previous run
}

// NewReducer returns a Reducer for metrics given by their keys, which must equal
// [Options].Metrics of the analysis. An unknown key is an error.
func NewReducer(keys []string) (*Reducer, error) {
	d := &Reducer{keys: keys, quantities: quantities()}
	for _, key := range keys {
		m, ok := measureOf(key)
		if !ok {
			return nil, fmt.Errorf("stats: no metric %q to compare", key)
		}
		d.columns = append(d.columns, m.columns...)
		if metrics.IsMETEOR(key) { // the runs determine which of the two is used
			m, _ = mean(metrics.METEORKey)
			d.columns = append(d.columns, m.columns...)
		}
	}
	slices.Sort(d.columns)
	d.columns = slices.Compact(d.columns)
	return d, nil
}

// reduced is what a Reducer keeps of a run's images.
type reduced struct {
	keys    []string
	ids     []string             // shared by runs with the same images
	columns map[column][]float64 // one value per image
	counted bool                 // at least one image has METEOR's counts
	digest  uint64               // hash of all statistics, to find runs with equal ones
	wrong   error                // for the first image with an invalid number
}

// digestSeed makes digests comparable within the process.
var digestSeed = maphash.MakeSeed()

// Run returns the run with Images replaced by what the metrics need. Invalid
// numbers are reported when the run is analysed.
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

// check rejects an image with a quantity that is negative, NaN or infinite.
func (d *Reducer) check(im *metrics.ImageScore) error {
	for _, q := range d.quantities {
		if v := q.of(im); math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("image %q: %s is %v: score the run again", im.ID, q.name, v)
		}
	}
	return nil
}

// reduceArms returns arms with all runs reduced for the given metrics.
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

// reduce reduces the runs that are not reduced yet. It returns an error for a run
// that was reduced for other metrics.
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

// same reports whether two runs have the same statistics for every image.
func (r Run) same(q Run) bool {
	return r.kept.digest == q.kept.digest && len(r.kept.ids) == len(q.kept.ids)
}

// images returns the number of images of a reduced run.
func (r Run) images() int { return len(r.kept.ids) }
