package runner

import (
	"encoding/json"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

// enough is the share of a trial that must be done before its own speed is a better estimate than
// that of others.
const enough = 0.05

// estimator estimates how long a study will take: from completed trials of equal cost, else from an epoch of all completed ones, else from one of the running ones.
type estimator struct {
	trials map[string]*outlook // by run
	costs  map[string]*times
	keys   map[string]string // run → its cost; cached, since settings never change
	all    times             // of a planned epoch of all completed trials of the plan
}

// times are the durations of some trials, in seconds.
type times struct {
	sum float64
	n   int
}

func (t *times) add(seconds float64) { t.sum, t.n = t.sum+seconds, t.n+1 }

// mean returns the mean; 0 if there are none.
func (t *times) mean() float64 {
	if t == nil || t.n == 0 {
		return 0
	}
	return t.sum / float64(t.n)
}

// outlook is what is known about the duration of a trial.
type outlook struct {
	cost     string  // trials of equal cost take equally long
	epochs   float64 // planned
	settled  bool    // nothing is left to do
	fraction float64 // done
	before   float64 // the fraction done when it was started here
	started  time.Time
}

// costKey returns a key that is equal for trials that differ only in the seed and in the split that
// they caption at the end.
func costKey(settings experiments.Settings) string {
	settings = settings.Bare()
	settings.Seed, settings.Decode.Split = 0, ""
	raw, _ := json.Marshal(settings)
	return string(raw)
}

// know adds the plan and all known runs.
func (e *estimator) know(trials []experiments.Trial, known []store.Run) {
	e.trials, e.costs, e.all = map[string]*outlook{}, map[string]*times{}, times{}
	runs := make(map[string]store.Run, len(known))
	for _, run := range known {
		runs[run.ID] = run
	}
	for _, trial := range trials {
		run := runs[trial.ID]
		o := &outlook{
			cost:    e.costOf(trial.ID, trial.Settings),
			epochs:  max(1, float64(trial.Settings.Train.AllEpochs())),
			settled: run.State == store.Completed || run.State == store.Failed && !Retryable(run.Failure) || run.State == store.Pruned,
		}
		o.fraction = float64(run.Epochs) / o.epochs
		e.trials[trial.ID] = o
		if run.State == store.Completed {
			e.took(o, run.Seconds)
		}
	}
	// Runs of other studies count if they cost the same.
	for _, run := range known {
		if run.State != store.Completed || run.Seconds <= 0 || e.trials[run.ID] != nil {
			continue
		}
		key, known := e.keys[run.ID]
		if !known {
			settings, err := results.Settings(run)
			if err != nil {
				continue // not needed for an estimate
			}
			key = e.costOf(run.ID, settings)
		}
		e.cost(key).add(run.Seconds)
	}
}

// costOf is the cost of a run with these settings.
func (e *estimator) costOf(run string, settings experiments.Settings) string {
	key, known := e.keys[run]
	if !known {
		if e.keys == nil {
			e.keys = map[string]string{}
		}
		key = costKey(settings)
		e.keys[run] = key
	}
	return key
}

// cost are the times of trials of one cost.
func (e *estimator) cost(key string) *times {
	if e.costs[key] == nil {
		e.costs[key] = &times{}
	}
	return e.costs[key]
}

func (e *estimator) took(o *outlook, seconds float64) {
	if seconds > 0 {
		e.cost(o.cost).add(seconds)
		e.all.add(seconds / o.epochs)
	}
}

// see handles an event.
func (e *estimator) see(event Event) {
	o := e.trials[event.Run]
	if o == nil {
		return
	}
	switch event.Kind {
	case EventStarted:
		o.settled, o.started, o.before = false, time.Now(), o.fraction
	case EventStep:
		if event.Epochs > 0 && event.Steps > 0 {
			o.fraction = (float64(event.Epoch-1) + float64(event.Step)/float64(event.Steps)) / float64(event.Epochs)
		}
	case EventCompleted:
		if !o.settled && !o.started.IsZero() && o.before < 1 {
			e.took(o, time.Since(o.started).Seconds()/(1-o.before))
		}
		o.settled = true
	case EventFailed, EventInterrupted, EventPruned:
		o.settled = true
	case EventLost:
		o.started = time.Time{}
	}
}

// remaining returns the time left with this many concurrent jobs, and false if there is nothing
// to estimate it from.
func (e *estimator) remaining(jobs int) (time.Duration, bool) {
	typical := e.all.mean() // of an epoch
	if typical == 0 {
		var speeds times
		for _, o := range e.trials {
			if whole, ok := o.projected(); ok && !o.settled {
				speeds.add(whole / o.epochs)
			}
		}
		typical = speeds.mean()
	}
	total, longest := 0.0, 0.0
	for _, o := range e.trials {
		if o.settled {
			continue
		}
		whole, ok := o.projected()
		if !ok {
			if whole = e.costs[o.cost].mean(); whole == 0 {
				whole = typical * o.epochs
			}
		}
		if whole == 0 {
			return 0, false
		}
		left := whole * max(0, 1-o.fraction)
		total += left
		longest = max(longest, left)
	}
	seconds := max(total/float64(max(jobs, 1)), longest)
	return time.Duration(seconds * float64(time.Second)), true
}

// projected returns the seconds that a running trial takes from start to end, estimated from its
// own speed.
func (o *outlook) projected() (float64, bool) {
	done := o.fraction - o.before
	if o.started.IsZero() || done < enough {
		return 0, false
	}
	return time.Since(o.started).Seconds() / done, true
}

// Estimate estimates how long the incomplete trials will take, with this many jobs at a time,
// from the known runs. It returns false if these are no basis for an estimate.
func Estimate(trials []experiments.Trial, known []store.Run, jobs int) (time.Duration, bool) {
	var e estimator
	e.know(trials, known)
	return e.remaining(jobs)
}
