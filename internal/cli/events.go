package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/runner"
)

// Events shows the events of a study as progress bars and lines of text.
type Events struct {
	// Quiet suppresses the lines for started trials and epochs and, on a terminal, where the
	// study has a bar, for completed trials.
	Quiet bool

	progress *term.Progress
	labels   map[string]string // trial id → its label; nil shows arms
}

// StudyBar is the name of the bar of a whole study.
const StudyBar = "study"

// NewEvents returns an Events that writes to w. labels, by trial id, distinguish the trials; nil
// shows their arms.
func NewEvents(w io.Writer, labels map[string]string) *Events {
	return &Events{progress: term.NewProgress(w), labels: labels}
}

// Close removes the bars.
func (t *Events) Close() { t.progress.Close() }

// Show shows an event.
func (t *Events) Show(e runner.Event) {
	name := t.name(e)
	loss := lossText(e.Loss, e.Stage == runner.StageReinforce)
	switch e.Kind {
	case runner.EventPlanned, runner.EventCompleted, runner.EventFailed, runner.EventInterrupted, runner.EventPruned:
		if t.progress.HasBars() && e.Total > 0 {
			t.progress.Update(StudyBar, e.Done, e.Total, "trials")
			t.progress.Expect(StudyBar, e.Remaining)
		}
	}
	switch e.Kind {
	case runner.EventPlanned:
		t.progress.Log(fmt.Sprintf("%d of %d trials complete%s", e.Done, e.Total, remaining(e)))
	case runner.EventFeatures:
		t.progress.Update("features", e.Done, e.Total, e.Message)
		if e.Done >= e.Total {
			t.progress.Finish("features", "")
		}
	case runner.EventJobs:
		text := "running"
		if e.Message != "" {
			text += ", others waiting: " + e.Message
		}
		t.progress.Update("jobs", e.Done, e.Total, text)
	case runner.EventStarted:
		if t.Quiet {
			break
		}
		line := name + " started"
		if e.Attempt > 1 {
			line = fmt.Sprintf("%s resumed, attempt %d", name, e.Attempt)
		}
		t.progress.Log(line)
	case runner.EventPhase:
		t.progress.Update(name, 0, 0, phaseText(e.Phase))
	case runner.EventStep:
		t.progress.Update(name, e.Step, e.Steps, fmt.Sprintf("epoch %d/%d  %s", e.Epoch, e.Epochs, loss))
	case runner.EventCaptioning:
		t.progress.Update(name, e.Done, e.Total, "captioning "+e.Phase)
	case runner.EventEpoch:
		if t.Quiet {
			break
		}
		t.progress.Log(fmt.Sprintf("%s epoch %d/%d  %s  %s", name, e.Epoch, e.Epochs, loss, ScoreText("val", e.Metrics)))
	case runner.EventSaved:
		t.progress.Log(fmt.Sprintf("%s checkpoint saved in epoch %d", name, e.Epoch))
	case runner.EventCompleted:
		if t.Quiet && t.progress.HasBars() {
			t.progress.Finish(name, "")
			break
		}
		line := fmt.Sprintf("%s complete  %s", name, ScoreText(e.Phase, e.Metrics))
		if !t.progress.HasBars() { // else the study's bar says it
			line += fmt.Sprintf("  %d of %d trials done%s", e.Done, e.Total, remaining(e))
		}
		t.progress.Finish(name, strings.TrimRight(line, " "))
	case runner.EventFailed, runner.EventInterrupted, runner.EventPruned, runner.EventLost:
		t.progress.Finish(name, WithMessage(name+" "+e.Kind, e.Message))
	case runner.EventNote, runner.EventWaiting:
		t.progress.Log(WithMessage(strings.TrimSpace(name+" "+waitingText(e.Kind)), e.Message))
	}
}

// name returns the displayed name of the event's trial; "" for study-wide events.
func (t *Events) name(e runner.Event) string {
	if e.Run == "" {
		return ""
	}
	return term.Line(TrialName(e.Run, cmp.Or(t.labels[e.Run], e.Arm), e.Seed))
}

// TrialName returns the displayed name of a trial: the start of its id, its label and its seed.
func TrialName(id, label string, seed int64) string {
	name := id[:min(6, len(id))]
	if label != "" {
		name += " " + label
	}
	return fmt.Sprintf("%s seed %d", name, seed)
}

// lossText returns the training loss or, in reinforcement, the reward, as text.
func lossText(loss float64, reinforced bool) string {
	if reinforced {
		return fmt.Sprintf("reward %.3f", -loss)
	}
	return fmt.Sprintf("loss %.3f", loss)
}

// EpochText returns a line with the loss (or reward) and the validation scores of a recorded
// epoch.
func EpochText(e store.Epoch) string {
	return strings.TrimRight(lossText(e.Loss, e.Sampled != nil)+"  "+ScoreText("val", e.Val), " ")
}

func phaseText(phase string) string {
	texts := map[string]string{
		"data": "reading the data", "model": "building the model", "train": "training", "reinforce": "reinforcement",
		"validate": "captioning val", "val": "captioning val", "test": "captioning test", "score": "scoring",
	}
	if text, ok := texts[phase]; ok {
		return text
	}
	return phase
}

func waitingText(kind string) string {
	if kind == runner.EventWaiting {
		return "waiting for trials that other processes are running"
	}
	return ""
}

// WithMessage appends a message to a line; either may be empty.
func WithMessage(line, message string) string {
	switch {
	case message == "":
		return line
	case line == "":
		return message
	default:
		return line + ": " + message
	}
}

// BriefMetrics returns the metrics for short lines: those marked Brief.
func BriefMetrics() []metrics.Entry {
	return slices.DeleteFunc(slices.Clone(metrics.Catalogue), func(e metrics.Entry) bool { return !e.Brief })
}

// ScoreText returns a line with the brief metrics of a split; "" if there are none.
func ScoreText(split string, values map[string]float64) string {
	var parts []string
	for _, m := range BriefMetrics() {
		if v, ok := values[m.Key]; ok {
			parts = append(parts, fmt.Sprintf("%s %.*f", m.Title, m.Digits, m.Scale*v))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return split + " " + strings.Join(parts, "  ")
}

func remaining(e runner.Event) string {
	if e.Remaining <= 0 {
		return ""
	}
	return ", about " + term.Span(e.Remaining.Seconds()) + " left"
}
