package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// A verdict is the answer to the study's question.
type verdict struct {
	Word     string // Supported, Opposite, Inconclusive, No answer yet, Described
	Class    string // of the page's style
	Sentence string
}

// verdict answers the question by the headline contrast, or says why there is
// no answer.
func (r *result) verdict() verdict {
	finished := r.finished()
	c := r.headline()
	switch {
	case len(r.Runs) == 0:
		return verdict{"No answer yet", "open", "The study has no trials."}
	case finished == 0:
		return verdict{"No answer yet", "open",
			fmt.Sprintf("None of the %s has finished: %s.", count(len(r.Runs), "trial"), r.states())}
	case c == nil:
		return verdict{"Described", "open", r.ranking()}
	case len(c.A.Scores) == 0 || len(c.B.Scores) == 0:
		var parts []string
		for _, a := range []*arm{c.B, c.A} {
			if len(a.Scores) == 0 {
				parts = append(parts, fmt.Sprintf("%s has no finished trial of %d", a.Label, len(a.Runs)))
			} else {
				parts = append(parts, fmt.Sprintf("%s stands at %s %s (%s)", a.Label, meanText(a.Mean, a.SD), metricName(r.Primary.Key), count(len(a.Scores), "seed")))
			}
		}
		return verdict{"No answer yet", "open", r.found() + strings.Join(parts, "; ") + "."}
	case c.Verdict == "" && r.found() != "":
		return verdict{"Described", "open", r.found() + "That is the luck of its seed too: to compare arms, train the best settings with several seeds."}
	case c.Verdict == "":
		return verdict{"No answer yet", "open", r.undecided(c)}
	}
	v := r.judged(c)
	if finished < len(r.Runs) {
		v.Sentence += fmt.Sprintf(" Provisional: %d of %s finished.", finished, count(len(r.Runs), "trial"))
	}
	return v
}

// found is the best trial of a search of settings, nothing for another study.
func (r *result) found() string {
	trials := r.searchedTrials(r.Parameters)
	if len(r.Parameters) == 0 || len(trials) == 0 {
		return ""
	}
	return fmt.Sprintf("Best of %s so far: %s with %s in %s. ", count(len(trials), "trial"), describeTrial(trials[0], r.Parameters),
		pointsText(trials[0].Points), r.Primary.name())
}

// headline is the contrast that answers the question: the last of those
// declared against the baseline, else the last one declared.
func (r *result) headline() *contrast {
	for _, c := range slices.Backward(r.Contrasts) {
		if c.A.Runs[0].Arm == r.Compare.Baseline {
			return c
		}
	}
	if len(r.Contrasts) == 0 {
		return nil
	}
	return r.Contrasts[len(r.Contrasts)-1]
}

// judged is the verdict of a contrast that was tested.
func (r *result) judged(c *contrast) verdict {
	numbers := fmt.Sprintf("%s against %s (%s split, points ×100, mean ± SD over %s); difference %s, %s interval %s to %s, %s%s",
		meanText(c.B.Mean, c.B.SD), meanText(c.A.Mean, c.A.SD), r.Primary.Split, seedsOf(c),
		signed(c.Difference, 2), r.Level, fixed(c.Low, 2), fixed(c.High, 2), pValue(c.Result.PHolm), r.adjusted())
	name := metricName(r.Primary.Key)
	switch c.Verdict {
	case stats.Supported:
		return verdict{"Supported", "supported", fmt.Sprintf("%s scores higher than %s in %s: %s.", c.B.Label, c.A.Label, name, numbers)}
	case stats.Opposite:
		return verdict{"Opposite", "opposite", fmt.Sprintf("%s scores lower than %s in %s: %s.", c.B.Label, c.A.Label, name, numbers)}
	}
	found := "%s and %s cannot be told apart in %s: %s. %s"
	switch {
	case c.Low > 0:
		found = "%s scored higher than %s in %s, but not so that the study can confirm it: %s. %s"
	case c.High < 0:
		found = "%s scored lower than %s in %s, but not so that the study can confirm it: %s. %s"
	}
	return verdict{"Inconclusive", "open", fmt.Sprintf(found, c.B.Label, c.A.Label, name, numbers, r.reasons(c))}
}

