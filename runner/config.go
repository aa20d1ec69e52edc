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
	Trials []experiments.Trial // as planned; nil calls Study.Plan
	Spec   string              // the resolved spec, to be recorded
	// Declaration is the study's declaration, recorded before anything is trained; without text
	// there is none. Earlier is what a study recorded without a declaration is known to have
	// declared. See [store.DB.SaveStudy]; [Run] returns its *store.FrozenError and
	// *store.BusyError.
	Declaration store.Declaration
	Earlier     *store.Declaration

	DB   *store.DB
	Dir  string // folder of all runs; "" is DefaultDir
	Root string // of data sets, if the spec names none
	// Cache is for compiled data sets and checked pictures. The zero value disables it: then the
	// study and each trial read the data set.
	Cache data.Cache
	// Features fills the feature cache for the pictures of d that are in a split. For an encoder
	// that is trained with the captioner it does nothing. progress may be called often, with
	// numbers of images. device is the study's; threads is for all concurrent trials together, 0
	// for all processors.
	Features func(ctx context.Context, s experiments.Settings, d *data.Dataset, device string, threads int, progress func(done, total int)) error
	// Command returns the command of a run's process. The process must read a [Launch] from
	// standard input and call RunTrial with it, the rest of standard input as Control, and
	// standard output as Events. The runner sets the command's standard streams and process
	// group.
	Command func(run string) *exec.Cmd
	// Cluster runs the attempts instead of processes of Command; nil for none. With Detach, Run
	// returns once the jobs are submitted; another Run, or [Collect], merges their results.
	Cluster Cluster
	Detach  bool
	// Device, Meteor, CommandLine and NoGit are passed to trials; see [Launch].
	Device, Meteor, CommandLine string
	NoGit                       bool

	Jobs int // trials at a time; 0 is 1. With a cluster, trials submitted at a time
	// Threads of each trial; 0 divides the cores among the jobs, but resumes a trial with as many
	// as it started with: they affect the last digits of sums.
	Threads     int
	RetryFailed bool // also retry trials that will probably fail again

	Lease   time.Duration // see DefaultLease
	Silence time.Duration // see DefaultSilence
	Grace   time.Duration // time for a trial to stop before it is killed; 0 is DefaultGrace
	Poll    time.Duration // how often to check other runners' trials; 0 is DefaultPoll

	// Progress receives events, one at a time; nil for none.
	Progress func(Event)
	// Next returns all trials of a study whose plan grows with its results, once the known ones
	// have ended; nil for a study with a fixed plan.
	Next func(context.Context) ([]experiments.Trial, error)

	// Checkpoint requests a checkpoint of all running trials; may be nil.
	Checkpoint <-chan os.Signal
	// Kill, when closed, ends all trials at once, without a checkpoint.
	Kill <-chan struct{}
}

const (
	// DefaultGrace is how long a trial may take to finish its step and save.
	DefaultGrace = 2 * time.Minute
	// DefaultPoll is how often other runners' trials are checked.
	DefaultPoll = 2 * time.Second
)

// DefaultDir returns the folder of checkpoints and logs that belongs to a
// database: runs, beside it.
func DefaultDir(db *store.DB) string { return filepath.Join(filepath.Dir(db.Path()), "runs") }

// Summary counts a study's trials by their state when [Run] returns.
type Summary struct {
	Total       int           `json:"total"`
	Completed   int           `json:"completed"`
	Skipped     int           `json:"skipped"` // completed before this run
	Failed      int           `json:"failed"`
	Interrupted int           `json:"interrupted"`
	Pruned      int           `json:"pruned"`     // stopped by the study's pruning rule
	Unfinished  int           `json:"unfinished"` // queued, or running elsewhere
	Failures    []Failure     `json:"failures"`
	Elapsed     time.Duration `json:"-"`
}

// Mendable returns how many failed trials another attempt may complete ([Retryable]).
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
		return errors.New("runner: Config has no study")
	case cfg.DB == nil:
		return errors.New("runner: Config has no results database")
	case cfg.Features == nil || cfg.Command == nil && cfg.Cluster == nil:
		return errors.New("runner: Config lacks Features, or both Command and Cluster")
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

// ThreadsOf returns the default number of threads of each of so many concurrent trials: an equal
// share of the processors that this process may use, by affinity and by its control group's
// quota.
func ThreadsOf(jobs int) int { return max(1, runtime.GOMAXPROCS(0)/max(1, jobs)) }
