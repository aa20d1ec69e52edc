package runner

import (
	"io"
	"sync"
	"time"

	"glimpse/internal/jsonline"
)

// The kinds of events. Those marked * are sent by a child, and reach the study's Progress
// function through its parent.
const (
	EventPlanned     = "planned"     // the plan is made: Done of Total trials are complete
	EventFeatures    = "features"    // features of Done of Total images are computed
	EventStarted     = "started"     // a trial's process was started, for the Attempt-th time
	EventPhase       = "phase"       // * the trial entered Phase: data, model, train, reinforce, validate, test, score
	EventStep        = "step"        // * Step of Steps in Epoch of Epochs, with Loss
	EventCaptioning  = "captioning"  // * Done of Total images of the split in Phase are captioned
	EventEpoch       = "epoch"       // * Epoch of Epochs is recorded, with Loss and validation Metrics
	EventSaved       = "saved"       // * a checkpoint within Epoch
	EventNote        = "note"        // a remark, in Message
	EventCompleted   = "completed"   // the trial is complete, with the final Metrics of the split in Phase; Done of Total trials are
	EventFailed      = "failed"      // the trial failed for the reason in Message; the study continues; Done and Total as above
	EventInterrupted = "interrupted" // the trial stopped at a checkpoint and can be resumed; Done and Total as above
	EventPruned      = "pruned"      // the trial was pruned by the rule in Message; Done and Total as above
	EventLost        = "lost"        // another process took the trial over
	EventJobs        = "jobs"        // Done of Total jobs on a cluster are running; Message says what others wait for
	EventWaiting     = "waiting"     // Total trials are left, and other processes work on them
)

// Event reports progress. Numbers that are not finite are left out.
type Event struct {
	Kind    string             `json:"event"`
	Run     string             `json:"run,omitempty"`
	Arm     string             `json:"arm,omitempty"`
	Seed    int64              `json:"seed,omitempty"`
	Attempt int64              `json:"attempt,omitempty"`
	Phase   string             `json:"phase,omitempty"`
	Stage   string             `json:"stage,omitempty"` // of training: StageTrain, or StageReinforce with the negative reward as its loss
	Epoch   int                `json:"epoch,omitempty"`
	Epochs  int                `json:"epochs,omitempty"`
	Step    int                `json:"step,omitempty"`
	Steps   int                `json:"steps,omitempty"`
	Loss    float64            `json:"loss,omitempty"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
	Sampled map[string]float64 `json:"sampled,omitempty"` // of an epoch of reinforcement, by the keys of results.SampledValues
	Done    int                `json:"done,omitempty"`
	Total   int                `json:"total,omitempty"`
	Message string             `json:"message,omitempty"`
	// Remaining is the estimated time until the study is done; 0 if there is no estimate.
	Remaining time.Duration `json:"remaining,omitempty"`
}

// emitter writes events as JSON lines. It ignores failures: the reader is gone, and the trial
// continues without it.
type emitter struct {
	mu   sync.Mutex
	to   io.Writer // nil for no reader
	last time.Time // of the last progress event
}

// progressEvery limits how often steps and captions are reported.
const progressEvery = 200 * time.Millisecond

// emit writes one event.
func (e *emitter) emit(event Event) {
	if e.to == nil {
		return
	}
	event.Loss, event.Metrics, event.Sampled = finite(event.Loss), finiteOf(event.Metrics), finiteOf(event.Sampled)
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = jsonline.Write(e.to, event)
}

// progress writes an event unless one was just written. It always writes the last of a series.
func (e *emitter) progress(event Event, last bool) {
	e.mu.Lock()
	due := last || time.Since(e.last) >= progressEvery
	if due {
		e.last = time.Now()
	}
	e.mu.Unlock()
	if due {
		e.emit(event)
	}
}

// finiteOf returns the values that are finite.
func finiteOf(values map[string]float64) map[string]float64 {
	kept := make(map[string]float64, len(values))
	for key, v := range values {
		if isFinite(v) {
			kept[key] = v
		}
	}
	return kept
}

func finite(v float64) float64 {
	if !isFinite(v) {
		return 0
	}
	return v
}
