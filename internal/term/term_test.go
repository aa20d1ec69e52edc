package term

import (
	"encoding/json"
	"math"
	"testing"
)

func TestNumberJSON(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{{0.25, "0.25"}, {0, "0"}, {math.NaN(), `"nan"`}, {math.Inf(1), `"inf"`}, {math.Inf(-1), `"-inf"`}} {
		got, err := json.Marshal(Numbers(map[string]float64{"value": c.in}))
		if want := `{"value":` + c.want + `}`; err != nil || string(got) != want {
			t.Errorf("%v is %s, %v; want %s", c.in, got, err, want)
		}
	}
}

func TestCount(t *testing.T) {
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4321: "-4,321", -321: "-321"} {
		if got := Count(in); got != want {
			t.Errorf("Count(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for in, want := range map[int]string{0: "0 images", 1: "1 image", 2: "2 images", 1200: "1,200 images"} {
		if got := Plural(in, "image"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[int]string{1: "1 study", 2: "2 studies", 1200: "1,200 studies"} {
		if got := PluralOf(in, "study", "studies"); got != want {
			t.Errorf("PluralOf(%d) = %q, want %q", in, got, want)
		}
	}
}
