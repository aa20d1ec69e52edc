package experiments

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/metrics"
)

// checkCompare checks what is compared against what is swept, and brings the names of arms into
// the sweep's form.
func (s *Study) checkCompare(found *problems) {
	c := &s.Compare
	if !c.Compares() {
		if s.onlyEnsembles() {
			s.checkEnsemble(found)
		} else if s.given("compare") {
			found.add(s.at("compare"), "compare.arms is missing: the swept key whose values are compared")
		}
		return
	}
	before := len(found.list)
	if len(c.Named) > 0 {
		s.checkNamed(found)
	} else {
		s.checkSweptArms(found)
	}
	if len(found.list) > before {
		return
	}
	s.checkArms(s.arms(), found)
	if len(s.factors()) == 0 {
		c.Factors = "" // there is nothing to average over
	}
	s.checkInteractions(found)
	s.checkStop(found)
	s.checkEnsemble(found)
	if !s.given("compare.primary.metric") || !s.given("compare.primary.minimum_effect") {
		found.add(s.at("compare.primary"), "compare.primary needs metric and minimum_effect, such as {metric: test.cider, minimum_effect: 1.0}: "+
			"both are declared before the test split is scored")
	}
	if c.MatchParameters > 0 && slices.Contains(c.ArmPaths(), "model.hidden") {
		found.add(s.at("compare.match_parameters"),
			"compare.match_parameters changes model.hidden, in which the arms differ; remove it or set it to off")
	}
	metric := s.at("compare.primary.metric")
	split, key, _ := metrics.ParseKey(c.Primary.Metric)
	if split == "val" && !s.Data.Validates() {
		found.add(metric, "compare.primary.metric is %s, but data.split %s has no validation pictures", c.Primary.Metric, s.Data.Split)
	}
	spared := !s.varies("decode.split") && s.Decode.FinalSplit() == "val"
	if split == "test" && spared {
		found.add(metric, "compare.primary.metric is %s, but with decode.split val the test split is not scored; use val.%s",
			c.Primary.Metric, key)
	}
	captioned := s.varies("decode.split") || spared
	if split == "val" && !captioned {
		found.add(metric, "compare.primary.metric is %s, but the captions compared are those of the test split; "+
			"use test.%s, or set decode.split: val",
			c.Primary.Metric, key)
	}
}

// onlyEnsembles reports whether the study asks for ensembles, and for no comparison.
func (s *Study) onlyEnsembles() bool {
	return s.given("compare.ensemble") && !slices.ContainsFunc(children("compare"), func(name string) bool {
		return name != "ensemble" && s.given("compare."+name)
	})
}

// checkSweptArms checks that the arms are the values of a listed key.
func (s *Study) checkSweptArms(found *problems) {
	c := &s.Compare
	var swept []string
	for _, a := range s.Sweep.Over {
		swept = append(swept, a.Path)
	}
	at := s.at("compare.arms")
	switch a := s.Sweep.axis(c.Arms); {
	case a == nil:
		found.add(at,
			"compare.arms is %q, which is not swept%s (swept: %s)",
			printable(c.Arms, 60), Suggest(c.Arms, swept), orNothing(swept))
	case c.Arms == "seed":
		found.add(at, "compare.arms cannot be seed: arms are averaged over seeds")
	case a.Draw != "":
		found.add(at, "compare.arms is %s, which is drawn at random; list its values, so that every arm gets the same samples", c.Arms)
	case len(s.arms()) < 2:
		found.add(at, "compare.arms is %s, but sweep.over has only one value of it; a comparison needs at least two", c.Arms)
	}
}

