package term

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// clock gives times that the test moves on.
type clock struct {
	at  time.Time
	due []func() // what is to be done later
}

func (c *clock) now() time.Time { return c.at }

func (c *clock) after(_ time.Duration, do func()) *time.Timer {
	c.due = append(c.due, do)
	return time.NewTimer(time.Hour)
}

func newTestProgress(tty bool) (*Progress, *bytes.Buffer, *clock) {
	var out bytes.Buffer
	c := &clock{at: time.Unix(1000, 0)}
	return &Progress{w: &out, tty: tty, width: func() int { return 60 }, now: c.now, after: c.after}, &out, c
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
	if !strings.Contains(out.String(), "\r\x1b[1A\x1b[J") {
		t.Errorf("the first bar was not erased before both were drawn: %q", out)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if n := utf8.RuneCountInString(strings.TrimPrefix(line, "\r\x1b[1A\x1b[J")); n >= 60 {
			t.Errorf("a line of %d characters wraps at 60: %q", n, line)
		}
	}
	out.Reset()
	p.Log("stays")
	if !strings.HasPrefix(out.String(), "\r\x1b[2A\x1b[Jstays\n") {
		t.Errorf("a line that stays must take the place of the bars: %q", out)
	}
	out.Reset()
	p.Close()
	if out.String() != "\r\x1b[2A\x1b[J" {
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
	p.Update("a", 0, 4, strings.Repeat("long ", 40)) // 57 characters
	width := 20
	p.width = func() int { return width }
	c.at = c.at.Add(time.Second)
	out.Reset()
	p.Update("a", 1, 4, "")
	if !strings.HasPrefix(out.String(), "\r\x1b[3A\x1b[J") {
		t.Errorf("a line of 57 stands on 3 lines of 20, but was erased by %q", out)
	}
}

// What is updated too soon after a redraw, such as several trials at once, is drawn a moment later.
func TestBarsCatchUp(t *testing.T) {
	p, out, c := newTestProgress(true)
	p.Update("a", 1, 2, "epochs")
	p.Update("b", 3, 4, "epochs")
	p.Update("b", 4, 4, "epochs")
	if strings.Contains(out.String(), "4/4") || len(c.due) != 1 {
		t.Fatalf("%d redraws are due, after %q", len(c.due), out)
	}
	c.due[0]()
	if !strings.Contains(out.String(), "4/4") {
		t.Errorf("the latest update is not drawn: %q", out)
	}
	p.Update("a", 2, 2, "epochs")
	p.Close()
	out.Reset()
	c.due[1]()
	if out.String() != "" {
		t.Errorf("drawn after the end: %q", out)
	}
}

// Bars stand in columns, and what does not fit goes as a whole: no number is cut.
func TestBarsInColumns(t *testing.T) {
	now := time.Unix(1000, 0)
	bars := []*bar{
		{name: "study", done: 5, total: 10, note: "trials", began: now},
		{name: "d965ce soft seed 11", done: 59, total: 100, note: "epoch 1/2  loss 1.351", from: 0, began: now.Add(-2 * time.Minute)},
		{name: "05c6a3 soft seed 3", note: "reading the data", began: now},
	}
	for _, c := range []struct {
		width int
		want  string
	}{
		{90, `
study                ████████████░░░░░░░░░░░░   5/10  trials
d965ce soft seed 11  ██████████████░░░░░░░░░░ 59/100  epoch 1/2  loss 1.351  1m23s left
05c6a3 soft seed 3   reading the data
`},
		{79, `
study                ████████░░░░░░░░   5/10  trials
d965ce soft seed 11  █████████░░░░░░░ 59/100  epoch 1/2  loss 1.351  1m23s left
05c6a3 soft seed 3   reading the data
`},
		{60, `
study                ████░░░░   5/10  trials
d965ce soft seed 11  ████░░░░ 59/100  epoch 1/2  loss 1.351
05c6a3 soft seed 3   reading the data
`},
		{12, `
study
d965ce soft
05c6a3 soft
`},
	} {
		lines := drawings(bars, now, c.width)
		for i, line := range lines {
			if n := utf8.RuneCountInString(line); n > c.width {
				t.Errorf("width %d: a line of %d characters: %q", c.width, n, line)
			}
			lines[i] = strings.TrimRight(line, " ")
		}
		if got := "\n" + strings.Join(lines, "\n") + "\n"; got != c.want {
			t.Errorf("width %d: drawn%snot%s", c.width, got, c.want)
		}
	}
}

// What is known of the time left counts, not the pace.
func TestExpectedTimeIsShown(t *testing.T) {
	p, _, c := newTestProgress(true)
	p.Update("study", 0, 10, "trials")
	c.at = c.at.Add(time.Minute)
	p.Update("study", 1, 10, "trials")
	for _, step := range []struct {
		known time.Duration
		want  float64
	}{{0, 540}, {2 * time.Minute, 120}, {0, 540}} {
		p.Expect("study", step.known)
		if left := p.bars[0].left(c.at); left != step.want {
			t.Errorf("%v is known: %v s left, want %v", step.known, left, step.want)
		}
	}
	p.Expect("study", time.Second)
	if left := p.bars[0].left(c.at.Add(time.Minute)); left != 0 {
		t.Errorf("%v s left of what was expected to be done", left)
	}
}

// No one waits for milliseconds.
func TestASecondIsLeft(t *testing.T) {
	now := time.Unix(1000, 0)
	b := bar{done: 98, total: 100, began: now.Add(-10 * time.Second)}
	if left := b.left(now); left != 1 {
		t.Errorf("%v s left, want 1", left)
	}
}
