package runner

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

// Config says which study to run, and how.
type Config struct {
	Study  *experiments.Study
	Trials []experiments.Trial // as planned; nil asks Study.Plan
	Spec   string              // the resolved spec, to be recorded
	// Declaration is what the study declares, to be recorded before anything is
	// trained; without a text it declares nothing. Earlier is what a study that was
	// recorded without one is known to have declared. See [store.DB.SaveStudy]; its
	// *store.FrozenError and *store.BusyError are returned by [Run].
	Declaration store.Declaration
	Earlier     *store.Declaration

	DB   *store.DB
	Dir  string // folder of all runs; "" is DefaultDir
	Root string // of data sets, where the spec names none
	// Cache is where data sets are kept compiled, with what is known of their pictures.
	// The zero value keeps nothing: a data set is read by the study and again by each trial.
	Cache data.Cache
	// Features fills the feature cache for the pictures of d that are in a
	// split. It has nothing to do for an encoder that is trained with the
	// captioner. progress may be called often, with the number of images.
	// device is the study's; threads are those of all trials at a time, 0 as many as there are processors.
	Features func(ctx context.Context, s experiments.Settings, d *data.Dataset, device string, threads int, progress func(done, total int)) error
	// Command makes the command of a run's process, which must read a [Launch]
	// from standard input and call RunTrial with it: the rest of standard input
	// as Control, standard output as Events. Its standard streams and process
	// group are set here.
	Command func(run string) *exec.Cmd
	// Cluster makes the attempts in place of processes of Command; nil for none. With Detach, Run returns once the jobs
	// are handed to it: another Run, or [Collect], takes their results.
	Cluster Cluster
	Detach  bool
	// Device, Meteor, CommandLine and NoGit are passed on to trials, see [Launch].
	Device, Meteor, CommandLine string
	NoGit                       bool

	Jobs int // trials at a time; 0 is 1. Of a cluster, trials that are handed to it at a time
	// Threads of each trial; 0 shares the cores among the jobs, but goes on
	// with as many as a trial began with: sums depend on them, in their last digits.
	Threads     int
	RetryFailed bool // also retry what will probably fail again

	Lease   time.Duration // see DefaultLease
	Silence time.Duration // see DefaultSilence
	Grace   time.Duration // from asking a trial to stop until it is killed; 0 is DefaultGrace
	Poll    time.Duration // how often other runners' trials are looked at; 0 is DefaultPoll

	// Progress receives events, one at a time; nil for none.
	Progress func(Event)
	// Next gives all trials of a study whose plan grows with its results, once
	// those known have come to an end; nil for a study whose plan is all known.
	Next func(context.Context) ([]experiments.Trial, error)

	// Checkpoint asks all trials at work for a checkpoint; nil when nobody asks.
	Checkpoint <-chan os.Signal
	// Kill, when closed, ends all trials at once, without a checkpoint.
	Kill <-chan struct{}
}

const (
	// DefaultGrace is how long a trial may take to finish its step and save.
	DefaultGrace = 2 * time.Minute
	// DefaultPoll is how often other runners' trials are looked at.
	DefaultPoll = 2 * time.Second
)

// DefaultDir returns the folder of checkpoints and logs that belongs to a
// database: runs, beside it.
func DefaultDir(db *store.DB) string { return filepath.Join(filepath.Dir(db.Path()), "runs") }

// Summary counts a study's trials by how they stand when [Run] returns.
type Summary struct {
	Total       int           `json:"total"`
	Completed   int           `json:"completed"`
	Skipped     int           `json:"skipped"` // of the completed, those that were so before
	Failed      int           `json:"failed"`
	Interrupted int           `json:"interrupted"`
	Pruned      int           `json:"pruned"`     // given up by the study's rule
	Unfinished  int           `json:"unfinished"` // queued, or running elsewhere
	Failures    []Failure     `json:"failures"`
	Elapsed     time.Duration `json:"-"`
}

// Mendable is how many of the failed trials another attempt can mend ([Retryable]).
func (s Summary) Mendable() int {
	n := 0
	for _, failure := range s.Failures {
		if Retryable(failure.Kind) {
			n++
		}
	}
	return n
}

// Failure is a failed trial.
type Failure struct {
	Run   string `json:"run"`
	Arm   string `json:"arm"`
	Seed  int64  `json:"seed"`
	Kind  string `json:"kind"`
	Error string `json:"error"`
}

// complete checks a configuration and fills in its defaults.
func (cfg *Config) complete() error {
	switch {
	case cfg.Study == nil:
		return errors.New("run: no study given")
	case cfg.DB == nil:
		return errors.New("run: no results database given")
	case cfg.Features == nil || cfg.Command == nil && cfg.Cluster == nil:
		return errors.New("run: no features or no trial command given")
	}
	if cfg.Dir == "" {
		cfg.Dir = DefaultDir(cfg.DB)
	}
	cfg.Jobs = max(cfg.Jobs, 1)
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&cfg.Lease, DefaultLease}, {&cfg.Silence, DefaultSilence}, {&cfg.Grace, DefaultGrace}, {&cfg.Poll, DefaultPoll}} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if cfg.Trials == nil {
		var err error
		if cfg.Trials, err = cfg.Study.Plan(); err != nil {
			return err
		}
	}
	return nil
}

// threads returns how many threads a trial gets.
func (cfg *Config) threads(run store.Run) int {
	if cfg.Threads > 0 {
		return cfg.Threads
	}
	var began Environment
	if len(run.Progress) > 0 && json.Unmarshal(run.Environment, &began) == nil && began.Threads > 0 {
		return began.Threads
	}
	return ThreadsOf(cfg.Jobs)
}

// ThreadsOf is how many threads a trial gets beside others, so many in all, unless it is told: its share of the processors that
// this process may use, by affinity and by its control group's quota.
func ThreadsOf(jobs int) int { return max(1, runtime.GOMAXPROCS(0)/max(1, jobs)) }
