package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
	"glimpse/internal/store"
)

// progress is the state that a resumed trial needs besides the captioner's checkpoint. It is
// committed with each checkpoint.
type progress struct {
	Serial int `json:"serial"` // of the newest checkpoint file of this attempt
	Epoch  int `json:"epoch"`  // epochs recorded
	// Trained is the next epoch, if it is trained but not yet validated.
	Trained *trainedEpoch `json:"trained,omitempty"`
	Current stopwatch     `json:"current"` // time spent on the next epoch

	// Reinforced is the epoch after which reinforcement started; 0 before it.
	Reinforced int `json:"reinforced,omitempty"`

	BestEpoch int      `json:"best_epoch"`           // 0 for none
	BestValue *float64 `json:"best_value,omitempty"` // of the select metric; nil if not finite
	Stale     int      `json:"stale"`                // epochs since the best one
	Judged    int      `json:"judged,omitempty"`     // the last epoch after which it was compared with other trials

	Last       string `json:"last"` // checkpoint to resume from, a name in the run's folder
	Best       string `json:"best"` // checkpoint of the best epoch
	BestSHA256 string `json:"best_sha256"`

	Timings timings `json:"timings"`

	// Earlier are the states to go back to if the last checkpoint, or the best, cannot be loaded,
	// newest first: those of the checkpoints that were current before the last one. Rewinds lists
	// when that happened.
	Earlier []progress `json:"earlier,omitempty"`
	Rewinds []string   `json:"rewinds,omitempty"`
}

// states returns the states of the current checkpoints, newest first: the last and, if its state
// is known, the best.
func (p progress) states() []progress {
	if p.Last == "" {
		return nil
	}
	last := p
	last.Earlier, last.Rewinds = nil, nil
	states := []progress{last}
	for _, e := range p.Earlier {
		if e.Last == p.Best && p.Best != p.Last {
			states = append(states, e)
		}
	}
	return states
}

// checkpoints returns the names of the checkpoints to keep, at most three: the last, the best,
// and those of the earlier states.
func (p progress) checkpoints() []string {
	names := []string{p.Last, p.Best}
	for _, e := range p.Earlier {
		names = append(names, e.Last, e.Best)
	}
	return names
}

// trainedEpoch is the result of training an epoch.
type trainedEpoch struct {
	Loss     float64 `json:"loss"`
	LR       float64 `json:"lr"`
	Captions int     `json:"captions"`

	Samples *data.Samples `json:"samples,omitempty"` // in reinforcement
}

// stopwatch holds the seconds of one epoch.
type stopwatch struct {
	Train    float64 `json:"train"`
	Validate float64 `json:"validate"`
}

// timings are the seconds that a trial's work took, over all attempts.
type timings struct {
	Load     float64 `json:"load"`
	Train    float64 `json:"train"`
	Validate float64 `json:"validate"`
	Test     float64 `json:"test"`
	Score    float64 `json:"score"`
}

func (t timings) total() float64 { return t.Load + t.Train + t.Validate + t.Test + t.Score }

// namer names the checkpoint files of an attempt. Attempts never share names, so that a process
// that lost its claim cannot overwrite a file of its successor. Neither do two databases in one
// folder that share a trial.
type namer struct {
	prefix  string // of all names of the database
	attempt int64
}

func newNamer(created time.Time, attempt int64) namer {
	return namer{"checkpoint-" + strconv.FormatInt(created.UnixMilli(), 36) + "-", attempt}
}

func (n namer) name(serial int) string { return fmt.Sprintf("%s%d-%d", n.prefix, n.attempt, serial) }

// owns reports whether a file belongs to a checkpoint of this attempt or an earlier one.
func (n namer) owns(stem string) bool {
	rest, ours := strings.CutPrefix(stem, n.prefix)
	digits, _, _ := strings.Cut(rest, "-")
	attempt, err := strconv.ParseInt(digits, 10, 64)
	return ours && err == nil && attempt <= n.attempt
}

// RunDir returns the folder of a run's checkpoints and log.
func RunDir(dir, run string) string { return filepath.Join(dir, run) }

// makeRunDir creates the folder of a run, and that of all runs, if missing.
func makeRunDir(dir, run string) error {
	err := private.Folder(dir)
	if err == nil {
		err = private.Subfolder(run)
	}
	if err != nil {
		return &atomicfile.WriteError{Path: run, Err: err}
	}
	return nil
}

// BestCheckpoint returns the path of a run's best checkpoint, for [Captioner.Load]. dir is the
// folder of all runs ([DefaultDir]). For a pruned checkpoint it returns a *PrunedError.
func BestCheckpoint(dir string, run store.Run) (string, error) {
	var p progress
	if len(run.Progress) > 0 {
		if err := json.Unmarshal(run.Progress, &p); err != nil {
			return "", fmt.Errorf("run %s: cannot read its progress: %w", run.ID, err)
		}
	}
	if p.Best == "" {
		return "", fmt.Errorf("run %s has no checkpoint yet: it is %s and no epoch has been validated", run.ID, run.State)
	}
	path := filepath.Join(RunDir(dir, run.ID), p.Best)
	err := findCheckpoint(path)
	if err == nil {
		return path, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("run %s: %w; check that you can read its folder", run.ID, err)
	}
	if pruned := whyPruned(RunDir(dir, run.ID), p.Best); pruned != nil {
		return "", &PrunedError{Run: run.ID, State: run.State, By: pruned.By, At: pruned.At}
	}
	return "", fmt.Errorf("run %s: checkpoint %s not found; checkpoints are not part of the database: copy it from where the run was trained", run.ID, path)
}

// BestValue returns the best value of a run's select metric so far; NaN if there is none.
func BestValue(run store.Run) float64 {
	var p progress
	if json.Unmarshal(run.Progress, &p) != nil || p.BestValue == nil {
		return math.NaN()
	}
	return *p.BestValue
}

// findCheckpoint looks for the files of a checkpoint. If there are none it returns
// fs.ErrNotExist.
func findCheckpoint(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("look for a checkpoint: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+".") {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

// escapeGlob escapes the characters of a path that are special in Glob.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// prune removes the checkpoints that neither this process nor a successor can need: those of this
// and earlier attempts, except the ones to keep, and partial files of killed processes.
func prune(dir string, names namer, keep ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		stem, _, _ := strings.Cut(entry.Name(), ".")
		if names.owns(stem) && !slices.Contains(keep, stem) {
			failed = errors.Join(failed, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	_, err = atomicfile.Sweep(dir, false)
	return errors.Join(failed, err)
}
