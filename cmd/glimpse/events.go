package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"glimpse/metrics"
	"glimpse/runner"
)

// eventText shows events to people, as bars and lines.
type eventText struct {
	p      *progress
	labels map[string]string // trial id → what distinguishes it from the others; nil shows arms
}

func (t *eventText) close() { t.p.close() }

func (t *eventText) event(e runner.Event) {
	name := t.name(e)
	switch e.Kind {
	case runner.EventPlanned:
		t.p.log(fmt.Sprintf("%d of %d trials are complete%s", e.Done, e.Total, remaining(e)))
	case runner.EventFeatures:
		t.p.update("features", e.Done, e.Total, e.Message)
		if e.Done >= e.Total {
			t.p.finish("features", "")
		}
	case runner.EventStarted:
		line := name + " started"
		if e.Attempt > 1 {
			line = fmt.Sprintf("%s taken up again, attempt %d", name, e.Attempt)
		}
		t.p.log(line)
	case runner.EventPhase:
		t.p.update(name, 0, 0, phaseText(e.Phase))
	case runner.EventStep:
		t.p.update(name, e.Step, e.Steps, fmt.Sprintf("epoch %d/%d  loss %.3f", e.Epoch, e.Epochs, e.Loss))
	case runner.EventCaptioning:
		t.p.update(name, e.Done, e.Total, "captions of "+e.Phase)
	case runner.EventEpoch:
		t.p.log(fmt.Sprintf("%s epoch %d/%d  loss %.3f  %s", name, e.Epoch, e.Epochs, e.Loss, scoreText("val", e.Metrics)))
	case runner.EventSaved:
		t.p.log(fmt.Sprintf("%s checkpoint saved in epoch %d", name, e.Epoch))
	case runner.EventCompleted:
		t.p.finish(name, strings.TrimRight(fmt.Sprintf("%s complete  %s  %d of %d trials done%s",
			name, scoreText(e.Phase, e.Metrics), e.Done, e.Total, remaining(e)), " "))
	case runner.EventFailed, runner.EventInterrupted, runner.EventPruned, runner.EventLost:
		t.p.finish(name, withMessage(name+" "+e.Kind, e.Message))
	case runner.EventNote, runner.EventWaiting:
		t.p.log(withMessage(strings.TrimSpace(name+" "+waitingText(e.Kind)), e.Message))
	}
}

// name names a trial on the screen; study-wide events have none.
func (t *eventText) name(e runner.Event) string {
	if e.Run == "" {
		return ""
	}
	name := e.Run[:min(6, len(e.Run))]
	if label := cmp.Or(t.labels[e.Run], e.Arm); label != "" {
		name += " " + label
	}
	return fmt.Sprintf("%s seed %d", name, e.Seed)
}

func phaseText(phase string) string {
	texts := map[string]string{
		"data": "reading the data", "model": "making the model", "train": "training",
		"validate": "captions of val", "val": "captions of val", "test": "captions of test", "score": "scoring",
	}
	if text, ok := texts[phase]; ok {
		return text
	}
	return phase
}

func waitingText(kind string) string {
	if kind == runner.EventWaiting {
		return "waiting for trials that other processes work on"
	}
	return ""
}

func withMessage(line, message string) string {
	switch {
	case message == "":
		return line
	case line == "":
		return message
	default:
		return line + ": " + message
	}
}

// briefMetrics are the metrics that people ask for first.
func briefMetrics() []metrics.Entry {
	return slices.DeleteFunc(slices.Clone(metrics.Catalogue), func(e metrics.Entry) bool { return !e.Brief })
}

// scoreText shows those metrics on a line.
func scoreText(split string, values map[string]float64) string {
	var parts []string
	for _, m := range briefMetrics() {
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
	return ", about " + span(e.Remaining.Seconds()) + " to go"
}
