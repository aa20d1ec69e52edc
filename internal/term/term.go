// Package term writes for the terminal and for JSON, so that verbs and the packages
// that they call write alike: numbers, counts and times, tables, enumerations, JSON
// values, and progress as bars or lines.
//
// It must not import any other package of this module.
package term

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Number is a float that survives JSON: the values that JSON lacks are written as
// the texts "nan", "inf" and "-inf".
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"nan"`), nil
	case math.IsInf(v, 1):
		return []byte(`"inf"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-inf"`), nil
	default:
		return json.Marshal(v)
	}
}

// Numbers makes Numbers of all values of a map.
func Numbers(values map[string]float64) map[string]Number {
	out := make(map[string]Number, len(values))
	for k, v := range values {
		out[k] = Number(v)
	}
	return out
}

// Count writes n with its digits in groups of three: "1,234".
func Count(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Plural writes a number of things: "1 image", "1,234 images".
func Plural(n int, noun string) string { return PluralOf(n, noun, noun+"s") }

// PluralOf writes a number of things whose plural is irregular: "1 study", "2 studies".
func PluralOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(int64(n)) + " " + many
}

// Enumerate joins the parts of an enumeration: "a, b and c".
func Enumerate(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}
