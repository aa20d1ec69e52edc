package results

import (
	"fmt"

	"glimpse/internal/store"
)

// A SampledValue is one that the samples of an epoch of reinforcement are watched by, over all
// captions that the epoch has sampled.
type SampledValue struct {
	Key   string
	Title string
	Scale float64 // what it is multiplied by to be shown; 100 for shares
	// Limit is the value beyond which training has gone wrong; 0 for none. Below tells whether
	// that is below it, and Rise whether it is how much the value may rise from the run's first
	// epoch of reinforcement.
	Limit       float64
	Below, Rise bool
	// Wrong says what a value beyond the limit means, after the value.
	Wrong string
}

// SampledValues are all of them, in the order of tables.
var SampledValues = []SampledValue{
	{Key: "reward", Title: "Reward", Scale: 1},
	{Key: "entropy", Title: "Entropy", Scale: 1, Limit: 0.1, Below: true, // nats a word
		Wrong: "nats per word is the entropy of sampling: hardly anything but the likeliest word is tried"},
	{Key: "different", Title: "Different", Scale: 100}, // of an image's samples
	{Key: "length", Title: "Length", Scale: 1, Limit: 3, Below: true,
		Wrong: "words is the mean length of the sampled captions: they are too short"},
	{Key: "empty", Title: "Empty", Scale: 100, Limit: 0.01, Wrong: "% of the sampled captions are empty"},
	{Key: "repeating", Title: "Repeating", Scale: 100, Limit: 0.1, Rise: true,
		Wrong: "% of the sampled captions repeat a word immediately, or a trigram"},
	{Key: "unfinished", Title: "Unfinished", Scale: 100, Limit: 0.05,
		Wrong: "% of the sampled captions are cut off at decode.max_length"},
}

// Text shows a value: shares in percent.
func (v SampledValue) Text(x float64) string {
	if v.Scale == 100 {
		return fmt.Sprintf("%.1f%%", 100*x)
	}
	return fmt.Sprintf("%.2f", x)
}

// FirstSampled are the values of a run's first epoch of reinforcement; nil before it.
func FirstSampled(epochs []store.Epoch) map[string]float64 {
	for _, e := range epochs {
		if e.Sampled != nil {
			return e.Sampled
		}
	}
	return nil
}

// Collapse tells, a clause each, what is wrong with the samples of an epoch, given those of the
// run's first epoch of reinforcement: signs that training goes after the reward at the cost of
// captions. There are none in an epoch that has sampled nothing.
func Collapse(first, sampled map[string]float64) []string {
	var wrong []string
	for _, v := range SampledValues {
		x, known := sampled[v.Key]
		limit := v.Limit
		if v.Rise {
			limit += first[v.Key]
		}
		if known && v.Limit > 0 && (v.Below && x < limit || !v.Below && x > limit) {
			clause := fmt.Sprintf("%.3g %s", v.Scale*x, v.Wrong)
			if v.Rise {
				clause += fmt.Sprintf(", after %.3g %% in the first epoch", v.Scale*first[v.Key])
			}
			wrong = append(wrong, clause)
		}
	}
	return wrong
}
