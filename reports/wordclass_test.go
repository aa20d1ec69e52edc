package reports

import (
	"strings"
	"testing"
)

func TestWordClasses(t *testing.T) {
	short := map[string]wordClass{"D": determiners, "P": prepositions, "X": auxiliaries, "F": functions, "R": adverbs,
		"V": verbs, "N": nouns, "J": adjectives, "C": colourWords, "1": numbers}
	for caption, want := range map[string]string{
		"two young girls in red dresses are happily dancing":   "1 J N P C N X R V",
		"a boy slides down a slide":                            "D N V P D N",
		"the man 's ride is a brown horse":                     "D N F N X D C N",
		"a dog carries a stick while a cat watches":            "D N V D N F D N V",
		"people stand in front of a building":                  "N V P N P D N",
		"a small blue circle is left of a large yellow square": "D J C N X N P D J C N",
		"a covered wagon":                                      "D N N",
		"":                                                     "",
	} {
		var letters []string
		for _, c := range classes(strings.Fields(caption)) {
			for letter, class := range short {
				if class == c {
					letters = append(letters, letter)
				}
			}
		}
		if got := strings.Join(letters, " "); got != want {
			t.Errorf("%q is %s, not %s", caption, got, want)
		}
	}
}

func TestEveryWordIsListedOnce(t *testing.T) {
	for w := range listed {
		if verbForms[w] {
			t.Errorf("%s is in a list and a form of a verb: the list always wins", w)
		}
	}
}

// A class that is hardly ever written is not what the finding names.
func TestClassFindingNamesCommonClasses(t *testing.T) {
	list := []classBeta{
		{Class: determiners, Words: 12000, Mean: 0.23}, {Class: adverbs, Words: 24, Mean: 0.75},
		{Class: adjectives, Words: 1300, Mean: 0.07}, {Class: numbers, Words: 30, Mean: 0},
	}
	got := classFinding(&arm{Label: "adaptive"}, list)
	if want := "adaptive relies most on language for determiners (β = 0.23) and looks most at the picture for adjectives (β = 0.07)."; got != want {
		t.Errorf("says %q", got)
	}
}
