package main

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

func TestNumberJSON(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{{0.25, "0.25"}, {0, "0"}, {math.NaN(), `"nan"`}, {math.Inf(1), `"inf"`}, {math.Inf(-1), `"-inf"`}} {
		got, err := json.Marshal(number(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("number(%v) = %s, %v; want %s", c.in, got, err, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		seconds float64
		want    string
	}{{0, "-"}, {math.NaN(), "-"}, {0.25, "250ms"}, {59.9, "59s"}, {60, "1m00s"}, {3661, "1h01m"}, {90000, "25h00m"}} {
		if got := span(c.seconds); got != c.want {
			t.Errorf("span(%v) = %q, want %q", c.seconds, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4321: "-4,321", -321: "-321"} {
		if got := count(in); got != want {
			t.Errorf("count(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestTableAligns(t *testing.T) {
	var out bytes.Buffer
	rows := &table{}
	rows.add("A", "LONG", "C")
	rows.add("value", "x", "")
	if err := rows.print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "A      LONG  C\nvalue  x\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestSortedPaths(t *testing.T) {
	got := sortedPaths(json.RawMessage(`{"b":{"y":2,"x":"one"},"a":true}`))
	want := [][2]string{{"a", "true"}, {"b.x", "one"}, {"b.y", "2"}}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("pair %d is %v, want %v", i, got[i], want[i])
		}
	}
	if pairs := sortedPaths(nil); pairs != nil {
		t.Errorf("of nothing: %v", pairs)
	}
}
