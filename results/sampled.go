package results

import "fmt"

// A SampledValue is one that the samples of an epoch of reinforcement are watched by, over all captions that the epoch has
// sampled.
type SampledValue struct {
	Key   string
	Title string
	Scale float64 // what it is multiplied by to be shown; 100 for shares
	// Limit is the value beyond which training has gone wrong, and Below whether that is below it; 0 for none.
	Limit float64
	Below bool
	// Wrong says what a value beyond the limit means, after the value.
	Wrong string
}

// SampledValues are all of them, in the order of tables.
var SampledValues = []SampledValue{
	{Key: "reward", Title: "Reward", Scale: 1},
	{Key: "entropy", Title: "Entropy", Scale: 1, Limit: 0.1, Below: true, // nats a word
		Wrong: "nats a word is the entropy of what captions are sampled from: hardly anything but the likeliest word is tried"},
	{Key: "different", Title: "Different", Scale: 100}, // of an image's samples
	{Key: "length", Title: "Length", Scale: 1, Limit: 3, Below: true,
		Wrong: "words is the mean length of the sampled captions: they have become stumps"},
	{Key: "empty", Title: "Empty", Scale: 100, Limit: 0.01, Wrong: "% of the sampled captions are empty"},
	{Key: "repeating", Title: "Repeating", Scale: 100, Limit: 0.1,
		Wrong: "% of the sampled captions say a word twice in a row, or three words in a row twice"},
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

// Collapse tells, a clause each, what is wrong with the samples of an epoch: signs that training goes after the reward at
// the cost of captions. There are none in an epoch that has sampled nothing.
func Collapse(sampled map[string]float64) []string {
	var wrong []string
	for _, v := range SampledValues {
		x, known := sampled[v.Key]
		if known && v.Limit > 0 && (v.Below && x < v.Limit || !v.Below && x > v.Limit) {
			wrong = append(wrong, fmt.Sprintf("%.3g %s", v.Scale*x, v.Wrong))
		}
	}
	return wrong
}
