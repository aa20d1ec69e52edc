package runner

import (
	"fmt"
	"io"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/jsonline"
)

// Launch says which trial a process runs, and how. A runner writes it as one JSON line to the
// process's standard input, and keeps that open as long as it lives.
type Launch struct {
	Run string `json:"run"` // id, or an unambiguous prefix
	// Attempt is the number of the runner's claim for this trial; 0 makes the trial claim its run
	// itself, as when it is started by hand or by a cluster.
	Attempt  int64  `json:"attempt"`
	Database string `json:"database"` // path of the results database
	Dir      string `json:"dir"`      // folder of all runs; "" is DefaultDir
	Root     string `json:"root"`     // of the data set, if the spec names none
	// Features and Names are the files of precomputed features: encoder.path and encoder.names.
	Features string `json:"features"`
	Names    string `json:"names"`
	// Cache is Config.Cache.
	Cache data.Cache `json:"cache"`

	// Created names checkpoints if the trial's own database is not the one they belong to
	// ([store.DB.Created]).
	Created time.Time `json:"created,omitzero"`

	// Study is the study whose trials this one is compared with by the rule Prune.
	Study string            `json:"study"`
	Prune experiments.Prune `json:"prune"`
	// Keep says which checkpoints to keep once the run is completed: best (also ""), last, both
	// or none.
	Keep string `json:"keep"`

	Device      string `json:"device"`  // for training and decoding
	Threads     int    `json:"threads"` // per operation on the CPU
	Meteor      string `json:"meteor"`  // path of METEOR's data
	CommandLine string `json:"command"` // of the study, for the record
	// StudyFiles are the files that the study was read from; their uncommitted differences are
	// recorded. NoGit disables recording git's state.
	StudyFiles []string `json:"study_files"`
	NoGit      bool     `json:"no_git"`

	Lease     time.Duration `json:"lease"`      // 0 is DefaultLease
	Silence   time.Duration `json:"silence"`    // 0 is DefaultSilence
	SaveEvery time.Duration `json:"save_every"` // between checkpoints within an epoch; 0 is DefaultSaveEvery
}

// ReadLaunch reads the line that a runner wrote. control is the rest of r, which ends when the
// runner does.
func ReadLaunch(r io.Reader) (l Launch, control io.Reader, err error) {
	if control, err = jsonline.Read(r, &l); err != nil {
		err = fmt.Errorf("read what to run from standard input: %w", err)
	}
	return l, control, err
}

// The default times.
const (
	// DefaultLease is how long the holder of a claim may be silent.
	DefaultLease = time.Minute
	// DefaultSilence is how long a trial may make no progress.
	DefaultSilence = 10 * time.Minute
	// DefaultSaveEvery is the time between checkpoints within an epoch: so much training can be
	// lost if the process is killed.
	DefaultSaveEvery = 10 * time.Minute
)
