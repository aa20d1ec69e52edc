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

// progress is how far a trial has come: what a resumed trial needs to know
// besides the captioner's checkpoint. It is committed with each checkpoint.
type progress struct {
	Serial int `json:"serial"` // of the newest checkpoint file of this attempt
	Epoch  int `json:"epoch"`  // epochs recorded
	// Trained is the epoch after those, trained but not yet validated.
	Trained *trainedEpoch `json:"trained,omitempty"`
	Current stopwatch     `json:"current"` // time spent on the epoch after those

	// Reinforced is the epoch after which reinforcement began, 0 before it.
	Reinforced int `json:"reinforced,omitempty"`

	BestEpoch int      `json:"best_epoch"`           // 0 while there is none
	BestValue *float64 `json:"best_value,omitempty"` // of the select metric; nil when it is not finite
	Stale     int      `json:"stale"`                // epochs since the best
	Judged    int      `json:"judged,omitempty"`     // the last epoch after which it was held against other trials

	Last       string `json:"last"` // checkpoint to go on from, a name in the run's folder
	Best       string `json:"best"` // checkpoint of the best epoch
	BestSHA256 string `json:"best_sha256"`

	Timings timings `json:"timings"`

	// Earlier are the states that the trial goes back to where the last checkpoint, or the best, cannot be loaded, the
	// newest first: those of the checkpoints that counted before the last one was written. Rewinds says when it did.
	Earlier []progress `json:"earlier,omitempty"`
	Rewinds []string   `json:"rewinds,omitempty"`
}

// states are those of the checkpoints that count, the newest first: the last and, where its state is known, the best.
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

// checkpoints are the names of those to keep: the last, the best, and those of the earlier states, three in all at most.
func (p progress) checkpoints() []string {
	names := []string{p.Last, p.Best}
	for _, e := range p.Earlier {
		names = append(names, e.Last, e.Best)
	}
	return names
}

// trainedEpoch is what training reported of an epoch.
type trainedEpoch struct {
	Loss     float64 `json:"loss"`
	LR       float64 `json:"lr"`
	Captions int     `json:"captions"`

	Samples *data.Samples `json:"samples,omitempty"` // of reinforcement
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

// namer names the checkpoint files of an attempt. No two attempts share names,
// so that a process that lost its claim cannot overwrite a file of its successor;
// nor do two databases that lie in one folder and share a trial.
type namer struct {
	prefix  string // of all names that belong to the database
	attempt int64
}

func newNamer(created time.Time, attempt int64) namer {
	return namer{"checkpoint-" + strconv.FormatInt(created.UnixMilli(), 36) + "-", attempt}
}

func (n namer) name(serial int) string { return fmt.Sprintf("%s%d-%d", n.prefix, n.attempt, serial) }

// owns reports whether a file is a checkpoint's of this attempt or an earlier one.
func (n namer) owns(stem string) bool {
	rest, ours := strings.CutPrefix(stem, n.prefix)
	digits, _, _ := strings.Cut(rest, "-")
	attempt, err := strconv.ParseInt(digits, 10, 64)
	return ours && err == nil && attempt <= n.attempt
}

// RunDir returns the folder of a run's checkpoints and log.
func RunDir(dir, run string) string { return filepath.Join(dir, run) }

// makeRunDir makes the folder of a run, and that of all runs, where they are missing.
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

// BestCheckpoint returns the path of a run's best checkpoint, as
// [Captioner.Load] takes it. dir is the folder of all runs ([DefaultDir]). Of a
// checkpoint that was pruned the error is a *PrunedError.
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
	if checkpointExists(path) {
		return path, nil
	}
	if pruned := whyPruned(RunDir(dir, run.ID), p.Best); pruned != nil {
		return "", &PrunedError{Run: run.ID, State: run.State, By: pruned.By, At: pruned.At}
	}
	return "", fmt.Errorf("run %s: checkpoint %s not found: checkpoints are not part of the database; copy it from where the run was trained", run.ID, path)
}

// BestValue returns the best value of a run's select metric so far, NaN if there is none.
func BestValue(run store.Run) float64 {
	var p progress
	if json.Unmarshal(run.Progress, &p) != nil || p.BestValue == nil {
		return math.NaN()
	}
	return *p.BestValue
}

// checkpointExists reports whether any file of a checkpoint is there.
func checkpointExists(path string) bool { return findCheckpoint(path) == nil }

// findCheckpoint looks for the files of a checkpoint: with none, the error is fs.ErrNotExist.
func findCheckpoint(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("looking for a checkpoint: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+".") {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

// escapeGlob takes the meaning from the characters of a path that Glob knows.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// prune removes the checkpoints that neither this process nor a successor can
// need: those of this attempt and of earlier ones, save the ones to keep, and
// what killed processes left half written.
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
