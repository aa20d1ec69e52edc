package experiments

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// studyName is what may name a study: it is typed in commands and names folders.
var studyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// given says whether a key was given, rather than defaulted.
func (s *Study) given(path string) bool {
	_, given := s.places[path]
	return given
}

// at gives the place of a key, or of the nearest section around it.
func (s *Study) at(path string) place {
	for {
		if at, given := s.places[path]; given || path == "" {
			return at
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
}

// SetRoot says that the data lie elsewhere than the study says; "" leaves it as it is.
func (s *Study) SetRoot(dir string) {
	if dir != "" && dir != s.Data.Root {
		s.Data.Root = dir
		delete(s.places, "data.root")
	}
}

// Wrong is an error that came of a setting, shown where the study gives it; err itself where it does not.
func (s *Study) Wrong(path string, err error) error {
	if !s.given(path) && s.get(path) != "" {
		return err
	}
	wrong := s.at(path).wrong("%v", err)
	wrong.Err = err
	return wrong
}

// checkNames checks what names the study.
func (s *Study) checkNames(found *problems) {
	switch {
	case !s.given("study"):
		found.add(s.at(""), "the study has no name; write study: NAME (a name is not inherited through extends)")
	case !studyName.MatchString(s.Name) && s.Name != "":
		found.add(s.at("study"), "study is %q, but must be at most 64 letters, digits, ., _ and -, the first a letter or digit", printable(s.Name, 60))
	case s.Name == "" && len(found.list) == 0:
		found.add(s.at("study"), "study is empty, but must name the study")
	}
}

// arms are the values that the study compares, in canonical text.
func (s *Study) arms() []string {
	var arms []string
	if a := s.axis(s.Compare.Arms); a != nil {
		for _, text := range a.Values {
			if !slices.Contains(arms, text) {
				arms = append(arms, text)
			}
		}
	}
	return arms
}

// checkCompare checks what is compared against what is swept, and writes the
// names of arms as the sweep does.
func (s *Study) checkCompare(found *problems) {
	c := &s.Compare
	if c.Arms == "" {
		if s.given("compare") {
			found.add(s.at("compare"), "compare needs arms: the swept key whose values are compared")
		}
		return
	}
	var swept []string
	for _, a := range s.Sweep.Over {
		swept = append(swept, a.Path)
	}
	at := s.at("compare.arms")
	arms := s.arms()
	switch a := s.axis(c.Arms); {
	case a == nil:
		found.add(at, "compare.arms is %q, which sweep.over does not hold%s (swept: %s)", printable(c.Arms, 60), Suggest(c.Arms, swept), orNothing(swept))
		return
	case c.Arms == "seed":
		found.add(at, "compare.arms cannot be seed: seeds are what an arm is averaged over")
		return
	case a.Draw != "":
		found.add(at, "compare.arms is %s, which is drawn; list its values, so that every arm gets the same samples", c.Arms)
		return
	case len(arms) < 2:
		found.add(at, "compare.arms is %s, of which sweep.over holds one value; a comparison needs two", c.Arms)
		return
	}
	s.checkArms(arms, found)
	if !s.given("compare.primary.metric") || !s.given("compare.primary.minimum_effect") {
		found.add(s.at("compare.primary"), "compare.primary must give metric and minimum_effect: what decides, and the smallest effect that matters, are declared before the test split is scored; as in {metric: test.cider, minimum_effect: 1.0}")
	}
	if c.MatchParameters > 0 && c.Arms == "model.hidden" {
		found.add(s.at("compare.match_parameters"), "compare.match_parameters widens model.hidden, which is what the arms differ in; remove it or write off")
	}
	if split, _, _ := strings.Cut(c.Primary.Metric, "."); split == "val" && s.Data.Split == "seed" {
		found.add(s.at("compare.primary.metric"), "compare.primary.metric is %s, but data.split seed has no validation pictures", c.Primary.Metric)
	}
	if split, _, ok := strings.Cut(c.Primary.Metric, "."); ok && s.axis("decode.split") == nil && s.Decode.FinalSplit() == "val" && split == "test" {
		found.add(s.at("compare.primary.metric"), "compare.primary.metric is %s, but decode.split val leaves the test split unscored; write val.%s", c.Primary.Metric, strings.TrimPrefix(c.Primary.Metric, "test."))
	}
}

// checkArms checks that baseline and contrasts name arms.
func (s *Study) checkArms(arms []string, found *problems) {
	c := &s.Compare
	isArm := func(name string, at place, who string) bool {
		known := slices.Contains(arms, name)
		if !known {
			found.add(at, "%s %q, which is not an arm%s (arms: %s)", who, printable(name, 60), suggest(name, arms), strings.Join(arms, ", "))
		}
		return known
	}
	c.Baseline = s.armName(c.Baseline)
	based := false
	if s.given("compare.baseline") {
		based = isArm(c.Baseline, s.at("compare.baseline"), "compare.baseline is")
	} else {
		found.add(s.at("compare"), "compare.baseline is missing: the arm that the others are held against (arms: %s)", strings.Join(arms, ", "))
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
			found.add(at, "compare.contrasts holds %s against itself", pair[0])
		case known && (slices.Contains(c.Contrasts[:i], pair) || slices.Contains(c.Contrasts[:i], reverse)):
			found.add(at, "compare.contrasts holds %s against %s twice", pair[0], pair[1])
		}
	}
}

// armName writes the name of an arm as the sweep does: 5e-4 as 0.0005.
func (s *Study) armName(name string) string {
	k := find(s.Compare.Arms)
	if text, wrong := k.parse(&value{kind: scalar, text: name, tag: k.tag()}); wrong == "" {
		return text
	}
	return name
}

// tag is the YAML tag that a value of the key has.
func (k *key) tag() string {
	switch k.kind {
	case reflect.String:
		return "!!str"
	case reflect.Float64:
		return "!!float"
	}
	return "!!int"
}

func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// A fault is what is wrong with a setting of a trial, and the setting that it
// contradicts, if any.
type fault struct{ path, beside, msg string }

// place is where the fault was given: in the sweep, or as a setting, or else
// where what it contradicts was.
func (s *Study) place(f fault) place {
	for _, path := range []string{f.path, f.beside} {
		if s.axis(path) != nil {
			return s.at("sweep.over." + path)
		}
		if s.given(path) {
			return s.at(path)
		}
	}
	return s.at(f.path)
}

// Check refuses settings that no trial can have, a value outside its limits or
// two that contradict each other. Settings of a Plan have passed it.
func (s Settings) Check() error {
	var all []error
	for _, f := range s.faults() {
		all = append(all, errors.New(f.msg))
	}
	return errors.Join(all...)
}

func (s Settings) faults() []fault {
	var found []fault
	whole := Study{Settings: s}
	for _, k := range keys {
		if !isSetting(k.path) || k.applies != nil && !k.applies(&s) {
			continue
		}
		if _, wrong := k.parse(&value{kind: scalar, text: whole.get(k.path), tag: k.tag()}); wrong != "" {
			found = append(found, fault{path: k.path, msg: wrong})
		}
	}
	metric := s.Train.Select.Metric
	add := func(wrong bool, path, beside, format string, args ...any) {
		if wrong {
			found = append(found, fault{path, beside, fmt.Sprintf(format, args...)})
		}
	}
	add(s.Data.Split == "seed" && metric != "last", "train.select.metric", "data.split",
		"train.select.metric is %s, but data.split seed has no validation pictures; write last", metric)
	add(s.Data.Split == "seed" && spares(&s), "decode.split", "data.split",
		"decode.split is %s, but data.split seed has no validation pictures", s.Decode.Split)
	add(plateau(&s) && metric == "last", "train.schedule.name", "train.select.metric",
		"train.schedule.name is plateau, which waits on the validation metric, but train.select.metric is last; choose another schedule or metric")
	add(drawn(&s) && s.Data.Split != "official", "data.split", "data.name",
		"data.split is %s, but shapes has only the split official", s.Data.Split)
	least := smallestImage(&s)
	add(s.Encoder.ImageSize < least, "encoder.image_size", "encoder.name",
		"encoder.image_size is %d, but %s needs at least %d", s.Encoder.ImageSize, s.Encoder.Name, least)
	w := s.Encoder.Weights
	add(frozen(&s) && w == "auto" && !strings.HasPrefix(s.Encoder.Name, "efficientnet_"), "encoder.weights", "encoder.name",
		"encoder.weights is auto, which fetches those of efficientnet_lite0 to 2 only; for %s give the path of torchvision's .pth file, or random", s.Encoder.Name)
	add(frozen(&s) && w != "auto" && w != "random" && !strings.ContainsAny(w, "./\\"), "encoder.weights", "encoder.name",
		"encoder.weights is %q, but must be auto, random or the path of a file%s", printable(w, 60), suggest(w, []string{"auto", "random"}))
	return found
}
