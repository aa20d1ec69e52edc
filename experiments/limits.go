package experiments

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// limits are the values that a key accepts: some words, the numbers of an interval, a percentage,
// or anything of its type.
type limits struct {
	words             []string
	interval          bool
	low, high         float64
	lowOpen, highOpen bool
	percent           bool
	share             bool // a percentage or number of images, or the name of a file that lists them
}

// parseLimits reads the notation of the table: "a|b|c" for words, "[0,1)" for an interval,
// "percent", "share", or "".
func parseLimits(notation string) limits {
	switch {
	case notation == "":
		return limits{}
	case notation == "percent":
		return limits{percent: true, interval: true, high: 0.5}
	case notation == "share":
		return limits{share: true}
	case notation[0] != '[' && notation[0] != '(':
		return limits{words: strings.Split(notation, "|")}
	}
	end := len(notation) - 1
	low, high, _ := strings.Cut(notation[1:end], ",")
	l := limits{interval: true, lowOpen: notation[0] == '(', highOpen: notation[end] == ')'}
	l.low, _ = strconv.ParseFloat(low, 64)
	l.high, _ = strconv.ParseFloat(high, 64)
	return l
}

// contain reports whether a number is in the interval.
func (l limits) contain(x float64) bool {
	return (x > l.low || x == l.low && !l.lowOpen) && (x < l.high || x == l.high && !l.highOpen)
}

// wanted returns what a key accepts, worded to follow "must be".
func (k *key) wanted() string {
	l := k.allowed()
	switch {
	case k.kind == reflect.Bool:
		return "true or false"
	case l.words != nil:
		wanted := "one of " + strings.Join(l.words, ", ")
		if below := children(k.path); len(below) > 0 {
			wanted += ", or a mapping of " + strings.Join(below, ", ")
		}
		return wanted
	case l.share:
		return "a share such as 10%, a number of images, or the name of a file"
	case l.percent:
		return "a percentage such as 2%, at most 50%, or off"
	case k.isText():
		return "text"
	}
	noun := "a whole number"
	if k.kind == reflect.Float64 {
		noun = "a number"
	}
	low, high := number(l.low), number(l.high)
	switch {
	case l.lowOpen && l.highOpen:
		return noun + " above " + low + " and below " + high
	case l.lowOpen:
		return noun + " above " + low + ", at most " + high
	case l.highOpen:
		return noun + " from " + low + " to below " + high
	}
	return noun + " from " + low + " to " + high
}

// number returns the canonical text of a float: the shortest that reads back equal, without an
// exponent unless the number is very large or small.
func number(x float64) string {
	if x == 0 {
		return "0" // not -0
	}
	if a := math.Abs(x); a >= 1e-6 && a < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// parse checks a scalar against the key, and returns its canonical text, or what is wrong with
// it.
func (k *key) parse(v *value) (text, wrong string) {
	refuse := func() (string, string) {
		return "", fmt.Sprintf("%s is %s, but must be %s", k.path, v.describe(), k.wanted())
	}
	if v.kind != scalar {
		return refuse()
	}
	l := k.allowed()
	switch {
	case l.percent:
		share, ok := percentage(v)
		if !ok || !l.contain(share) {
			return refuse()
		}
		return number(share), ""
	case l.share && (v.tag == "!!int" || v.tag == "!!str" && v.text != "" && !isList(v.text)):
		percent, isPercent := strings.CutSuffix(v.text, "%")
		x, _ := strconv.ParseFloat(percent, 64)
		if !(x >= 0) || isPercent && x >= 100 || !isPercent && (x != math.Trunc(x) || x > math.MaxInt32) {
			return refuse()
		}
		return number(x) + v.text[len(percent):], ""
	case k.isText():
		if l.words != nil && !slices.Contains(l.words, v.text) {
			_, wrong = refuse()
			return "", wrong + Suggest(v.text, l.words)
		}
		if v.tag != "!!str" {
			return refuse()
		}
		if i := strings.IndexFunc(v.text, unseen); i >= 0 {
			return "", fmt.Sprintf("%s contains the control character %U", k.path, []rune(v.text[i:])[0])
		}
		return v.text, ""
	case k.kind == reflect.Float64:
		x, err := strconv.ParseFloat(v.text, 64)
		if err != nil || v.tag != "!!float" && v.tag != "!!int" || !l.contain(x) {
			return refuse()
		}
		return number(x), ""
	case k.kind == reflect.Bool:
		yes, err := strconv.ParseBool(v.text)
		if err != nil || v.tag != "!!bool" {
			return refuse()
		}
		return strconv.FormatBool(yes), ""
	default:
		n, err := strconv.ParseInt(v.text, 10, 64)
		if err != nil || v.tag != "!!int" || !l.contain(float64(n)) {
			return refuse()
		}
		return strconv.FormatInt(n, 10), ""
	}
}

// unseen reports whether a character is a control character.
func unseen(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// float reads canonical text of a number.
func float(text string) float64 {
	x, _ := strconv.ParseFloat(text, 64)
	return x
}

// isList reports whether part of a split is given by a file that lists it, not by a share such as
// 10% or a number.
func isList(text string) bool {
	number, _ := strings.CutSuffix(text, "%")
	_, err := strconv.ParseFloat(number, 64)
	return text != "" && err != nil
}

// percentage reads 2% as 0.02 and off as 0.
func percentage(v *value) (share float64, ok bool) {
	if v.text == "off" {
		return 0, true
	}
	text, ok := strings.CutSuffix(v.text, "%")
	x, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(x > 0) {
		return 0, false
	}
	return x / 100, true
}

// set stores canonical text, which parse has accepted, in the field of a path.
func (s *Study) set(path, text string) {
	f := s.field(path)
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Float64:
		f.SetFloat(float(text))
	case reflect.Bool:
		f.SetBool(text == "true")
	default:
		n, _ := strconv.ParseInt(text, 10, 64)
		f.SetInt(n)
	}
}

// get returns the canonical text of the field of a path.
func (s *Study) get(path string) string {
	f := s.field(path)
	if k := find(path); k.omitted && f.IsZero() {
		return k.fallback.(string)
	}
	switch f.Kind() {
	case reflect.String:
		return f.String()
	case reflect.Float64:
		return number(f.Float())
	case reflect.Bool:
		return strconv.FormatBool(f.Bool())
	default:
		return strconv.FormatInt(f.Int(), 10)
	}
}
