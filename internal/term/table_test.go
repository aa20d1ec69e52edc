package term

import (
	"bytes"
	"math"
	"testing"
)

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		seconds float64
		want    string
	}{{0, "-"}, {math.NaN(), "-"}, {0.25, "250ms"}, {59.9, "59s"}, {60, "1m00s"}, {3661, "1h01m"}, {90000, "25h00m"}} {
		if got := Span(c.seconds); got != c.want {
			t.Errorf("span(%v) = %q, want %q", c.seconds, got, c.want)
		}
	}
}

func TestTableAligns(t *testing.T) {
	var out bytes.Buffer
	rows := &Table{}
	rows.Add("A", "LONG", "C")
	rows.Add("value", "x", "")
	if err := rows.Print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "A      LONG  C\nvalue  x\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
