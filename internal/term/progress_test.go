package term

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// clock gives times that the test moves on.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newTestProgress(tty bool) (*Progress, *bytes.Buffer, *clock) {
	var out bytes.Buffer
	c := &clock{time.Unix(1000, 0)}
	return &Progress{w: &out, tty: tty, width: func() int { return 60 }, now: c.now}, &out, c
}

func TestPlainProgressIsSparse(t *testing.T) {
	p, out, c := newTestProgress(false)
	for done := range 100 {
		p.Update("features", done, 100, "images")
		c.at = c.at.Add(time.Second)
	}
	p.Finish("features", "features ready")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 7 { // one each 15 s of 100, and the last
		t.Errorf("%d lines, want 7:\n%s", len(lines), out)
	}
	if lines[0] != "features: 15/100, images, 1m25s left" {
		t.Errorf("first line %q", lines[0])
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("escape sequences in a pipe")
	}
}

func TestBarsAreRedrawnInPlace(t *testing.T) {
	p, out, c := newTestProgress(true)
	p.Update("a", 1, 2, "")
	c.at = c.at.Add(time.Second)
	p.Update("b", 0, 4, strings.Repeat("long ", 40))
	if !strings.Contains(out.String(), "\x1b[1A\x1b[J") {
		t.Errorf("the first bar was not erased before both were drawn: %q", out)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if n := utf8.RuneCountInString(strings.TrimPrefix(line, "\x1b[1A\x1b[J")); n >= 60 {
			t.Errorf("a line of %d characters wraps at 60: %q", n, line)
		}
	}
	out.Reset()
	p.Log("stays")
	if !strings.HasPrefix(out.String(), "\x1b[2A\x1b[Jstays\n") {
		t.Errorf("a line that stays must take the place of the bars: %q", out)
	}
	out.Reset()
	p.Close()
	if out.String() != "\x1b[2A\x1b[J" {
		t.Errorf("close must erase the bars: %q", out)
	}
}

func TestANewRoundForgetsThePace(t *testing.T) {
	p, _, c := newTestProgress(false)
	p.Update("trial", 90, 100, "epoch 1")
	c.at = c.at.Add(90 * time.Second)
	p.Update("trial", 1, 100, "epoch 2")
	c.at = c.at.Add(2 * time.Second)
	if left := p.bars[0].left(c.at); left != 2*99 {
		t.Errorf("%v s left, want 198", left)
	}
}

func TestBarsOfANarrowedTerminalAreErased(t *testing.T) {
	p, out, c := newTestProgress(true)
	p.Update("a", 0, 4, strings.Repeat("long ", 40)) // 59 characters
	width := 20
	p.width = func() int { return width }
	c.at = c.at.Add(time.Second)
	out.Reset()
	p.Update("a", 1, 4, "")
	if !strings.HasPrefix(out.String(), "\x1b[3A\x1b[J") {
		t.Errorf("a line of 59 stands on 3 lines of 20, but was erased by %q", out)
	}
}
