package filter

import (
	"errors"
	"strconv"
	"time"
)

// Value is one field of a row: Text of a text or of words, else Number.
type Value struct {
	Text   string
	Number float64
}

// Kind is what values of a field are.
type Kind int

// The kinds. A Duration is seconds, a Time seconds since 1970 UTC. Words are several words in one
// text, with spaces between them, of which = and != ask for one.
const (
	Text Kind = iota
	Number
	Duration
	Time
	Words
)

// String names the kind in a message: "test.cider is a number".
func (k Kind) String() string {
	return [...]string{"a text", "a number", "a duration", "a time", "a list of words"}[k]
}

// IsText tells whether values are texts, which have no order.
func (k Kind) IsText() bool { return k == Text || k == Words }

func (k Kind) operators() string {
	if k.IsText() {
		return "=, != and ~"
	}
	return "=, !=, <, <=, > and >="
}

// times are the ways to write a time, all in UTC where no zone is given.
var times = []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime, time.RFC3339}

func (k Kind) parse(text string) (Value, error) {
	switch k {
	case Number:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return Value{Number: v}, nil
		}
		return Value{}, errors.New(strconv.Quote(text) + " is not")
	case Duration:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return Value{Number: v}, nil
		}
		if d, err := time.ParseDuration(text); err == nil {
			return Value{Number: d.Seconds()}, nil
		}
		return Value{}, errors.New(strconv.Quote(text) + " is not; write seconds, or 1h30m")
	case Time:
		for _, layout := range times {
			if at, err := time.Parse(layout, text); err == nil {
				return Value{Number: float64(at.UnixMilli()) / 1000}, nil
			}
		}
		return Value{}, errors.New(strconv.Quote(text) + " is not; write 2026-01-31, or '2026-01-31 18:00' (UTC)")
	}
	return Value{Text: text}, nil
}
