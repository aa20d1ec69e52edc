package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"glimpse/internal/term"
)

var (
	//go:embed page.html.tmpl
	pageTemplate string
	//go:embed style.css
	pageStyle string
)

var web = template.Must(template.New("page").Parse(pageTemplate))

// webPage writes the page, whose figures are drawn, as one self-contained HTML
// file. The sheet holds the styles of the figures.
func webPage(p page, sheet *stylesheet) ([]byte, error) {
	style := Style() + sheet.css() + p.pictureRules()
	var b bytes.Buffer
	err := web.Execute(&b, struct {
		page
		Style template.CSS
	}{p, template.CSS(style)})
	if err != nil {
		return nil, fmt.Errorf("write index.html: %w", err)
	}
	return bytes.Map(printable, b.Bytes()), nil
}

// printable replaces the control characters that HTML forbids, and those by which a text shows other
// than it is, whatever text they came with.
func printable(r rune) rune {
	if term.Hidden(r) && r != '\n' && r != '\t' {
		return ' '
	}
	return r
}

// armRules colour the names of the arms.
func armRules() string {
	var b strings.Builder
	for i := range armTints {
		fmt.Fprintf(&b, ".%s{color:var(--arm%d-text);font-weight:600}\n", armClass(i), i)
	}
	return b.String()
}