// checkArms checks that baseline and contrasts name arms.
func (s *Study) checkArms(arms []string, found *problems) {
	c := &s.Compare
	isArm := func(name string, at place, who string) bool {
		known := slices.Contains(arms, name)
		if !known {
			found.add(at,
				"%s %q, which is not an arm%s (arms: %s)",
				who, printable(name, 60), suggest(name, arms), strings.Join(arms, ", "))
		}
		return known
	}
	c.Baseline = s.armName(c.Baseline)
	based := false
	if s.given("compare.baseline") {
		based = isArm(c.Baseline, s.at("compare.baseline"), "compare.baseline is")
	} else {
		found.add(s.at("compare"),
			"compare.baseline is missing: the arm that the others are compared with (arms: %s)", strings.Join(arms, ", "))
	}
	if based && !s.given("compare.contrasts") {
		for _, arm := range arms {
			if arm != c.Baseline {
				c.Contrasts = append(c.Contrasts, [2]string{arm, c.Baseline})
			}
		}
	}
	for i, pair := range c.Contrasts {
		pair = [2]string{s.armName(pair[0]), s.armName(pair[1])}
		c.Contrasts[i] = pair
		at := s.at(contrastPath(i))
		known := isArm(pair[0], at, "compare.contrasts names") && isArm(pair[1], at, "compare.contrasts names")
		switch reverse := [2]string{pair[1], pair[0]}; {
		case known && pair[0] == pair[1]:
			found.add(at, "compare.contrasts compares %s with itself", pair[0])
		case known && (slices.Contains(c.Contrasts[:i], pair) || slices.Contains(c.Contrasts[:i], reverse)):
			found.add(at, "compare.contrasts lists %s against %s twice", pair[0], pair[1])
		}
	}
}

// armName returns the name of an arm in the sweep's form: 0.0005 for 5e-4.
func (s *Study) armName(name string) string {
	if s.Compare.Arms == "" {
		return name
	}
	k := find(s.Compare.Arms)
	if text, wrong := k.parse(&value{kind: scalar, text: name, tag: k.tag()}); wrong == "" {
		return text
	}
	return name
}

// checkInteractions checks that each interaction is between the arms and a factor, and puts the
// arms first.
func (s *Study) checkInteractions(found *problems) {
	c, factors := &s.Compare, s.factors()
	isArms := func(path string) bool { return path == c.ArmsKey() || path == "arms" }
	for i, pair := range c.Interactions {
		at := s.at(interactionPath(i))
		if isArms(pair[1]) {
			pair[0], pair[1] = pair[1], pair[0]
		}
		a := s.Sweep.axis(pair[1])
		switch {
		case !isArms(pair[0]):
			both := append([]string{c.ArmsKey()}, factors...)
			found.add(at, "compare.contrasts: an interaction takes the key of the arms (%s) and another swept key, "+
				"not of %q and %q%s",
				c.ArmsKey(), printable(pair[0], 60), printable(pair[1], 60), Suggest(pair[0], both))
		case a != nil && a.Draw != "":
			found.add(at, "compare.contrasts: interaction with %s, which is drawn at random; list its values", pair[1])
		case !slices.Contains(factors, pair[1]):
			found.add(at,
				"compare.contrasts: interaction with %q, which is not swept within the arms%s (swept: %s)",
				printable(pair[1], 60), Suggest(pair[1], factors), orNothing(factors))
		}
		pair[0] = c.ArmsKey()
		if slices.Contains(c.Interactions[:i], pair) {
			found.add(at, "compare.contrasts lists the interaction with %s twice", printable(pair[1], 60))
		}
		c.Interactions[i] = pair
	}
}

// maxLooks limits the number of looks at the results. Studies look three to five times, and the
// boundary of each look costs a numerical integral.
const maxLooks = 50

