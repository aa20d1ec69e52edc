package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// A verdict is the answer to the study's question.
type verdict struct {
	Word     string // such as Supported, Inconclusive or No answer yet
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
		return verdict{"Described", "open", r.description()}
	case len(r.answered(c)) > 0:
		return r.provisional(r.judgedByLevel(r.levels(c)), c)
	case len(c.A.Scores) == 0 || len(c.B.Scores) == 0:
		var parts []string
		for _, a := range []*arm{c.B, c.A} {
			if len(a.Scores) == 0 {
				text := fmt.Sprintf("%s has no finished trial of %d", a.Label, len(a.Runs))
				if slices.ContainsFunc(a.Runs, func(run *run) bool { return run.completed() }) {
					text = fmt.Sprintf("%s has no seed that finished at all levels", a.Label)
				}
				parts = append(parts, text)
			} else {
				parts = append(parts, fmt.Sprintf("%s has %s %s (%s)", a.Label, meanText(a.Mean, a.SD), metrics.Title(r.Primary.Key), count(len(a.Scores), "seed")))
			}
		}
		return verdict{"No answer yet", "open", r.found() + strings.Join(parts, "; ") + "."}
	case c.Verdict == "" && r.found() != "":
		return verdict{"Described", "open", r.found() + "Part of this is the luck of its seed: to compare arms, train the best settings with several seeds."}
	case c.Verdict == "":
		return verdict{"No answer yet", "open", r.undecided(c)}
	}
	return r.provisional(r.judged(c), c)
}

// provisional adds to the verdict of a contrast that the study is not finished, unless it says so already.
func (r *result) provisional(v verdict, c *contrast) verdict {
	if finished := r.finished(); finished < len(r.Runs) && !r.sequential() && c.Verdict != stats.Undecided {
		v.Sentence += fmt.Sprintf(" Provisional: %d of %s finished.", finished, count(len(r.Runs), "trial"))
	}
	return v
}

// answered are the levels with a verdict of a contrast that is one of several levels.
func (r *result) answered(c *contrast) []*contrast {
	levels := r.levels(c)
	if len(levels) < 2 {
		return nil
	}
	return slices.DeleteFunc(levels, func(level *contrast) bool { return level.Verdict == "" })
}

// found is the best trial of a search of settings, nothing for another study.
func (r *result) found() string {
	trials := r.searchedTrials(r.Parameters)
	if len(r.Parameters) == 0 || len(trials) == 0 {
		return ""
	}
	soFar := ""
	if r.finished() < len(r.Runs) {
		soFar = " so far"
	}
	return fmt.Sprintf("Best of %s%s: %s with %s in %s. ", count(len(trials), "trial"), soFar, describeTrial(trials[0], r.Parameters),
		pointsText(trials[0].Points), r.Primary.name())
}

// headline is the contrast that answers the question: that of the study's last arm against the
// baseline, of several the last one declared. Without a contrast against the baseline it is the
// last one declared. An interaction answers the question only where nothing else is asked.
func (r *result) headline() *contrast {
	var head *contrast
	rank := -1 // place of the head's arm, if it is against the baseline
	for _, c := range r.Contrasts {
		if c.interacts() {
			continue
		}
		at := -1
		if c.A.Arm == r.Compare.Baseline {
			at = slices.IndexFunc(r.Arms, func(a *arm) bool { return a.Arm == c.B.Arm })
		}
		if at >= rank {
			head, rank = c, at
		}
	}
	if head == nil && len(r.Contrasts) > 0 {
		return r.Contrasts[len(r.Contrasts)-1]
	}
	return head
}

// levels are the contrasts of the same two arms, one for each level of the other
// factors; of a contrast that is not one of several, it alone.
func (r *result) levels(c *contrast) []*contrast {
	var list []*contrast
	for _, other := range r.Contrasts {
		if other.Kind == c.Kind && other.B.Arm == c.B.Arm && other.A.Arm == c.A.Arm {
			list = append(list, other)
		}
	}
	if c.Kind != "level" {
		return []*contrast{c}
	}
	return list
}

