package store

import (
	"encoding/json"
	"time"

	"glimpse/metrics"
)

// The states of a run. Queued, interrupted and failed runs may be claimed; a
// running one belongs to its claim; a completed one never changes again. A
// pruned one is interrupted, and a study that does not prune may resume it.
const (
	Queued      = "queued"
	Running     = "running"
	Completed   = "completed"
	Failed      = "failed"
	Interrupted = "interrupted"
	Pruned      = "pruned" // a search gave it up for its validation scores; Error says by what rule
)

// Study is a study as it was declared.
type Study struct {
	Name     string
	Question string
	Spec     string          // the resolved spec, YAML
	Compare  json.RawMessage // the comparison as declared: arms, contrasts, primary metric
	Created  time.Time
}

// Run is one trial: settings that were, are or will be trained.
type Run struct {
	ID string
	// Study, Arm and Swept are the run's place in the study it was asked for
	// under, or in the first study that holds it; Studies names all of them.
	Study   string
	Studies []string
	Arm     string
	Swept   map[string]string // swept path → value

	Seed     int64
	Settings json.RawMessage // the resolved settings
	State    string          // one of the states above
	Failure  string          // failed: what kind of failure, a word of the runner's
	Error    string          // failed: the cause, with where it happened

	// Attempt counts the claims; the highest is the fencing token of the
	// current holder. Beats counts the holder's signs of life.
	Attempt int64
	Beats   int64
	Owner   Owner
	// Stopped tells that this attempt was asked to end ([DB.Stop]). The next
	// attempt is not meant by it.
	Stopped bool
	// Progress is the holder's own note of how far the run has come, with the
	// names of the checkpoint files to go on from; nil before the first.
	Progress json.RawMessage

	Created  time.Time
	Started  time.Time // the first claim
	Heard    time.Time // the last sign of life, by the holder's clock
	Finished time.Time // completed, failed or interrupted
	Seconds  float64   // of work that counted, over all attempts

	Epochs         int // epochs recorded
	BestEpoch      int // the selected one, from 1; 0 when none is
	Parameters     int64
	Signature      string // the protocol signature
	CaptionsSHA256 string
	WeightsSHA256  string
	Metrics        map[string]map[string]float64 // "val", "test" → key → value
	Environment    json.RawMessage

	Tags []string // its own and those of its studies, sorted, each once
}

// Final gives the split that a completed run was finished on, and its scores:
// the test split, or the validation split of a run that spared the former.
func (r *Run) Final() (split string, scores map[string]float64) {
	if scores, ok := r.Metrics["test"]; ok || r.Metrics["val"] == nil {
		return "test", scores
	}
	return "val", r.Metrics["val"]
}

// Hashes are the SHA-256 that the run's last attempt recorded of what it was made
// from, such as data, pictures and features; nil before the first.
func (r *Run) Hashes() map[string]string {
	var recorded struct {
		Hashes map[string]string `json:"hashes"`
	}
	if json.Unmarshal(r.Environment, &recorded) != nil {
		return nil
	}
	return recorded.Hashes
}

// Owner identifies the process that holds a claim.
type Owner struct {
	Host string
	// Place tells apart machines, boots and process-id namespaces: process ids
	// mean something only between owners of one place. Empty: unknown.
	Place string
	PID   int
	Start string // tells the process from a later one with the same id
	// Lease is how long the holder may be silent before it counts as dead.
	Lease time.Duration
}

// Claim is the right to write to a run. Attempt is the fencing token.
type Claim struct {
	Run     string
	Attempt int64
}

// Attempt is one claim of a run: who worked on it, and how that ended.
type Attempt struct {
	Number  int64
	Host    string
	PID     int
	Started time.Time
	Ended   time.Time // zero while it is under way
	Outcome string    // a state of the run, "lost" where another process took over, "" while it is under way
	Error   string    // failed: the cause
}

// Epoch is the record of one training epoch.
type Epoch struct {
	Epoch             int                // from 1
	Loss              float64            // mean training loss: nats a token or, of reinforcement, the negative reward
	Val               map[string]float64 // validation metrics by key; nil when not measured
	Sampled           map[string]float64 // what reinforcement's samples were like, by key; nil of other epochs
	LR                float64            // learning rate at the epoch's end
	Seconds           float64            // training and validation
	CaptionsPerSecond float64            // training alone
	Selected          bool               // whether it is the run's best epoch; derived, not written
}

// Caption is a generated caption of one image.
type Caption struct {
	Image   string
	Words   string    // separated by single spaces
	LogProb float64   // natural logarithm of the caption's probability
	Beta    []float64 // per word, nil where the arm has none; stored in single precision
	Entropy []float64 // of the attention, per word, in nats; likewise
	Scored  bool      // whether Score is filled
	// Score holds all counts that are stored; its CIDErPlain, which is not, is 0,
	// and so are METEOR's counts where METEOR was not computed.
	Score metrics.ImageScore
}

// Start is what a trial knows of itself once its model stands.
type Start struct {
	Parameters  int64
	Signature   string
	Environment json.RawMessage
}

// Checkpoint commits a trial's progress.
type Checkpoint struct {
	Progress  json.RawMessage
	Seconds   float64 // of work so far, over all attempts
	Epoch     *Epoch  // an epoch that is complete with this checkpoint, or nil
	BestEpoch int     // the best epoch so far, 0 while there is none
}

// Result is what a completed trial leaves besides its epochs and captions.
type Result struct {
	Metrics        map[string]map[string]float64   // split → key → value
	Scores         map[string][]metrics.ImageScore // split → scores of the stored captions, by their images' ids
	BestEpoch      int
	Seconds        float64
	CaptionsSHA256 string
	WeightsSHA256  string
	Environment    json.RawMessage
}
