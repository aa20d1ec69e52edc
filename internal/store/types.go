package store

import (
	"encoding/json"
	"time"

	"glimpse/metrics"
)

// The states of a run. Queued, interrupted and failed runs may be claimed. A running run belongs
// to its claim. A completed run never changes again. A pruned run is interrupted; a study that
// does not prune may resume it.
const (
	Queued      = "queued"
	Running     = "running"
	Completed   = "completed"
	Failed      = "failed"
	Interrupted = "interrupted"
	Pruned      = "pruned" // a search stopped it because of its validation scores; Error says by what rule
)

// Study is a study as it was declared.
type Study struct {
	Name     string
	Question string
	Spec     string          // the resolved spec, YAML
	Compare  json.RawMessage // the comparison as declared: arms, contrasts, primary metric
	Created  time.Time
}

// Run is one trial: complete settings to train with, and their results so far.
type Run struct {
	ID string
	// Study, Arm and Swept are the run's place in the study it was queried for, or in the oldest
	// study that holds it; Studies lists all of them.
	Study   string
	Studies []string
	Arm     string
	Swept   map[string]string // swept path → value

	Seed     int64
	Settings json.RawMessage // the resolved settings
	State    string          // one of the states above
	Failure  string          // failed: the kind of failure, a word that the runner chose
	Error    string          // failed: the cause, and where it happened

	// Attempt counts the claims. It is the fencing token of the current holder. Beats counts the
	// holder's heartbeats.
	Attempt int64
	Beats   int64
	Owner   Owner
	// Stopped says that the current attempt was asked to end ([DB.Stop]). It does not apply to
	// the next attempt.
	Stopped bool
	// Progress is written by the holder: how far the run has come, and the checkpoint files to
	// resume from; nil before the first checkpoint.
	Progress json.RawMessage

	Created  time.Time
	Started  time.Time // the first claim
	Heard    time.Time // the last heartbeat, by the holder's clock
	Finished time.Time // completed, failed or interrupted
	Seconds  float64   // of work that was kept, over all attempts

	Epochs         int // epochs recorded
	BestEpoch      int // the selected epoch, from 1; 0 for none
	Parameters     int64
	Signature      string // the protocol signature
	CaptionsSHA256 string
	WeightsSHA256  string
	Metrics        map[string]map[string]float64 // "val", "test" → key → value
	Environment    json.RawMessage

	Tags []string // the run's own and its studies', sorted, each once
}

// Final returns the final split of a completed run, and its scores: the test split, or the
// validation split if the run was not scored on test.
func (r *Run) Final() (split string, scores map[string]float64) {
	if scores, ok := r.Metrics["test"]; ok || r.Metrics["val"] == nil {
		return "test", scores
	}
	return "val", r.Metrics["val"]
}

// Hashes returns the SHA-256 of the run's inputs, such as data, pictures and features, as the
// last attempt recorded them; nil before the first attempt.
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
	// Place identifies the machine, its boot and the process-id namespace: process ids can only
	// be compared within one place. Empty if unknown.
	Place string
	PID   int
	Start string // distinguishes the process from a later one with the same id
	// Lease is how long the holder may be silent before it counts as dead.
	Lease time.Duration
}

// Claim is the right to write to a run. Attempt is the fencing token.
type Claim struct {
	Run     string
	Attempt int64
}

// Attempt is one claim of a run: which process worked on it, and how it ended.
type Attempt struct {
	Number  int64
	Host    string
	PID     int
	Started time.Time
	Ended   time.Time // zero while it is open
	Outcome string    // a state of the run; "lost" if another process took over; "" while it is open
	Error   string    // failed: the cause
}

// Epoch is the record of one training epoch.
type Epoch struct {
	Epoch             int                // from 1
	Loss              float64            // mean training loss: nats per token or, in reinforcement, the negative reward
	Val               map[string]float64 // validation metrics by key; nil when not measured
	Sampled           map[string]float64 // statistics of reinforcement's samples, by key; nil for other epochs
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
	Beta    []float64 // per word, stored in single precision; nil if the arm has none
	Entropy []float64 // of the attention, per word, in nats, stored in single precision; nil if the arm has none
	Scored  bool      // whether Score is filled
	// Score holds all stored counts. CIDErPlain is not stored and so 0, as are METEOR's counts if
	// METEOR was not computed.
	Score metrics.ImageScore
}

// Start is what a trial records once its model is built.
type Start struct {
	Parameters  int64
	Signature   string
	Environment json.RawMessage
}

// Checkpoint is a trial's progress at a checkpoint.
type Checkpoint struct {
	Progress  json.RawMessage
	Seconds   float64 // of work so far, over all attempts
	Epoch     *Epoch  // the epoch that this checkpoint completes, or nil
	BestEpoch int     // the best epoch so far; 0 for none
}

// Result is what a completed trial records besides its epochs and captions.
type Result struct {
	Metrics        map[string]map[string]float64   // split → key → value
	Scores         map[string][]metrics.ImageScore // split → scores of the stored captions, by their images' ids
	BestEpoch      int
	Seconds        float64
	CaptionsSHA256 string
	WeightsSHA256  string
	Environment    json.RawMessage
}
