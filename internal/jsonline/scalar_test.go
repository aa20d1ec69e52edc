package jsonline

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// Numbers and texts are the bytes of encoding/json, and what it cannot write is a text.
func TestScalarsAreThoseOfEncodingJSON(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	numbers := []float64{0, math.Copysign(0, -1), 1, -1, 1e-6, 9.999e-7, 1e-7, 1e20, 1e21, -1e21, 123456789, math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1 + 0.2}
	for range 10_000 {
		if v := math.Float64frombits(g.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
			numbers = append(numbers, v)
		}
		numbers = append(numbers, g.NormFloat64(), math.Trunc(1e6*g.Float64()))
	}
	for _, v := range numbers {
		want, err := json.Marshal(v)
		if got := AppendNumber(nil, v); err != nil || string(got) != string(want) {
			t.Fatalf("%v is %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{math.NaN(): `"nan"`, math.Inf(1): `"inf"`, math.Inf(-1): `"-inf"`} {
		if got := AppendNumber(nil, v); string(got) != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
	for _, text := range []string{"", "a brown dog", `"quoted" \ back`, "<b>&amp;", "tab\tend\n", "größe ☃", "\xff\xfe", "\u2028 \x7f", "\x00", "~ }"} {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			t.Fatal(err)
		}
		if got := append(AppendText([]byte("x"), text), '\n'); string(got) != "x"+want.String() {
			t.Errorf("%q is %s, want %s", text, got, want.String())
		}
	}
}
