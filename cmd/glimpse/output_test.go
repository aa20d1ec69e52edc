package main

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

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
