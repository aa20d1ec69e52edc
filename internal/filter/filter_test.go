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
		"arm=none and":             "a field is expected here, as in arm=adaptive, not the end\n  arm=none and\n              ^",
		"arm=none seed=2":          "\"seed\" stands where and, or or the end is expected\n  arm=none seed=2\n           ^",
		"arm=":                     "a value for arm is expected here, not the end\n  arm=\n      ^",
		"arm=none)":                "\")\" stands where and, or or the end is expected\n  arm=none)\n          ^",
		"(arm=none and (seed=2)":   "this ( is not closed\n  (arm=none and (seed=2)\n  ^",
		"arm<none":                 "arm is a text, which < cannot judge; there are =, != and ~\n  arm<none\n     ^",
		"seed~3":                   "seed is a number, which ~ cannot judge; there are =, !=, <, <=, >, >= and ~"[:44],
		"seed=three":               "seed is a number, and \"three\" is not\n  seed=three\n       ^",
		"seconds>long":             "write seconds, or 1h30m",
		"created>yesterday":        "write 2026-01-31",
		"arm=not":                  "write it in quotes: 'not'\n  arm=not\n      ^",
		"arm='none":                "this quote is not closed\n  arm='none\n      ^",
		"arm=>none":                "\"=>\" is no comparison",
		"seed=1 && arm=none":       "conditions are joined by and, or and not\n  seed=1 && arm=none\n         ^",
		"arm in soft":              "in takes values in brackets",
		"arm in (soft adaptive)":   "a comma or ) is expected here, not \"adaptive\"",
		"arm in ()":                "a value for arm is expected here, not \")\"",
		"arm='Grün' and =":         "\n  arm='Grün' and =\n                 ^",
		strings.Repeat("(", 5000):  "longer than 4096 bytes",
		strings.Repeat("(", 1000):  "a field is expected here",
		"and":                      "a field is expected here, as in arm=adaptive, not \"and\"",
		"test.cider>50 or not":     "not the end",
		"'arm'=adaptive":           "a field is expected here",
		"test.cider > > 50":        "a value for test.cider is expected here, not \">\"",
		"arm=adaptive , seed=2":    "\",\" stands where",
		"seed in (1, 2":            "a comma or ) is expected here, not the end",
		"created in (2026-01-31,)": "a value for created is expected",
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