// undecided describes a difference that one seed in an arm leaves untested.
func (r *result) undecided(c *contrast) string {
	text := fmt.Sprintf("%s scores %s and %s %s in %s (%s split, points ×100, %s): a difference of %s",
		c.B.Label, meanText(c.B.Mean, c.B.SD), c.A.Label, meanText(c.A.Mean, c.A.SD),
		metricName(r.Primary.Key), r.Primary.Split, seedsOf(c), signed(c.Difference, 2))
	if len(c.A.Scores) > 1 && len(c.B.Scores) > 1 {
		return text + " that was not tested, since the captions of the runs are not in the database or not scored."
	}
	return text + " that one seed cannot tell from the luck of a seed. Train several seeds of each arm: five or more are advised."
}

// reasons says what kept a contrast from being decided.
func (r *result) reasons(c *contrast) string {
	alpha := r.Analysis.Options.Alpha
	var why []string
	if c.Low <= 0 && c.High >= 0 {
		why = append(why, "the interval holds 0")
	}
	if c.Result.PHolm >= alpha {
		text := fmt.Sprintf("p is not below %s", number(alpha))
		if c.Result.SmallestP >= alpha {
			text += fmt.Sprintf(" (nor can it be: with %s the smallest is %s)", seedsOf(c), pNumber(c.Result.SmallestP))
		}
		why = append(why, text)
	}
	if c.Result.PIntervalHolm >= alpha && (c.Low > 0 || c.High < 0) {
		why = append(why, fmt.Sprintf("the interval's own test, adjusted over the contrasts, gives p = %s", pNumber(c.Result.PIntervalHolm)))
	}
	if c.Difference < r.MinimumEffect && c.Difference > -r.MinimumEffect {
		why = append(why, fmt.Sprintf("the difference is below the declared minimum of %s", pointsText(r.MinimumEffect)))
	}
	text := sentence(enumerate(why))
	if d := c.Result.DetectableEffect; d != nil {
		text += fmt.Sprintf(" With these spreads the study finds a true difference of %s in four cases of five.", pointsText(*d))
	}
	return text
}

// adjusted says over how many contrasts p was adjusted.
func (r *result) adjusted() string {
	tested := 0
	for _, c := range r.Contrasts {
		if c.Result != nil {
			tested++
		}
	}
	if tested < 2 {
		return " (permutation of seeds)"
	}
	return fmt.Sprintf(" (permutation of seeds, Holm over %d contrasts)", tested)
}

// ranking describes a study without a declared comparison.
func (r *result) ranking() string {
	arms := slices.DeleteFunc(slices.Clone(r.Arms), func(a *arm) bool { return len(a.Scores) == 0 })
	best := slices.MaxFunc(arms, func(a, b *arm) int { return cmp.Compare(a.Mean, b.Mean) })
	text := "The study declares no comparison."
	if len(r.Compare.Contrasts) > 0 {
		text = "None of the declared contrasts has trials on both sides."
	}
	text += fmt.Sprintf(" Highest mean %s on the %s split: %s with %s points (×100, %s).", metricName(r.Primary.Key),
		r.Primary.Split, best.Label, meanText(best.Mean, best.SD), count(len(best.Scores), "seed"))
	if len(arms) > 1 {
		text += fmt.Sprintf(" The highest of %d flatters: to choose a setting, use the validation split.", len(arms))
	}
	return text
}

// seedsOf says how many seeds each side of a contrast has.
func seedsOf(c *contrast) string {
	a, b := len(c.A.Scores), len(c.B.Scores)
	if a == b {
		return count(a, "seed") + " each"
	}
	return fmt.Sprintf("%d and %s", b, count(a, "seed"))
}

// states counts the runs that have not completed: "1 running, 8 queued".
func (r *result) states() string {
	counts := map[string]int{}
	for _, run := range r.Runs {
		counts[run.State]++
	}
	var parts []string
	for _, state := range []string{store.Running, store.Queued, store.Interrupted, store.Failed, store.Pruned} {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	if n := counts[store.Completed]; n > 0 && len(parts) == 0 {
		return fmt.Sprintf("%d completed without the score %s.%s", n, r.Primary.Split, r.Primary.Key)
	}
	return strings.Join(parts, ", ")
}

// sentence makes text begin with a capital and end with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first := strings.ToUpper(text[:1])
	return first + text[1:] + "."
}
