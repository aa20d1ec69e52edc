package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
)

// TestColourChangesNoText checks that a pipe, a terminal and a terminal with NO_COLOR get the same
// text, and that only a terminal without NO_COLOR gets escape sequences: those of colours.
func TestColourChangesNoText(t *testing.T) {
	clitest.Sandbox(t, nil)
	const protocol = "data=x/official@1 decode=beam:5 metrics=1"
	var runs []made
	for seed := range int64(2) {
		for i, arm := range []string{"none", "soft"} {
			runs = append(runs, made{id: fmt.Sprintf("%s0%d", []string{"aa", "bb"}[i], seed), arm: arm, seed: seed, signature: protocol,
				swept: map[string]string{"model.attention": arm}, captions: scoredCaptions(0.4+0.05*float64(i), 10*int64(i)+seed)})
		}
	}
	makeResults(t, store.Study{Name: "made-up", Compare: json.RawMessage(
		`{"arms": "model.attention", "baseline": "none", "contrasts": [["soft", "none"]], "primary": {"metric": "test.cider", "alpha": 0.05}}`)}, "{}", runs)

	t.Setenv("TERM", "xterm")
	for line, coloured := range map[string]bool{
		"compare none soft --study made-up": true,
		"compare aa00 bb00":                 false,
		"runs made-up":                      false,
		"show aa00":                         false,
		"watch made-up":                     false,
	} {
		args := strings.Fields(line)
		t.Setenv("NO_COLOR", "")
		code, piped, stderr := call(t, args...)
		if code != 0 || piped == "" {
			t.Fatalf("glimpse %s: exit code %d, %s", line, code, stderr)
		}
		colour := onTerminal(t, args...)
		t.Setenv("NO_COLOR", "1")
		plain := onTerminal(t, args...)
		if plain != piped {
			t.Errorf("glimpse %s with NO_COLOR on a terminal:\n%q\nin a pipe:\n%q", line, plain, piped)
		}
		if bare := sgr.ReplaceAllString(colour, ""); bare != piped || (colour != piped) != coloured {
			t.Errorf("glimpse %s on a terminal:\n%q\nin a pipe:\n%q", line, colour, piped)
		}
		if strings.Contains(piped, "\x1b") {
			t.Errorf("glimpse %s: escape sequences in a pipe:\n%q", line, piped)
		}
	}
}

// sgr matches ANSI's escape sequence for colours and weights.
var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// onTerminal runs a command line in this process, with a pseudo-terminal of 1,000 columns as
// standard output, and returns what the terminal was sent.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("needs pseudo-terminals: ", err)
	}
	defer ours.Close()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0)) // unlock the other end
	number, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	ok(err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	ok(err)
	ok(unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 1000}))
	sent := make(chan string)
	go func() {
		text, _ := io.ReadAll(ours) // ends with EIO when the other end is closed
		sent <- string(text)
	}()
	var stderr strings.Builder
	code := cli.Run(t.Context(), newRoot(), args, strings.NewReader(""), terminal, &stderr)
	ok(terminal.Close())
	text := strings.ReplaceAll(<-sent, "\r\n", "\n")
	if code != 0 {
		t.Fatalf("glimpse %s: exit code %d, %s", strings.Join(args, " "), code, stderr.String())
	}
	return text
}
