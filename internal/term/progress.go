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
	barWidth    = 24                     // where the terminal has the room
	leastBar    = 8
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
	after func(time.Duration, func()) *time.Timer

	bars  []*bar
	drawn []int       // lengths of the lines of bars now on the terminal
	last  time.Time   // of the latest redraw
	due   *time.Timer // draws what was updated too soon after the latest redraw; nil if nothing was
}

// A bar is one piece of work.
type bar struct {
	name        string
	done, total int
	from        int // done when began
	note        string
	began       time.Time
	until       time.Time // when it is expected to end; zero: as its pace says
	said        time.Time // of the latest plain line
}

// NewProgress shows progress on w, with bars if w is a terminal.
func NewProgress(w io.Writer) *Progress {
	if file, ok := fileOf(w); ok {
		w = file // past an Output: it writes escape sequences of its own
	}
	p := &Progress{w: w, now: time.Now, after: time.AfterFunc, tty: IsTerminal(w) && os.Getenv("TERM") != "dumb", width: func() int { return Width(w) }}
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
	case p.tty && p.due == nil:
		p.due = p.after(redrawEvery-now.Sub(p.last), p.catchUp)
	case !p.tty && now.Sub(b.said) >= plainEvery && done < total:
		b.said = now
		fmt.Fprintln(p.w, b.plain(now))
	}
}

// Expect says how much longer the work called name is likely to take, where that is known better than by its pace; 0 where
// it is not.
func (p *Progress) Expect(name string, left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.find(Line(name)); b != nil {
		b.until = time.Time{}
		if left > 0 {
			b.until = p.now().Add(left)
		}
	}
}

// catchUp draws what has not been drawn since it was updated.
func (p *Progress) catchUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due != nil {
		p.redraw(p.now())
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
		_ = Message(p.w, line)
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
	p.settle()
}

// settle forgets that something is still to be drawn.
func (p *Progress) settle() {
	if p.due != nil {
		p.due.Stop()
		p.due = nil
	}
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
// narrower shows them on more lines, and one that echoes Ctrl-C has left the first column.
func (p *Progress) erase() {
	if len(p.drawn) == 0 {
		return
	}
	lines, width := 0, max(1, p.width())
	for _, length := range p.drawn {
		lines += max(1, (length+width-1)/width)
	}
	fmt.Fprintf(p.w, "\r\x1b[%dA\x1b[J", lines)
	p.drawn = nil
}

func (p *Progress) redraw(now time.Time) {
	p.erase()
	p.settle()
	p.last = now
	var text strings.Builder
	for _, line := range drawings(p.bars, now, p.width()-1) {
		text.WriteString(line + "\n")
		p.drawn = append(p.drawn, utf8.RuneCountInString(line))
	}
	io.WriteString(p.w, text.String())
}

// drawings are the lines of bars, in columns and at most width characters wide, so that none wraps. Where that is too
// narrow, bars get shorter first, and then lines lose what stands last.
func drawings(bars []*bar, now time.Time, width int) []string {
	names, counts, rest := 0, 0, 0
	for _, b := range bars {
		names = max(names, utf8.RuneCountInString(b.name))
		if b.total > 0 {
			counts = max(counts, len(b.count()))
			rest = max(rest, utf8.RuneCountInString(strings.Join(b.notes(now), gap)))
		}
	}
	filled := max(leastBar, min(barWidth, width-names-counts-rest-2*len(gap)-1))
	lines := make([]string, 0, len(bars))
	for _, b := range bars {
		line := fmt.Sprintf("%-*s", names, b.name)
		if b.total > 0 {
			done := min(filled, filled*b.done/b.total)
			line += fmt.Sprintf("%s%s%s %*s", gap, strings.Repeat("█", done), strings.Repeat("░", filled-done), counts, b.count())
		}
		for i, note := range b.notes(now) {
			longer := line + gap + note
			if i > 0 && utf8.RuneCountInString(longer) > width {
				break
			}
			line = longer
		}
		lines = append(lines, clip(line, width))
	}
	return lines
}

// gap stands between what a line of progress has to tell.
const gap = "  "

func (b *bar) count() string { return fmt.Sprintf("%d/%d", b.done, b.total) }

// notes are what a line tells behind its bar, the most important first.
func (b *bar) notes(now time.Time) []string {
	var notes []string
	if b.note != "" {
		notes = strings.Split(b.note, gap)
	}
	if left := b.left(now); left > 0 {
		notes = append(notes, Span(left)+" left")
	}
	return notes
}

func (b *bar) plain(now time.Time) string {
	if b.total <= 0 {
		return fmt.Sprintf("%s: %s", b.name, b.note)
	}
	line := b.name + ": " + b.count()
	if b.note != "" {
		line += ", " + b.note
	}
	if left := b.left(now); left > 0 {
		line += ", " + Span(left) + " left"
	}
	return line
}

// left estimates the seconds still to go, at least one; 0 where there is no saying.
func (b *bar) left(now time.Time) float64 {
	if !b.until.IsZero() {
		if !now.Before(b.until) {
			return 0 // it was expected to be done by now
		}
		return max(1, b.until.Sub(now).Seconds())
	}
	elapsed := now.Sub(b.began).Seconds()
	if b.done <= b.from || b.done >= b.total || elapsed < 1 {
		return 0
	}
	return max(1, elapsed/float64(b.done-b.from)*float64(b.total-b.done))
}

// clip cuts a line to width characters, behind a word if it has several.
func clip(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	short := string([]rune(line)[:width+1])
	if at := strings.LastIndex(short, " "); at > 0 {
		return strings.TrimRight(short[:at], " ")
	}
	return string([]rune(line)[:width])
}