// checkStop checks the looks against the seeds.
func (s *Study) checkStop(found *problems) {
	if !s.given("compare.stop") {
		return
	}
	looks, at := s.Compare.Stop.Looks, s.at("compare.stop.looks")
	if len(looks) == 0 {
		if !s.given("compare.stop.looks") {
			found.add(at, "compare.stop.looks is missing: "+
				"the numbers of seeds per arm at which to look at the results, such as [5, 8, 12]")
		}
		return
	}
	if len(looks) == 1 {
		found.add(at, "compare.stop.looks has one look, so the study cannot stop early; "+
			"list at least two, or remove compare.stop")
		return
	}
	if len(looks) > maxLooks {
		found.add(at, "compare.stop.looks has %d looks; the maximum is %d", len(looks), maxLooks)
		return
	}
	for i, look := range looks {
		switch {
		case look < 2:
			found.add(at, "compare.stop.looks has %d, but a test needs at least 2 seeds per arm", look)
			return
		case i > 0 && look <= looks[i-1]:
			found.add(at,
				"compare.stop.looks has %d after %d, but the numbers of seeds must increase", look, looks[i-1])
			return
		}
	}
	last := looks[len(looks)-1]
	seeds := s.Sweep.axis("seed")
	if seeds == nil {
		found.add(at, "compare.stop needs seeds, but sweep.over lists none; add seed: %s", moreSeeds(nil, last))
	} else if listed := distinct(seeds.Values); len(listed) < last {
		found.add(at,
			"compare.stop.looks ends with %d seeds, but sweep.over.seed has %d; use seed: %s",
			last, len(listed), moreSeeds(listed, last))
	}
	if s.Sweep.Prune.Active() {
		found.add(s.at("sweep.prune"), "sweep.prune cannot be combined with compare.stop, because a look needs every seed of every arm")
	}
}

// checkEnsemble checks that all seeds of an arm will be available for the ensemble.
func (s *Study) checkEnsemble(found *problems) {
	if s.Compare.Ensemble == "" {
		return
	}
	at := s.at("compare.ensemble")
	if len(distinct(s.seeds())) < 2 {
		found.add(at, "compare.ensemble needs at least two seeds; list them, as in sweep.over.seed: [1, 2, 3]")
	}
	if keep := s.Checkpoints.Keep; keep != "best" && keep != "both" {
		found.add(at, "compare.ensemble needs each run's best checkpoint, but checkpoints.keep is %s; use best or both", keep)
	}
	if s.Sweep.Prune.Active() {
		found.add(at, "compare.ensemble cannot be combined with sweep.prune, because it needs every seed of an arm")
	}
}

// moreSeeds returns a list of n seeds that starts with the given ones, as written in a study.
func moreSeeds(seeds []string, n int) string {
	next := 0.0
	for _, text := range seeds {
		next = max(next, float(text))
	}
	for len(seeds) < min(n, maxTrials) {
		next++
		seeds = append(slices.Clip(seeds), number(next))
	}
	return "[" + strings.Join(seeds, ", ") + "]"
}

// distinct returns each text once, in order of first occurrence.
func distinct(texts []string) []string {
	var once []string
	for _, text := range texts {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}

// seeds returns the planned seeds, in the order of the file: up to the last look, if there are
// looks.
func (s *Study) seeds() []string {
	a := s.Sweep.axis("seed")
	if a == nil {
		return nil
	}
	if looks := s.Compare.Stop.Looks; len(looks) > 0 {
		once := distinct(a.Values)
		return once[:min(len(once), looks[len(looks)-1])]
	}
	return a.Values
}

// checkContrasts checks that each contrast has trials on both sides.
func (s *Study) checkContrasts(trials []Trial, found *problems) {
	g := s.Declare(trials).design()
	for i, pair := range g.Compare.Contrasts {
		if len(g.pair(pair)) == 0 {
			found.add(s.at(contrastPath(i)),
				"compare.contrasts: %s and %s share no swept values besides their own settings; "+
					"sweep the same values in both",
				pair[0], pair[1])
		}
	}
	for i, pair := range g.Compare.Interactions {
		if len(g.interaction(pair)) == 0 {
			found.add(s.at(interactionPath(i)),
				"compare.contrasts: the interaction with %s needs at least two of its values in both the baseline and another arm", pair[1])
		}
	}
}

// contrastPath returns the path under which a contrast's place is stored, interactionPath that of
// an interaction.
func contrastPath(i int) string    { return fmt.Sprintf("compare.contrasts[%d]", i) }
func interactionPath(i int) string { return fmt.Sprintf("compare.contrasts[interaction %d]", i) }