// judgedByLevel sums the verdicts of a contrast up over the levels of the other
// factors.
func (r *result) judgedByLevel(levels []*contrast) verdict {
	tally := map[stats.Verdict]int{}
	var parts []string
	for _, c := range levels {
		tally[c.Verdict]++
		word := string(c.Verdict)
		if word == "" {
			word = "no answer yet"
		}
		parts = append(parts, fmt.Sprintf("%s: %s (%s)", c.name(), word, c.summary()))
	}
	first := levels[0]
	pair := fmt.Sprintf("%s with %s in %s", first.B.Arm, first.A.Arm, metrics.Title(r.Primary.Key))
	settled := tally[stats.Supported] + tally[stats.Opposite] + tally[stats.Equivalent]
	var v verdict
	switch {
	case max(tally[stats.Supported], tally[stats.Opposite], tally[stats.Equivalent]) < settled:
		v = verdict{"Depends", "open", fmt.Sprintf("The comparison of %s depends on the other settings. ", pair)}
	case tally[""]+tally[stats.Undecided] > 0 && tally[first.Verdict] < len(levels):
		v = verdict{"Not answered yet", "open", fmt.Sprintf("The comparison of %s is not decided at all of %d levels. ", pair, len(levels))}
	case tally[first.Verdict] < len(levels):
		v = verdict{"Answered in part", "open", fmt.Sprintf("The comparison of %s has an answer at %d of %d levels. "+
			"That it has none at the others does not mean that they differ: an interaction would ask that. ", pair, settled, len(levels))}
	default:
		v = r.judged(first)
		v.Sentence = fmt.Sprintf("The verdict is the same at each of %d levels. ", len(levels))
		if first.Verdict == stats.Exploratory {
			v.Sentence = r.lateText() + " These results confirm nothing. "
		}
	}
	v.Sentence += strings.Join(few(parts, mostPhrases), "; ") + "."
	return v
}

// judged is the verdict of a contrast that was tested.
func (r *result) judged(c *contrast) verdict {
	name := metrics.Title(r.Primary.Key)
	numbers := fmt.Sprintf("%s (%s split, points ×100, mean ± SD over %s); difference %s, %s%s%s",
		c.means(), r.Primary.Split, seedsOf(c), signed(c.Difference, 2), r.bounds(c), pValue(c.Result.PHolm), r.adjusted(c))
	b, a := c.B.Label, c.A.Label
	if c.Kind == "average" {
		name += ", averaged over the other factors"
	}
	higher := b + " scores higher than " + a + " in " + name
	lower := b + " scores lower than " + a + " in " + name
	same := b + " and " + a + " cannot be told apart in " + name
	if c.interacts() {
		of := name + " (" + c.name() + ")"
		higher, lower = "The effect is larger in "+of, "The effect is smaller in "+of
		same = "No change in the effect can be seen in " + of
	}
	switch c.Verdict {
	case stats.Supported:
		return verdict{"Supported", "supported", higher + ": " + numbers + "."}
	case stats.Opposite:
		return verdict{"Opposite", "opposite", lower + ": " + numbers + "."}
	case stats.Equivalent:
		return verdict{"Equivalent", "equivalent", fmt.Sprintf("%s and %s do not differ in %s by an amount that matters: %s. "+
			"The %s interval of the difference, %s, lies within ±%s, the smallest effect that matters.",
			b, a, name, numbers, twiceAlpha(r.Analysis.Options.Alpha),
			interval(100*c.Result.EquivalenceLow, 100*c.Result.EquivalenceHigh, 2), pointsText(r.MinimumEffect))}
	case stats.Undecided:
		return verdict{"Undecided", "open", fmt.Sprintf("%s in %s is not decided yet: %s. %s",
			c.name(), name, numbers, r.toCome(c))}
	case stats.Exploratory:
		return verdict{"Exploratory, declared after scoring", "open", fmt.Sprintf("%s The result in %s is exploratory: %s, %s.",
			r.lateText(), name, c.name(), numbers)}
	}
	found := same
	switch {
	case c.Low > 0 && !c.interacts():
		found = b + " scored higher than " + a + " in " + name + ", but the study cannot confirm it"
	case c.High < 0 && !c.interacts():
		found = b + " scored lower than " + a + " in " + name + ", but the study cannot confirm it"
	}
	return verdict{"Inconclusive", "open", found + ": " + numbers + ". " + r.reasons(c)}
}

