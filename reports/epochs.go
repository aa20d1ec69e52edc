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
}

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
	shared := map[string][]string{} // keys, joined → keys
	return db.EachEpoch(ctx, e.Study.Name, func(id string, of store.Epoch) {
		r := byID[id]
		if r == nil {
			return // an amendment's
		}
		keys := slices.Sorted(maps.Keys(of.Val))
		joined := strings.Join(keys, " ")
		if known, found := shared[joined]; found {
			keys = known
		} else {
			shared[joined] = keys
		}
		val := values{keys, make([]float64, len(keys))}
		for i, key := range keys {
			val.of[i] = of.Val[key]
		}
		r.Epochs = append(r.Epochs, epoch{of.Epoch, of.Loss, of.LR, of.Seconds, of.CaptionsPerSecond, val})
	})
}

// validationKeys are the validation metrics that any epoch has, sorted.
func (e *evidence) validationKeys() []string {
	found := map[string]bool{}
	for _, r := range e.Runs {
		for _, one := range r.Epochs {
			for _, key := range one.Val.keys {
				found[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
