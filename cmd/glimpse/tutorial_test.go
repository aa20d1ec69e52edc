package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"glimpse/internal/cli"
)

// A tutorialStep is a block of commands, and the output that the text shows; "…" is any lines.
type tutorialStep struct{ commands, printed string }

func tutorialSteps(t *testing.T, root string) []tutorialStep {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	var steps []tutorialStep
	for _, block := range regexp.MustCompile("(?s)```(\\w*)\n(.*?)```").FindAllSubmatch(text, -1) {
		switch kind, content := string(block[1]), string(block[2]); {
		case kind == "sh":
			steps = append(steps, tutorialStep{commands: content})
		case kind == "text" && len(steps) > 0:
			steps[len(steps)-1].printed = content
		default:
			t.Fatalf("docs/tutorial.md has a block of kind %q:\n%s", kind, content)
		}
	}
	return steps
}

// TestTutorial runs all commands of docs/tutorial.md in one shell, as a reader would, starting in
// the project's folder and with its own home; libtorch and METEOR's data come from the cache. The
// commands must print what the text shows, except for numbers.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and trains for a minute")
	}
	needLibtorch(t)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := cli.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	goDirs, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := strings.Fields(string(goDirs))
	steps := tutorialSteps(t, root)
	script := ""
	for i, step := range steps {
		script += fmt.Sprintf("%s\necho '=== step %d'\n", step.commands, i)
	}
	c := exec.Command("bash", "-eu", "-o", "pipefail", "-c", script)
	c.Dir = root
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "GLIMPSE_CACHE="+cache, "GLIMPSE_DB=", "GLIMPSE_DATA=", "GLIMPSE_ENGINE=", "NO_COLOR=1",
		"GOCACHE="+dirs[0], "GOMODCACHE="+dirs[1], "GOPATH="+dirs[2])
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%v after\n%s%s", err, stdout.String(), stderr.String())
	}
	rest := stdout.String()
	for i, step := range steps {
		var printed string
		printed, rest, _ = strings.Cut(rest, fmt.Sprintf("=== step %d\n", i))
		checkPrinted(t, step, printed)
	}
}

// checkPrinted checks that the lines shown for a step are printed in this order, with others
// between them only where there is a "…".
func checkPrinted(t *testing.T, step tutorialStep, printed string) {
	t.Helper()
	lines := strings.Split(alike(printed), "\n")
	at, skip := 0, true // before the first line, anything may be printed
	for want := range strings.SplitSeq(strings.TrimSpace(step.printed), "\n") {
		if want == "…" || want == "" {
			skip = true
			continue
		}
		want, from := alike(want), at
		for skip && at < len(lines) && lines[at] != want {
			at++
		}
		if at == len(lines) || lines[at] != want {
			t.Errorf("%s\nshould print, from line %d on, %q; it prints\n%s", step.commands, from+1, want, printed)
			return
		}
		at, skip = at+1, false
	}
}

// alike makes lines equal that differ only in numbers and in the widths of columns.
func alike(text string) string {
	text = regexp.MustCompile(`<?[+-]?\d[\d.,]*[smh]?`).ReplaceAllString(text, "#")
	text = regexp.MustCompile(`(#\w*)+`).ReplaceAllString(text, "#")
	return regexp.MustCompile(`[ \t]+`).ReplaceAllString(text, " ")
}
