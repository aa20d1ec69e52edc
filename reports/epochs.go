package reports

import (
	"context"
	"maps"
	"slices"

	"glimpse/internal/store"
)

// An epoch is one of a run, kept small: large studies have hundreds of thousands.
type epoch struct {
	Epoch                                int
	Loss, LR, Seconds, CaptionsPerSecond float64
	Val                                  values // validation metrics
	Sampled                              values // of reinforcement's samples; empty of cross entropy
}

// reinforced tells whether the epoch was trained by rewards.
func (e epoch) reinforced() bool { return len(e.Sampled.keys()) > 0 }

// values are metrics by key, most of which are those of many epochs.
type values struct {
	set *keySet // nil of no values
	of  []float64
}

// A keySet is the keys that many values share, sorted.
type keySet []string

// keys are those of the values, sorted.
func (v values) keys() []string {
	if v.set == nil {
		return nil
	}
	return *v.set
}

// get is the value of a key, and whether it was measured.
func (v values) get(key string) (float64, bool) {
	at, found := slices.BinarySearch(v.keys(), key)
	if !found {
		return 0, false
	}
	return v.of[at], true
}

// mostEpochs is for how many epochs of a run room is made before they are read.
const mostEpochs = 1000

// readEpochs reads the epochs of the runs.
func (e *evidence) readEpochs(ctx context.Context, db *store.DB) error {
	byID := make(map[string]*run, len(e.Runs))
	for _, r := range e.Runs {
		byID[r.ID] = r
	}
	shared := &sharedKeys{}
	return db.EachEpoch(ctx, e.Study.Name, func(id string, of store.Epoch) {
		r := byID[id]
		if r == nil {
			return // an amendment's
		}
		if r.Epochs == nil {
			r.Epochs = make([]epoch, 0, max(0, min(r.Run.Run.Epochs, mostEpochs)))
		}
		r.Epochs = append(r.Epochs, epoch{of.Epoch, of.Loss, of.LR, of.Seconds, of.CaptionsPerSecond, shared.values(of.Val), shared.values(of.Sampled)})
	})
}

// sharedKeys are the sets of keys that values have: a few for all epochs.
type sharedKeys []*keySet

// values keeps a map small.
func (s *sharedKeys) values(of map[string]float64) values {
	if len(of) == 0 {
		return values{}
	}
	at := slices.IndexFunc(*s, func(set *keySet) bool { return set.isOf(of) })
	if at < 0 {
		at = len(*s)
		keys := keySet(slices.Sorted(maps.Keys(of)))
		*s = append(*s, &keys)
	}
	v := values{(*s)[at], make([]float64, len(of))}
	for i, key := range v.keys() {
		v.of[i] = of[key]
	}
	return v
}

// isOf tells whether the keys are those of a map.
func (k *keySet) isOf(of map[string]float64) bool {
	if len(*k) != len(of) {
		return false
	}
	for _, key := range *k {
		if _, has := of[key]; !has {
			return false
		}
	}
	return true
}

// validationKeys are the validation metrics that any epoch has, sorted.
func (e *evidence) validationKeys() []string {
	return e.epochKeys(func(one epoch) values { return one.Val })
}

// sampledKeys are the values of samples that any epoch has, sorted.
func (e *evidence) sampledKeys() []string {
	return e.epochKeys(func(one epoch) values { return one.Sampled })
}

func (e *evidence) epochKeys(of func(epoch) values) []string {
	found := map[string]bool{}
	for _, r := range e.Runs {
		for _, one := range r.Epochs {
			for _, key := range of(one).keys() {
				found[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
