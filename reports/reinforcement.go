package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/results"
)

// reinforcementText says how runs were trained by rewards, what came of it, and what went wrong;
// "" where none was.
func (r *result) reinforcementText() string {
	var ways []string // each once
	var runs, gained int
	var wrong []string
	for _, run := range r.Runs {
		begin := slices.IndexFunc(run.Epochs, epoch.reinforced)
		if begin < 0 {
			continue
		}
		runs++
		if settings, err := results.Settings(run.Run.Run); err == nil {
			if way := reinforcementWay(settings.Train); !slices.Contains(ways, way) {
				ways = append(ways, way)
			}
		}
		first := run.Epochs[begin].Sampled.all()
		for _, e := range run.Epochs[begin:] {
			if e.Epoch == run.BestEpoch {
				gained++
			}
			for _, sign := range results.Collapse(first, e.Sampled.all()) {
				wrong = append(wrong, fmt.Sprintf("run %s, epoch %d: %s", run.ID, e.Epoch, sign))
			}
		}
	}
	if runs == 0 {
		return ""
	}
	text := "Self-critical training (Rennie et al. 2017) starts from the best cross-entropy epoch: " +
		strings.Join(few(ways, mostPhrases), "; ") + ". "
	switch gained {
	case runs:
		text += "In all of these runs, one of its epochs was selected on the validation split."
	case 0:
		text += "In none of the " + count(runs, "run") + " was one of its epochs better on the validation split: the best cross-entropy epoch was kept."
	default:
		text += fmt.Sprintf("In %d of %s, one of its epochs was selected on the validation split; in the others, the best cross-entropy epoch was kept.",
			gained, count(runs, "run"))
	}
	if len(wrong) > 0 {
		text += " Signs of collapse: " + strings.Join(few(wrong, mostPhrases), "; ") + "."
	}
	return text
}

// reinforcementWay says how reinforcement is done.
func reinforcementWay(t experiments.Train) string {
	r := t.Reinforce
	reward := map[string]string{
		"cider_d": "CIDEr-D", "bleu4": "BLEU-4", "weighted": fmt.Sprintf("%g × CIDEr-D + %g × BLEU-4", r.Weights.CIDErD, r.Weights.BLEU4),
	}[r.Metric]
	baseline := "minus the mean reward of the image's other samples (Luo 2020)"
	if r.Baseline == "greedy" {
		baseline = "minus that of the image's greedy caption"
	}
	rate := fmt.Sprintf("%g", r.LR)
	if r.Schedule == "cosine" {
		rate += " that falls to 0 along a cosine"
	}
	return fmt.Sprintf("%s at a learning rate of %s, with %s per image and step, each rewarded by %s against the training references, including </s>, %s",
		count(r.Epochs, "epoch"), rate, count(r.Samples, "sampled caption"), reward, baseline)
}

// reinforcementFigures are the curves of what reinforcement samples, and of the learning rate,
// which it changes; none where nothing was so trained.
func (r *result) reinforcementFigures() []figure {
	if len(r.sampledKeys()) == 0 {
		return nil
	}
	sampled := func(key string) func(epoch) (float64, bool) {
		return func(e epoch) (float64, bool) { return e.Sampled.get(key) }
	}
	var figures []figure
	for _, c := range []struct {
		name, title, unit string
		value             func(epoch) (float64, bool)
	}{
		{"reward", "Reward of sampled captions by epoch", "mean reward", sampled("reward")},
		{"sampled-entropy", "Entropy of the sampling distribution by epoch", "nats per word", sampled("entropy")},
		{"learning-rate", "Learning rate at the end of each epoch", "learning rate (log₁₀)", func(e epoch) (float64, bool) { return math.Log10(e.LR), true }},
	} {
		if f, ok := curvesFigure(r, c.name, c.title, c.unit, c.value); ok {
			figures = append(figures, f)
		}
	}
	return figures
}

// all are the values as a map.
func (v values) all() map[string]float64 {
	m := make(map[string]float64, len(v.keys()))
	for i, key := range v.keys() {
		m[key] = v.of[i]
	}
	return m
}
