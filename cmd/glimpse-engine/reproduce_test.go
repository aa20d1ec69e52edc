package main

import (
	"bytes"
	"strings"
	"testing"

	"glimpse/inspect"
	"glimpse/internal/term"
)

// TestPrintReproduction checks that the output says what was not reproduced, by how much, and what
// differed in the environment.
func TestPrintReproduction(t *testing.T) {
	var out bytes.Buffer
	err := printReproduction(&out, &inspect.Reproduction{
		Run: "aa00", CaptionsSHA256: [2]string{"c", "d"}, WeightsSHA256: [2]string{"w", "v"}, Captions: 2, CaptionsDiffer: 1, FirstEpoch: 2,
		Metrics:         map[string]map[string][2]term.Number{"test": {"cider": {0.5, 0.4}}},
		EnvironmentDiff: []inspect.Difference{{Key: "threads", Recorded: "1", Again: "2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 2 differ", "weights   different", "differs from epoch 2 on", "test.cider   50.00     40.00  -10.00", "threads      1         2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	for content, want := range map[[2]string]string{
		{"", ""}:                    "\nno recorded difference in the environment\n",
		{"0123456789", "123456789"}: "\nthe features differ in content (recorded 01234567, now 12345678): computed on another kind of CPU, device or libtorch\n",
		{"", "123456789"}:           "\nthe content of the run's features was not recorded: they may differ too\n",
	} {
		out.Reset()
		err := printReproduction(&out, &inspect.Reproduction{Run: "aa00", WeightsSHA256: [2]string{"w", "v"}, FeaturesContent: content})
		if err != nil || !strings.HasSuffix(out.String(), want) {
			t.Errorf("content %q: %q, %v; want %q", content, out.String(), err, want)
		}
	}
	out.Reset()
	err = printReproduction(&out, &inspect.Reproduction{Run: "aa00", Equal: true, CaptionsSHA256: [2]string{"c", "c"}, WeightsSHA256: [2]string{"w", "w"}, Captions: 2})
	if want := "run       aa00\ncaptions  the same\nweights   the same\n"; err != nil || out.String() != want {
		t.Errorf("the same run: %q, %v; want %q", out.String(), err, want)
	}
}
