package exports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"glimpse/internal/store"
	"glimpse/results"
)

// A Run is a run with its epochs, under the study that it is exported with.
type Run struct {
	store.Run
	Label  string // its arm and whatever else differs in the study
	Epochs []store.Epoch
	Notes  []string // its own, in the order in which they were written
}

// Gather reads the runs of the named studies that were begun, in the order of
// their plans. A run that belongs to several of them comes once for each.
func Gather(ctx context.Context, db *store.DB, studies []string) ([]Run, error) {
	var runs []Run
	for _, study := range studies {
		all, err := db.Runs(ctx, study)
		if err != nil {
			return nil, err
		}
		labels, err := results.Labels(ctx, db, study)
		if err != nil {
			return nil, err
		}
		notes, err := results.Notes(ctx, db, study)
		if err != nil {
			return nil, err
		}
		written := map[string][]string{}
		for _, n := range notes {
			if !n.Tag {
				written[n.Run] = append(written[n.Run], n.Text)
			}
		}
		epochs := make(map[string][]store.Epoch, len(all))
		err = db.EachEpoch(ctx, study, func(run string, e store.Epoch) {
			e.Val = maps.Clone(e.Val)
			epochs[run] = append(epochs[run], e)
		})
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			if r.State != store.Queued {
				runs = append(runs, Run{r, cmp.Or(labels[r.ID], r.Arm), epochs[r.ID], written[r.ID]})
			}
		}
	}
	return runs, nil
}

// name tells a run from its sisters in a study.
func (r *Run) name() string { return fmt.Sprintf("%s seed %d %s", r.Label, r.Seed, r.ID) }

// A point is one value of a curve. Step is the epoch; the scores of a whole run
// stand at its best epoch.
type point struct {
	name  string
	step  int
	at    time.Time
	value float64
}

// points are all numbers of a run, curve by curve, in a fixed order.
func (r *Run) points() []point {
	var points []point
	at := r.Started
	for _, e := range r.Epochs {
		at = at.Add(time.Duration(e.Seconds * float64(time.Second)))
		add := func(name string, value float64) { points = append(points, point{name, e.Epoch, at, value}) }
		if e.Sampled == nil { // else it is the negative reward, which is among those
			add("train/loss", e.Loss)
		}
		add("train/lr", e.LR)
		add("train/captions_per_second", e.CaptionsPerSecond)
		for _, key := range slices.Sorted(maps.Keys(e.Val)) {
			add("val/"+key, e.Val[key])
		}
		for _, key := range slices.Sorted(maps.Keys(e.Sampled)) {
			add("sampled/"+key, e.Sampled[key])
		}
	}
	end := r.Finished
	if end.IsZero() {
		end = at
	}
	for _, split := range slices.Sorted(maps.Keys(r.Metrics)) {
		under := split + "/"
		if split == "val" {
			under = "best_val/"
		}
		for _, key := range slices.Sorted(maps.Keys(r.Metrics[split])) {
			points = append(points, point{under + key, r.BestEpoch, end, r.Metrics[split][key]})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int {
		switch {
		case a.name < b.name:
			return -1
		case a.name > b.name:
			return 1
		}
		return a.step - b.step
	})
	return points
}

// settings are the run's settings by dotted path, as text.
func (r *Run) settings() map[string]string {
	out := map[string]string{}
	for path, v := range store.Flatten(r.Settings) {
		out[path] = fmt.Sprint(v)
	}
	return out
}
