package main

import (
	"strings"
	"testing"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
)

// TestRunWithoutMeteor holds that a study that goes by METEOR is refused before anything is trained where its data are not.
func TestRunWithoutMeteor(t *testing.T) {
	clitest.Sandbox(t, map[string]string{"meteor.yaml": goodSpec + "train: {select: {metric: val.meteor}}\n"})
	code, _, stderr := call(t, "run", "meteor.yaml")
	if code != cli.ExitFailed || !strings.Contains(stderr, "study good uses METEOR, but its data is missing") {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
}

// TestRunWithoutEngine holds that a study is refused before anything is recorded where there is no engine, and that the
// message says what to do.
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
