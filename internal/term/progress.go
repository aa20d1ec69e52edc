package term

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	terminal "golang.org/x/term"
)

const (
	redrawEvery = 100 * time.Millisecond // bars on a terminal
	plainEvery  = 15 * time.Second       // lines of a bar in a pipe
	barWidth    = 24
)

// Progress shows how far several pieces of work have come. On a terminal, each has a bar that is redrawn in place below
// the lines that stay; in a pipe, each says so in a plain line now and then. What is hidden in its texts is
// shown ([Lines]). It is safe for concurrent use.
type Progress struct {
	mu    sync.Mutex
	w     io.Writer
	tty   bool
	width func() int
	now   func() time.Time

	bars  []*bar
	drawn []int     // lengths of the lines of bars now on the terminal
	last  time.Time // of the latest redraw
}

// A bar is one piece of work.
type bar struct {
	name        string
	done, total int
	from        int // done when began
	note        string
	began       time.Time
	said        time.Time // of the latest plain line
}

// NewProgress shows progress on w, with bars if w is a terminal.
func NewProgress(w io.Writer) *Progress {
	if file, ok := fileOf(w); ok {
		w = file // past an Output: it writes escape sequences of its own
	}
	p := &Progress{w: w, now: time.Now, tty: IsTerminal(w) && os.Getenv("TERM") != "dumb", width: func() int { return Width(w) }}
	return p
}

// IsTerminal says whether a person sees what is written to w.
func IsTerminal(w io.Writer) bool {
	file, ok := fileOf(w)
	return ok && terminal.IsTerminal(int(file.Fd()))
}

// HasBars tells whether there are bars: a terminal has, a pipe gets lines.
func (p *Progress) HasBars() bool { return p.tty }

// Update tells that done of total steps of the work called name are done; the first call begins it.
func (p *Progress) Update(name string, done, total int, note string) {
	name, note = Line(name), Line(note)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	b := p.find(name)
	if b == nil {
		b = &bar{name: name, began: now, said: now, done: done, from: done}
		p.bars = append(p.bars, b)
	}
	if done < b.done { // a new round of the same work
		b.began, b.from = now, 0
	}
	b.done, b.total, b.note = done, total, note
	switch {
	case p.tty && now.Sub(p.last) >= redrawEvery:
		p.redraw(now)
	case !p.tty && now.Sub(b.said) >= plainEvery && done < total:
		b.said = now
		fmt.Fprintln(p.w, b.plain(now))
	}
}

// Finish ends the work called name; line, unless empty, stays on the screen.
func (p *Progress) Finish(name, line string) {
	name = Line(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range p.bars {
		if b.name == name {
			p.bars = append(p.bars[:i], p.bars[i+1:]...)
			break
		}
	}
	p.printLine(line)
}

// Log prints a line that stays.
func (p *Progress) Log(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printLine(line)
}

func (p *Progress) printLine(line string) {
	p.erase()
	if line != "" {
		fmt.Fprintln(p.w, Lines(line))
	}
	if p.tty {
		p.redraw(p.now())
	}
}

// Close removes the bars.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bars = nil
	p.erase()
}

func (p *Progress) find(name string) *bar {
	for _, b := range p.bars {
		if b.name == name {
			return b
		}
	}
	return nil
}

// erase takes the drawn bars off the terminal, and leaves the cursor where the first one was. A terminal that has become
// narrower shows them on more lines.
func (p *Progress) erase() {
	if len(p.drawn) == 0 {
		return
	}
	lines, width := 0, max(1, p.width())
	for _, length := range p.drawn {
		lines += max(1, (length+width-1)/width)
	}
	fmt.Fprintf(p.w, "\x1b[%dA\x1b[J", lines)
	p.drawn = nil
}

func (p *Progress) redraw(now time.Time) {
	p.erase()
	p.last = now
	width := p.width()
	var text strings.Builder
	for _, b := range p.bars {
		line := clip(b.drawing(now), width-1)
		text.WriteString(line + "\n")
		p.drawn = append(p.drawn, utf8.RuneCountInString(line))
	}
	io.WriteString(p.w, text.String())
}

func (b *bar) drawing(now time.Time) string {
	if b.total <= 0 {
		return fmt.Sprintf("%s  %s", b.name, b.note)
	}
	filled := min(barWidth, barWidth*b.done/b.total)
	line := fmt.Sprintf("%s  %s%s %d/%d  %s", b.name,
		strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), b.done, b.total, b.note)
	if left := b.left(now); left > 0 {
		line += "  " + Span(left) + " left"
	}
	return line
}

func (b *bar) plain(now time.Time) string {
	if b.total <= 0 {
		return fmt.Sprintf("%s: %s", b.name, b.note)
	}
	line := fmt.Sprintf("%s: %d/%d", b.name, b.done, b.total)
	if b.note != "" {
		line += ", " + b.note
	}
	if left := b.left(now); left > 0 {
		line += ", " + Span(left) + " left"
	}
	return line
}

// left estimates the seconds still to go from the pace so far; 0 where there is no saying.
func (b *bar) left(now time.Time) float64 {
	elapsed := now.Sub(b.began).Seconds()
	if b.done <= b.from || b.done >= b.total || elapsed < 1 {
		return 0
	}
	return elapsed / float64(b.done-b.from) * float64(b.total-b.done)
}

// clip cuts a line to width characters, so that a bar never wraps.
func clip(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	return string([]rune(line)[:width])
}
