package main

import (
	"slices"
	"strings"
	"testing"
)

func TestEachLine(t *testing.T) {
	long := strings.Repeat("word ", 100_000)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"one\n\ntwo", []string{"one", "", "two"}},
		{"one\r\n\r\n", []string{"one", ""}},
		{long + "\n", []string{long}},
	} {
		var got []string
		if err := eachLine(strings.NewReader(c.in), func(line string) error { got = append(got, line); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("lines of %.20q: %d, want %d", c.in, len(got), len(c.want))
		}
	}
}