// bounds is the interval of a contrast in words, nothing where it has none.
func (r *result) bounds(c *contrast) string {
	if !finite(c.Low) || !finite(c.High) {
		return ""
	}
	return fmt.Sprintf("%s interval %s to %s, ", r.Level, fixed(c.Low, 2), fixed(c.High, 2))
}

// toCome says what an undecided contrast waits for.
func (r *result) toCome(c *contrast) string {
	if r.sequential() {
		return fmt.Sprintf("The next look is at %s per arm.", count(c.Result.NextLook, "seed"))
	}
	return fmt.Sprintf("The verdict waits for %s of this contrast to end.", count(r.pending(c), "declared trial"))
}

// means are those of the two arms, in a sequential study over the seeds of the
// look that counts.
func (c *contrast) means() string {
	a, b := c.seeds()
	return meanText(meanSD(c.B.Scores.points()[:b])) + " against " + meanText(meanSD(c.A.Scores.points()[:a]))
}

// twiceAlpha is the confidence of the interval of two one-sided tests at α.
func twiceAlpha(alpha float64) string { return number(100*(1-2*alpha)) + "\u00a0%" }

// lateText says that the study was declared when scores were known already.
func (r *result) lateText() string {
	d := r.Study.Declared
	return fmt.Sprintf("%d of the study’s %s had been scored when it was declared on %s (UTC).",
		d.Known, count(len(d.Trials), "trial"), day(d.Declared))
}

// sequential says whether the study looks at its results on the way.
func (r *result) sequential() bool { return r.Compare.Stop.Active() }

// undecided describes a difference that one seed in an arm leaves untested.
func (r *result) undecided(c *contrast) string {
	text := fmt.Sprintf("%s scores %s and %s %s in %s (%s split, points ×100, %s): a difference of %s",
		c.B.Label, meanText(c.B.Mean, c.B.SD), c.A.Label, meanText(c.A.Mean, c.A.SD),
		metrics.Title(r.Primary.Key), r.Primary.Split, seedsOf(c), signed(c.Difference, 2))
	switch {
	case len(c.A.Scores) > 1 && len(c.B.Scores) > 1 && c.Result != nil:
		return text + " that was not tested: " + c.Result.Untested + "."
	case len(c.A.Scores) > 1 && len(c.B.Scores) > 1:
		return text + " that was not tested, since the captions of the runs are not in the database or not scored."
	}
	return text + " that could be due to the seed. Train several seeds of each arm; at least five are advised."
}

// reasons says what kept a contrast from being decided.
func (r *result) reasons(c *contrast) string {
	alpha := r.Analysis.Options.Alpha
	var why []string
	if c.Low <= 0 && c.High >= 0 {
		why = append(why, "the interval includes 0")
	}
	if c.Result.PHolm >= alpha {
		text := fmt.Sprintf("p is not below %s", number(alpha))
		if c.Result.SmallestP >= alpha {
			text += fmt.Sprintf(" (and cannot be: with %s the smallest possible p is %s)", seedsOf(c), pNumber(c.Result.SmallestP))
		}
		why = append(why, text)
	}
	if outside := c.Low > 0 || c.High < 0; outside && c.Result.PIntervalHolm >= alpha {
		why = append(why, fmt.Sprintf("the interval's own test, adjusted over the contrasts, gives p = %s", pNumber(c.Result.PIntervalHolm)))
	} else if outside && c.Result.PCarefulHolm >= alpha {
		why = append(why, fmt.Sprintf("one side's seeds spread more than twice as wide as the other's, and the test for that gives p = %s",
			pNumber(c.Result.PCarefulHolm)))
	}
	if c.Difference < r.MinimumEffect && c.Difference > -r.MinimumEffect {
		why = append(why, fmt.Sprintf("the difference is below the declared minimum of %s", pointsText(r.MinimumEffect)))
	}
	text := sentence(term.Enumerate(why))
	if d := c.Result.DetectableEffect; d != nil {
		text += fmt.Sprintf(" With these spreads, the study detects a true difference of %s in four of five cases.", pointsText(*d))
	}
	return text
}

