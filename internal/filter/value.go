package filter

import (
	"errors"
	"strconv"
	"time"
)

// Value is the value of one field of a row: Text for the kinds Text and Words, else Number.
type Value struct {
	Text   string
	Number float64
}

// Kind is the kind of a field's values.
type Kind int

// The kinds. A Duration is in seconds, a Time in seconds since 1970 UTC. Words are several words,
// separated by spaces; = and != look for one of them.
const (
	Text Kind = iota
	Number
	Duration
	Time
	Words
)

// String returns the kind for messages such as "test.cider is a number".
func (k Kind) String() string {
	return [...]string{"text", "a number", "a duration", "a time", "a list of words"}[k]
}

// IsText reports whether values are texts, which have no order.
func (k Kind) IsText() bool { return k == Text || k == Words }

func (k Kind) operators() string {
	if k.IsText() {
		return "=, != or ~"
	}
	return "=, !=, <, <=, > or >="
}

// times are the formats of a time, in UTC if no zone is given.
var times = []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime, time.RFC3339}

func (k Kind) parse(text string) (Value, error) {
	switch k {
	case Number:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return Value{Number: v}, nil
		}
		return Value{}, errors.New("expected a number, not " + strconv.Quote(text))
	case Duration:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return Value{Number: v}, nil
		}
		if d, err := time.ParseDuration(text); err == nil {
			return Value{Number: d.Seconds()}, nil
		}
		return Value{}, errors.New("expected seconds or a value such as 1h30m, not " + strconv.Quote(text))
	case Time:
		for _, layout := range times {
			if at, err := time.Parse(layout, text); err == nil {
				return Value{Number: float64(at.UnixMilli()) / 1000}, nil
			}
		}
		return Value{}, errors.New("expected a value such as 2026-01-31 or '2026-01-31 18:00' (UTC), not " + strconv.Quote(text))
	}
	return Value{Text: text}, nil
}
