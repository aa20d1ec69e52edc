package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

var (
	//go:embed page.html.tmpl
	pageTemplate string
	//go:embed style.css
	pageStyle string
)

// sampleNote says which captions are shown.
const sampleNote = "Images spread evenly over the split, not chosen by any result; from each arm the captions of its most typical seed, the one nearest to the arm’s mean. In brackets: the caption’s own CIDEr, in points."

// A drawing is a figure with its picture for the page.
type drawing struct {
	figure
	SVG template.HTML
}

// A webView is the page with its figures drawn.
type webView struct {
	page
	Style                    template.CSS
	Answers, Curves, ByWord  []drawing
	SampleNote, SpecFileName string
}

var web = template.Must(template.New("page").Parse(pageTemplate))

// webPage writes the page as one self-contained HTML file.
func webPage(p page) ([]byte, error) {
	var sheet stylesheet
	view := webView{page: p, SampleNote: sampleNote, SpecFileName: fileName(p.Study) + ".yaml"}
	var err error
	if view.Answers, err = drawings(&sheet, p.Answer); err != nil {
		return nil, err
	}
	if view.Curves, err = drawings(&sheet, p.Learning); err != nil {
		return nil, err
	}
	if p.Beta != nil {
		if view.ByWord, err = drawings(&sheet, []figure{*p.Beta}); err != nil {
			return nil, err
		}
	}
	view.Style = template.CSS(strings.NewReplacer(
		"/*light*/", properties(false), "/*dark*/", properties(true), "/*arms*/", armRules(),
	).Replace(pageStyle) + sheet.css())
	var b bytes.Buffer
	if err := web.Execute(&b, view); err != nil {
		return nil, fmt.Errorf("write index.html: %w", err)
	}
	return bytes.Map(printable, b.Bytes()), nil
}

// printable replaces the control characters that HTML forbids, whatever text
// they came with.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r >= 0x7F && r < 0xA0 {
		return ' '
	}
	return r
}

func drawings(sheet *stylesheet, figures []figure) ([]drawing, error) {
	var list []drawing
	for _, f := range figures {
		svg, err := f.inline(sheet)
		if err != nil {
			return nil, err
		}
		list = append(list, drawing{f, svg})
	}
	return list, nil
}

// armRules colour the names of the arms.
func armRules() string {
	var b strings.Builder
	for i := range armTints {
		fmt.Fprintf(&b, ".%s{color:var(--arm%d-text);font-weight:600}\n", armClass(i), i)
	}
	return b.String()
}
