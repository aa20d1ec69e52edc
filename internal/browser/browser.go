// Package browser opens pages in a real Chromium, for tests: what a page does under the pointer and the keys, and what its
// console says of it. It must not import any other package of this module.
package browser

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// limit is how long a test may use a page.
const limit = time.Minute

// names are the programs that are looked for, in this order.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// A Page is a page of a browser.
type Page struct {
	ctx    context.Context
	t      testing.TB
	mutex  sync.Mutex
	faults []string
}

// Open starts a browser with a window of that size and opens the page of a URL. Both end with the test. The test is skipped
// where there is no Chromium, and fails if anything goes wrong, or if the page's console tells of an error.
func Open(t testing.TB, url string, width, height int64) *Page {
	t.Helper()
	program := ""
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium here; on Debian: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.WindowSize(int(width), int(height)))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &Page{ctx: ctx, t: t}
	chromedp.ListenTarget(ctx, p.listen)
	p.Do(log.Enable(), chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
	t.Cleanup(func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		for _, f := range p.faults {
			t.Errorf("the page's console: %s", f)
		}
	})
	return p
}

// listen keeps what the page's console tells of errors.
func (p *Page) listen(event any) {
	fault := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault = e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			for _, a := range e.Args {
				fault += fmt.Sprintf("%s%s ", a.Value, a.Description)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			fault = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if fault != "" {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.faults = append(p.faults, fault)
	}
}

// Do does actions one after the other.
func (p *Page) Do(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.t.Fatalf("in the browser: %v", err)
	}
}

// Eval gives what a JavaScript expression is, as JSON is read into a T. A promise is waited for.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	var value T
	p.Do(chromedp.Evaluate(expression, &value, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	return value
}

// Wait waits until a JavaScript expression is true.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	p.Do(chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(10*time.Second)))
}

// Point moves the pointer to a place of the element of a CSS selector: x and y are shares of its width and height.
func (p *Page) Point(selector string, x, y float64) {
	p.t.Helper()
	left, top := p.place(selector, x, y)
	p.Do(chromedp.MouseEvent("mouseMoved", left, top))
}

// Drag presses the pointer at one place of an element and leaves it at another.
func (p *Page) Drag(selector string, fromX, fromY, toX, toY float64) {
	p.t.Helper()
	x, y := p.place(selector, fromX, fromY)
	u, v := p.place(selector, toX, toY)
	p.Do(chromedp.MouseEvent("mousePressed", x, y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseMoved", (x+u)/2, (y+v)/2, chromedp.ButtonLeft, heldDown),
		chromedp.MouseEvent("mouseMoved", u, v, chromedp.ButtonLeft, heldDown),
		chromedp.MouseEvent("mouseReleased", u, v, chromedp.ButtonLeft))
}

// heldDown says that the left button is down while the pointer moves.
func heldDown(e *input.DispatchMouseEventParams) *input.DispatchMouseEventParams {
	return e.WithButtons(1)
}

// place scrolls an element into the window and gives the place there.
func (p *Page) place(selector string, x, y float64) (left, top float64) {
	p.t.Helper()
	box := Eval[[]float64](p, fmt.Sprintf(
		`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "nearest"}); const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] })()`, selector))
	return box[0] + x*box[2], box[1] + y*box[3]
}
