package browser

import (
	"flag"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	axe   = flag.String("axe", "", "axe.min.js of the npm package axe-core, with which tests look for what keeps people out")
	pages = flag.String("pages", "", "a folder for the pages that tests look at, as they were sent, for html-validate")
)

// Axe tells what axe-core finds on the page, on a light ground and on a dark one; nothing without
// the flag -axe.
func (p *Page) Axe(what string) {
	p.t.Helper()
	if *axe == "" {
		return
	}
	script, err := os.ReadFile(*axe)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, scheme := range []string{"dark", "light"} {
		p.Do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
			chromedp.Evaluate(string(script), nil))
		found := Eval[string](p, `axe.run().then((r) => r.violations.map((v) => v.id + ": " +
			v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message || "")).join("; ")).join("\n"))`)
		if found != "" {
			p.t.Errorf("axe finds on %s, %s:\n%s", what, scheme, found)
		}
	}
}

// Keep keeps the HTML of a page for html-validate; nothing without the flag -pages.
func Keep(name string, html []byte) error {
	if *pages == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(*pages, name+".html"), html, 0o600)
}
