package experiments

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// count is a captioner's parameters as the design draws it, with a vocabulary
// of 3,000 words and features of 1,280.
func count(s Settings) int64 {
	const vocabulary, features = 3000, 1280
	e, h, a := int64(s.Model.Embedding), int64(s.Model.Hidden), int64(s.Model.AttentionSize)
	n := vocabulary*e + (features+1)*e + (features+1)*h + 3*h*(2*e+h+2) + (h+1)*vocabulary
	if s.Model.Attention != "none" {
		n += (features + 1) * h
	}
	if s.Model.Attention == "soft" || s.Model.Attention == "adaptive" {
		n += 2*h*a + a
	}
	if s.Model.Attention == "adaptive" {
		n += (2*e+1)*h + (h+1)*h + h*a
	}
	return n
}

const matched = `study: a
sweep: {over: {model.attention: [none, uniform, soft, adaptive], model.embedding: [64, 256], seed: [1, 2]}}
compare:
  arms: model.attention
  baseline: none
  primary: {metric: test.cider, minimum_effect: 1}
  match_parameters: 2%
`

func TestMatchParameters(t *testing.T) {
	s := load(t, matched)
	before, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	after, err := s.Plan()
	if err != nil || len(after) != 16 {
		t.Fatalf("%d trials (%v), want 16", len(after), err)
	}
	largest := map[int]int64{}
	for _, trial := range after {
		largest[trial.Settings.Model.Embedding] = max(largest[trial.Settings.Model.Embedding], trial.Parameters)
	}
	for i, trial := range after {
		model := trial.Settings.Model
		if got := count(trial.Settings); got != trial.Parameters {
			t.Errorf("trial %s says %d parameters, has %d", trial.ID, trial.Parameters, got)
		}
		if off := math.Abs(float64(trial.Parameters)/float64(largest[model.Embedding]) - 1); off > 0.02 {
			t.Errorf("arm %s is %.1f%% off the largest", trial.Arm, 100*off)
		}
		widened := trial.ID != before[i].ID
		if widened != (model.Hidden > 512) || widened != (model.Attention != "adaptive") {
			t.Errorf("arm %s has hidden %d, id %s after %s", trial.Arm, model.Hidden, trial.ID, before[i].ID)
		}
		if model.Hidden%8 != 0 {
			t.Errorf("arm %s has hidden %d, want a multiple of 8 where one will do", trial.Arm, model.Hidden)
		}
	}
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Plan(); again[0].ID != after[0].ID {
		t.Error("matching twice widens twice")
	}
}

func TestMatchParametersOff(t *testing.T) {
	s := load(t, matched, "compare.match_parameters=off")
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range trials {
		if trial.Settings.Model.Hidden != 512 || trial.Parameters != count(trial.Settings) {
			t.Errorf("arm %s has hidden %d and %d parameters", trial.Arm, trial.Settings.Model.Hidden, trial.Parameters)
		}
	}
}

func TestMatchParametersZip(t *testing.T) {
	s := load(t, `study: a
sweep: {method: zip, over: {model.attention: [none, soft], train.optimizer.lr: [1e-3, 5e-4], seed: [1, 2]}}
compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}, match_parameters: 0.1%}
`)
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	trials, _ := s.Plan()
	none, soft := trials[0], trials[1]
	if off := math.Abs(float64(none.Parameters)/float64(soft.Parameters) - 1); off > 0.001 || none.Settings.Model.Hidden <= 512 {
		t.Errorf("none has %d parameters (hidden %d), soft %d", none.Parameters, none.Settings.Model.Hidden, soft.Parameters)
	}
}

func TestMatchParametersFails(t *testing.T) {
	s := load(t, matched)
	var e *Error
	err := s.MatchParameters(func(s Settings) int64 { // large steps
		if s.Model.Attention == "none" {
			return 100 * int64(s.Model.Hidden/512)
		}
		return 170
	})
	if !errors.As(err, &e) || e.Line != 7 || !strings.Contains(e.Msg, "arm none cannot get closer than 200 parameters (model.hidden 1024) to the largest arm's 170, 17.6% off") {
		t.Errorf("MatchParameters says %v", err)
	}
	if err := s.MatchParameters(func(Settings) int64 { return 0 }); err == nil {
		t.Error("a count of 0 is accepted")
	}
	if trials, err := s.Plan(); err != nil || trials[0].Settings.Model.Hidden != 512 {
		t.Errorf("a failed match leaves a mark: %v", err)
	}
}
