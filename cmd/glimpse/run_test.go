package main

import (
	"strings"
	"testing"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
)

// TestRunWithoutMeteor checks that a study whose metric is METEOR is rejected before training if
// METEOR's data are missing.
func TestRunWithoutMeteor(t *testing.T) {
	clitest.Sandbox(t, map[string]string{"meteor.yaml": goodSpec + "train: {select: {metric: val.meteor}}\n"})
	code, _, stderr := call(t, "run", "meteor.yaml")
	if code != cli.ExitFailed || !strings.Contains(stderr, "study good uses METEOR, but its data is missing") {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
}

// TestRunWithoutEngine checks that without an engine a study is rejected before anything is
// recorded, and that the message says what to do.
func TestRunWithoutEngine(t *testing.T) {
	clitest.Sandbox(t, map[string]string{"good.yaml": goodSpec})
	for engine, want := range map[string]string{
		"":       "there is no ",
		"absent": "$GLIMPSE_ENGINE is set to absent, which is not a program: build bin/glimpse-engine with `./bootstrap build`, or unset it",
	} {
		t.Setenv("GLIMPSE_ENGINE", engine)
		code, _, stderr := call(t, "run", "good.yaml")
		if code != cli.ExitFailed || !strings.Contains(stderr, want) || !strings.Contains(stderr, "./bootstrap build") {
			t.Errorf("$GLIMPSE_ENGINE=%q: exit code %d:\n%s", engine, code, stderr)
		}
	}
}
