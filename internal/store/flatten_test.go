package store

import (
	"encoding/json"
	"testing"
)

func TestPaths(t *testing.T) {
	got := Paths(json.RawMessage(`{"b":{"y":2,"x":"one"},"a":true}`))
	want := [][2]string{{"a", "true"}, {"b.x", "one"}, {"b.y", "2"}}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("pair %d is %v, want %v", i, got[i], want[i])
		}
	}
	if pairs := Paths(nil); pairs != nil {
		t.Errorf("of nothing: %v", pairs)
	}
}
