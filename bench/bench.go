// Package bench measures how fast this machine trains, encodes pictures, writes captions, scores them and stores results,
// and what a training step costs at the least.
//
// Each measurement takes a study, whose settings it measures, and gives a [Report]. It computes in this process, which
// should do nothing else meanwhile, as should the machine. No results database is written to.
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

// Options say what is measured, and with what.
type Options struct {
	Study *experiments.Study
	Arm   string // measure this arm alone; "" for each
	// Engine computes. Its threads, at least 1, bound those of Go too.
	Engine models.Engine
	// Progress is told how many pictures an encoder has done of those whose features the cache lacked; nil for nobody.
	Progress func(encoder string, done, total int)
}

// Report is what was measured. Its JSON is a contract: it is what `glimpse bench --json` prints.
type Report[R any] struct {
	Bench   string `json:"bench"`
	Study   string `json:"study"`
	Data    string `json:"data"`
	Device  string `json:"device"`
	Threads int    `json:"threads"`
	// PeakRSSMB is the most memory that the process has held since it began, PeakAnonymousMB the most without mapped files
	// during the measurement, in MB of 1,000,000 bytes; NaN where the system does not tell.
	PeakRSSMB       term.Number `json:"peak_rss_mb"`
	PeakAnonymousMB term.Number `json:"peak_anonymous_mb"`
	Rows            R           `json:"rows"`
}

// NothingError says that a study has nothing of what was to be measured.
type NothingError struct{ text string }

// Error implements error.
func (e *NothingError) Error() string { return e.text }

// measurement is one at work.
type measurement struct {
	Options
	study, data string // what the report names
	trials      []experiments.Trial
	sets        planning.Sets
}

// measure has f measure with the first trial of each arm of the study that is asked for, or with none where there is no
// study.
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

// perArm measures each arm.
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

// firstOfArms keeps the first trial of each arm, or of the one that is named.
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
		return nil, &NothingError{fmt.Sprintf("--arm %s: the study has no such arm; there are %s", arm, strings.Join(arms, ", "))}
	}
	return first, nil
}

// captioner makes a fresh captioner of the settings and gives it with its data set, whose features are in the cache then.
// The vocabulary is filled up to so many words.
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

// padded is the data set with a vocabulary filled up to n words, by ones that no caption has.
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

// quartiles gives the values below which a quarter, half and three quarters of a sample lie, NaN for none.
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
