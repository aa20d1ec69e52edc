package runner

import (
	"fmt"
	"io"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/jsonline"
)

// Launch says which trial a process runs, and how. A runner writes it as one JSON
// line to the standard input of the process, and holds that open for as long as it lives.
type Launch struct {
	Run string `json:"run"` // id, or an unambiguous start of one
	// Attempt is the claim that the runner took for this trial; 0 makes the
	// trial claim its run itself, as when it is started by hand or by a cluster.
	Attempt  int64  `json:"attempt"`
	Database string `json:"database"` // path of the results database
	Dir      string `json:"dir"`      // folder of all runs; "" is DefaultDir
	Root     string `json:"root"`     // of the data set, where the spec names none
	// Features and Names are where an encoder that reads features finds them: encoder.path and encoder.names.
	Features string `json:"features"`
	Names    string `json:"names"`
	// Cache is that of Config.
	Cache data.Cache `json:"cache"`

	// Created names checkpoints, where the trial's own database is not the one that they belong to ([store.DB.Created]).
	Created time.Time `json:"created,omitzero"`

	// Study holds the trials that this one is held against by the rule Prune.
	Study string            `json:"study"`
	Prune experiments.Prune `json:"prune"`
	// Keep says which checkpoints stay once the run is completed: best, which "" is
	// too, last, both or none.
	Keep string `json:"keep"`

	Device      string `json:"device"`  // to train and decode on
	Threads     int    `json:"threads"` // of an operation on the CPU
	Meteor      string `json:"meteor"`  // where METEOR's data are
	CommandLine string `json:"command"` // that the study was run by, to be recorded
	// StudyFiles are the files that the study was read from, whose uncommitted differences are recorded; NoGit has nothing
	// of git recorded.
	StudyFiles []string `json:"study_files"`
	NoGit      bool     `json:"no_git"`

	Lease     time.Duration `json:"lease"`      // 0 is DefaultLease
	Silence   time.Duration `json:"silence"`    // 0 is DefaultSilence
	SaveEvery time.Duration `json:"save_every"` // between checkpoints within an epoch; 0 is DefaultSaveEvery
}

// ReadLaunch reads the line that a runner wrote. What follows it is control: it ends
// when the runner does.
func ReadLaunch(r io.Reader) (l Launch, control io.Reader, err error) {
	if control, err = jsonline.Read(r, &l); err != nil {
		err = fmt.Errorf("reading what to run from standard input: %w", err)
	}
	return l, control, err
}
