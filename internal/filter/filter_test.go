package filter

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

var kinds = map[string]Kind{
	"arm": Text, "question": Text, "state": Text, "seed": Number, "test.cider": Number, "loss": Number, "seconds": Duration, "created": Time, "tag": Words,
}

func kindOf(field string) (Kind, error) {
	if kind, known := kinds[field]; known {
		return kind, nil
	}
	return 0, errors.New("there is no field " + field)
}

func row(values map[string]Value) Row {
	return func(field string) (Value, bool) {
		v, has := values[field]
		return v, has
	}
}

var sample = row(map[string]Value{
	"arm": {Text: "adaptive"}, "question": {Text: "Does the Bigger picture help?"}, "seed": {Number: 3}, "test.cider": {Number: 52.5},
	"loss": {Number: math.NaN()}, "seconds": {Number: 5400}, "created": {Number: 1769817600}, // 2026-01-31 00:00 UTC
	"tag": {Text: "best paper-2"},
})

func TestFilter(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                   true,
		"arm=adaptive":                       true,
		"arm==adaptive":                      true,
		"arm = 'adaptive'":                   true,
		`arm = "none"`:                       false,
		"tag=best":                           true,
		"tag=paper":                          false,
		"tag='best paper-2'":                 false,
		"tag!=best":                          false,
		"tag!=draft":                         true,
		"tag in (draft, paper-2)":            true,
		"tag~PAPER":                          true,
		"tag and arm":                        true,
		"arm!=none":                          true,
		"arm~DAPT":                           true,
		"question~'bigger picture'":          true,
		"arm=adaptive and test.cider>50":     true,
		"arm=adaptive AND test.cider>=52.5":  true,
		"test.cider>5.3e1":                   false,
		"test.cider<-1":                      false,
		"seed in (1, 2)":                     false,
		"seed in (1,2,3)":                    true,
		"arm in (soft, adaptive)":            true,
		"arm=none or seed=3 and test.cider":  true,
		"(arm=none or seed=3) and seed=4":    false,
		"not arm=none and not state":         true,
		"not (arm=adaptive or arm=none)":     false,
		"not not seed=3":                     true,
		"state=failed":                       false,
		"state!=failed":                      false, // it has no value
		"state":                              false,
		"loss=nan":                           true,
		"loss>0":                             false,
		"loss<0":                             false,
		"seconds>1h29m":                      true,
		"seconds<=5400":                      true,
		"created>=2026-01-31":                true,
		"created<2026-01-31T00:01":           true,
		"created>'2026-01-31 00:00:01'":      false,
		"created<2026-01-31T02:00:00+01:00":  true,
		"arm\n=\tadaptive":                   true,
		"arm='and'":                          false,
		"arm in ('in', 'not', adaptive)":     true,
		"seed>2 and (seed<4) and (((seed)))": true,
	} {
		chosen, err := Parse(text, kindOf)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if chosen(sample) != want {
			t.Errorf("%s is %v, want %v", text, !want, want)
		}
	}
}

func TestErrorsPointAtThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"arn=none":                 "there is no field arn\n  arn=none\n  ^",
		"arm=none and":             "expected a field, as in arm=adaptive, not the end\n  arm=none and\n              ^",
		"arm=none seed=2":          "expected and, or, or the end of the expression, not \"seed\"\n  arm=none seed=2\n           ^",
		"arm=":                     "expected a value for arm, not the end\n  arm=\n      ^",
		"arm=none)":                "expected and, or, or the end of the expression, not \")\"\n  arm=none)\n          ^",
		"(arm=none and (seed=2)":   "this ( is not closed\n  (arm=none and (seed=2)\n  ^",
		"arm<none":                 "arm is text and cannot be compared with <; use =, != or ~\n  arm<none\n     ^",
		"seed~3":                   "seed is a number and cannot be compared with ~; use =, !=, <, <=, > or >=",
		"seed=three":               "seed: expected a number, not \"three\"\n  seed=three\n       ^",
		"seconds>long":             "expected seconds or a value such as 1h30m",
		"created>yesterday":        "expected a value such as 2026-01-31",
		"arm=not":                  "not is a keyword; to use it as a value, quote it: 'not'\n  arm=not\n      ^",
		"arm='none":                "this quote is not closed\n  arm='none\n      ^",
		"arm=>none":                "unknown operator \"=>\"",
		"seed=1 && arm=none":       "join conditions with and, or and not\n  seed=1 && arm=none\n         ^",
		"arm in soft":              "expected values in parentheses after in",
		"arm in (soft adaptive)":   "expected a comma or ), not \"adaptive\"",
		"arm in ()":                "expected a value for arm, not \")\"",
		"arm='Grün' and =":         "\n  arm='Grün' and =\n                 ^",
		strings.Repeat("(", 5000):  "longer than 4096 bytes",
		strings.Repeat("(", 1000):  "expected a field",
		"and":                      "expected a field, as in arm=adaptive, not \"and\"",
		"test.cider>50 or not":     "not the end",
		"'arm'=adaptive":           "expected a field",
		"test.cider > > 50":        "expected a value for test.cider, not \">\"",
		"arm=adaptive , seed=2":    "expected and, or, or the end of the expression, not \",\"",
		"seed in (1, 2":            "expected a comma or ), not the end",
		"created in (2026-01-31,)": "expected a value for created",
	} {
		_, err := Parse(text, kindOf)
		var place *Error
		if !errors.As(err, &place) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v\nwant\n%s", text, err, want)
		}
	}
}

// FuzzParse holds that every text is read or refused with a place inside it, and that what was read can be asked.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"arm=adaptive and test.cider>50", "not (seed in (1,2) or loss)", "question~'a b'", "created>2026-01-31", "((", "é=ü"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		chosen, err := Parse(text, kindOf)
		if err == nil {
			if chosen(sample); chosen(row(nil)) && strings.TrimSpace(text) != "" && !strings.Contains(strings.ToLower(text), "not") {
				t.Errorf("%q chooses a row without values", text)
			}
			return
		}
		var place *Error
		if !errors.As(err, &place) || place.At < 0 || place.At > len(place.Text) || place.Msg == "" {
			t.Fatalf("%q: %#v", text, err)
		}
		if utf8.ValidString(text) && !utf8.ValidString(err.Error()) {
			t.Errorf("%q: the message is cut within a character", text)
		}
	})
}