// adjusted says what p is of, and over how many contrasts it was adjusted.
func (r *result) adjusted(c *contrast) string {
	text := "permutation of seeds"
	if len(c.Result.Looks) > 0 {
		text += ", over all looks so far"
	}
	if n := len(r.Contrasts); n > 1 {
		text += fmt.Sprintf(", Holm over %d contrasts", n)
	}
	return " (" + text + ")"
}

// description describes a study without a declared comparison: its arms by their means or, if it has
// one alone, that.
func (r *result) description() string {
	text := "The study declares no comparison."
	if len(r.Compare.Contrasts) > 0 {
		text = "None of the declared contrasts has trials on both sides."
	}
	metric := fmt.Sprintf("%s on the %s split", metrics.Title(r.Primary.Key), r.Primary.Split)
	arms := slices.DeleteFunc(slices.Clone(r.Arms), func(a *arm) bool { return len(a.Scores) == 0 })
	best := slices.MaxFunc(arms, func(a, b *arm) int { return cmp.Compare(a.Mean, b.Mean) })
	score := fmt.Sprintf("%s points (×100, %s)", meanText(best.Mean, best.SD), count(len(best.Scores), "seed"))
	if len(r.Arms) == 1 {
		text += fmt.Sprintf(" %s: %s", metric, score)
		if len(r.Ensembles) == 1 && !r.Ensembles[0].Stale {
			if together, has := r.Ensembles[0].Metrics[r.Primary.Key]; has {
				text += fmt.Sprintf("; the seeds together: %s", fixed(100*together, 1))
			}
		}
		return text + "."
	}
	text += fmt.Sprintf(" Highest mean %s: %s with %s.", metric, best.Label, score)
	if len(arms) > 1 {
		advice := "to choose a setting, use the validation split"
		if r.Primary.Split == "val" {
			advice = "score the chosen setting on the test split, with new seeds"
		}
		text += fmt.Sprintf(" The highest of %d is optimistic: %s.", len(arms), advice)
	}
	return text
}

// seedsOf says how many seeds each side of a contrast has, in a sequential study
// at the look that counts.
func seedsOf(c *contrast) string {
	a, b := c.seeds()
	if a == b {
		return count(a, "seed") + " each"
	}
	return fmt.Sprintf("%d and %s", b, count(a, "seed"))
}

// seeds are the numbers of seeds that the contrast is computed from. A sequential study does not use
// those after the look that decided it.
func (c *contrast) seeds() (a, b int) {
	a, b = len(c.A.Scores), len(c.B.Scores)
	if c.Result != nil && len(c.Result.Looks) > 0 {
		return min(a, c.Result.NA), min(b, c.Result.NB)
	}
	return a, b
}

// early says whether the contrast was decided at a look before all finished seeds.
func (c *contrast) early() bool {
	a, b := c.seeds()
	return a < len(c.A.Scores) || b < len(c.B.Scores)
}

// states counts the runs that have not completed: "1 running, 8 queued".
func (r *result) states() string {
	var parts []string
	for _, same := range r.byState(r.Runs) {
		if same.state != store.Completed {
			parts = append(parts, fmt.Sprintf("%d %s", len(same.runs), same.state))
		}
	}
	if len(parts) == 0 && len(r.Runs) > 0 {
		return fmt.Sprintf("%d completed without the score %s.%s", len(r.Runs), r.Primary.Split, r.Primary.Key)
	}
	return strings.Join(parts, ", ")
}

// sentence makes text begin with a capital and end with a full stop, or what it
// has in its place.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if strings.ContainsAny(text[len(text)-1:], ".?!") {
		return text
	}
	return text + "."
}
