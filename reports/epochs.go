package reports

import (
	"context"
	"maps"
	"slices"
	"strings"

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
func (e epoch) reinforced() bool { return len(e.Sampled.keys) > 0 }

// values are metrics by key, most of which are those of many epochs.
type values struct {
	keys []string // sorted, and shared
	of   []float64
}

// get is the value of a key, and whether it was measured.
func (v values) get(key string) (float64, bool) {
	at, found := slices.BinarySearch(v.keys, key)
	if !found {
		return 0, false
	}
	return v.of[at], true
}

// readEpochs reads the epochs of the runs.
func (e *evidence) readEpochs(ctx context.Context, db *store.DB) error {
	byID := make(map[string]*run, len(e.Runs))
	for _, r := range e.Runs {
		byID[r.ID] = r
	}
	shared := sharedKeys{}
	return db.EachEpoch(ctx, e.Study.Name, func(id string, of store.Epoch) {
		r := byID[id]
		if r == nil {
			return // an amendment's
		}
		r.Epochs = append(r.Epochs, epoch{of.Epoch, of.Loss, of.LR, of.Seconds, of.CaptionsPerSecond, shared.values(of.Val), shared.values(of.Sampled)})
	})
}

// sharedKeys are keys of values by all of them joined.
type sharedKeys map[string][]string

// values keeps a map small.
func (s sharedKeys) values(of map[string]float64) values {
	keys := slices.Sorted(maps.Keys(of))
	joined := strings.Join(keys, " ")
	if known, found := s[joined]; found {
		keys = known
	} else {
		s[joined] = keys
	}
	v := values{keys, make([]float64, len(keys))}
	for i, key := range keys {
		v.of[i] = of[key]
	}
	return v
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
			for _, key := range of(one).keys {
				found[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
