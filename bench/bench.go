// Package bench measures how fast this machine trains, encodes pictures, writes captions, scores
// them and stores results. It also computes the minimum time of a training step.
//
// Each measurement uses the settings of a study and returns a [Report]. It computes in this
// process; neither the process nor the machine should do anything else meanwhile. No results
// database is changed.
package bench

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/internal/torch"
	"glimpse/models"
	"glimpse/planning"
)

// Options are the options of all measurements.
type Options struct {
	Study *experiments.Study
	Arm   string // measure only this arm; "" for all
	// Engine does the computing. Its number of threads, at least 1, also limits Go's.
	Engine models.Engine
	// Progress reports how many pictures an encoder has encoded, of those whose features were not
	// in the cache. It may be nil.
	Progress func(encoder string, done, total int)
}

// Report is the result of a measurement. Its JSON is a contract: `glimpse bench --json` prints it.
type Report[R any] struct {
	Bench   string `json:"bench"`
	Study   string `json:"study"`
	Data    string `json:"data"`
	Device  string `json:"device"`
	Threads int    `json:"threads"`
	// PeakRSSMB is the peak resident memory of the process since it started. PeakAnonymousMB is the
	// peak during the measurement, without mapped files. Both are in MB of 1,000,000 bytes, and NaN
	// where the system does not report them.
	PeakRSSMB       term.Number `json:"peak_rss_mb"`
	PeakAnonymousMB term.Number `json:"peak_anonymous_mb"`
	Rows            R           `json:"rows"`
}

// NothingError reports that there is nothing to measure, for instance because the study has no such
// arm.
type NothingError struct{ text string }

// Error implements error.
func (e *NothingError) Error() string { return e.text }

// measurement is the state of one measurement.
type measurement struct {
	Options
	study, data string // names for the report
	trials      []experiments.Trial
	sets        planning.Sets
}

// measure runs f with the first trial of each requested arm of the study, or with no trials if
// there is no study, and reports what it returns.
func measure[R any](name string, o Options, f func(*measurement) (R, error)) (*Report[R], error) {
	m := &measurement{Options: o, sets: planning.Sets{Cache: data.Cache{Dir: filepath.Join(o.Engine.CacheDir, "features")}}}
	if o.Study != nil {
		m.study, m.data = o.Study.Name, o.Study.Data.Name
		trials, err := m.sets.Trials(o.Study)
		if err != nil {
			return nil, err
		}
		if m.trials, err = firstOfArms(trials, o.Arm); err != nil {
			return nil, err
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(o.Engine.Threads))
	torch.SetThreads(o.Engine.Threads)
	memory := watchMemory()
	defer memory.stop()
	rows, err := f(m)
	if err != nil {
		return nil, err
	}
	resident, anonymous := memory.peak()
	return &Report[R]{
		Bench: name, Study: m.study, Data: m.data, Device: o.Engine.Device.String(), Threads: o.Engine.Threads,
		PeakRSSMB: term.Number(resident), PeakAnonymousMB: term.Number(anonymous), Rows: rows,
	}, nil
}

// perArm calls f for each arm.
func perArm[R any](m *measurement, f func(experiments.Trial) (R, error)) ([]R, error) {
	var rows []R
	for _, trial := range m.trials {
		row, err := f(trial)
		if err != nil {
			return nil, fmt.Errorf("arm %s: %w", trial.Arm, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// firstOfArms returns the first trial of each arm, or only of the named arm.
func firstOfArms(trials []experiments.Trial, arm string) ([]experiments.Trial, error) {
	var first []experiments.Trial
	var arms []string
	for _, t := range trials {
		if slices.Contains(arms, t.Arm) {
			continue
		}
		arms = append(arms, t.Arm)
		if arm == "" || t.Arm == arm {
			first = append(first, t)
		}
	}
	if len(first) == 0 {
		return nil, &NothingError{fmt.Sprintf("--arm %s: the study has no such arm (arms: %s)", arm, strings.Join(arms, ", "))}
	}
	return first, nil
}

// captioner returns an untrained captioner with the given settings, and its data set. Missing
// features are computed into the cache first. A smaller vocabulary is padded to the given number of
// words.
func (m *measurement) captioner(ctx context.Context, s experiments.Settings, vocabulary int) (*models.Captioner, *data.Dataset, error) {
	d, err := m.sets.Load(s)
	if err != nil {
		return nil, nil, err
	}
	err = m.Engine.Features(ctx, s, d, func(done, total int) {
		if m.Progress != nil {
			m.Progress(s.Encoder.Name, done, total)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	if d, err = padded(d, vocabulary); err != nil {
		return nil, nil, err
	}
	c, err := m.Engine.Captioner(s, d)
	return c, d, err
}

// padded returns the data set with its vocabulary padded to n words. No caption uses the added
// ones.
func padded(d *data.Dataset, n int) (*data.Dataset, error) {
	if len(d.Vocabulary.Words) >= n {
		return d, nil
	}
	words := slices.Clone(d.Vocabulary.Words[data.UnknownID+1:])
	for i := len(d.Vocabulary.Words); i < n; i++ {
		words = append(words, fmt.Sprintf("never-%d", i))
	}
	vocabulary, err := data.NewVocabulary(words)
	if err != nil {
		return nil, fmt.Errorf("--vocabulary: %w", err)
	}
	wide := *d
	wide.Vocabulary = vocabulary
	return &wide, nil
}

// quartiles returns the lower quartile, the median and the upper quartile of a sample, interpolated
// linearly between its values; NaN for an empty sample.
func quartiles(values []float64) [3]term.Number {
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) term.Number {
		if len(sorted) == 0 {
			return term.Number(math.NaN())
		}
		place := share * float64(len(sorted)-1)
		low := int(place)
		high := min(low+1, len(sorted)-1)
		return term.Number(sorted[low] + (place-float64(low))*(sorted[high]-sorted[low]))
	}
	return [3]term.Number{at(0.25), at(0.5), at(0.75)}
}
