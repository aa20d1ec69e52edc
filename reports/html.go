package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"glimpse/internal/term"
	"glimpse/reports/charts"
)

var (
	//go:embed page.html.tmpl
	pageTemplate string
	//go:embed style.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

var web = template.Must(template.New("page").Parse(pageTemplate))

// webPage writes the page, whose figures are drawn, as one self-contained HTML
// file. The sheet holds the styles of the figures.
func webPage(p page, sheet *stylesheet) ([]byte, error) {
	style := Style() + sheet.css() + p.pictureRules()
	if err := p.enliven(); err != nil {
		return nil, fmt.Errorf("write index.html: %w", err)
	}
	var b bytes.Buffer
	err := web.Execute(&b, struct {
		page
		Style  template.CSS
		Script template.JS
	}{p, template.CSS(style), template.JS(charts.Script() + pageScript)})
	if err != nil {
		return nil, fmt.Errorf("write index.html: %w", err)
	}
	return bytes.Map(term.Printable, b.Bytes()), nil
}

// enliven makes the live twins of figures and parts.
func (p *page) enliven() error {
	for f := range p.figures() {
		if err := f.enliven(); err != nil {
			return err
		}
	}
	for _, s := range p.Sections {
		for i := range s.Parts {
			if err := s.Parts[i].enliven(); err != nil {
				return err
			}
		}
	}
	return nil
}

// enliven makes the live twin of a part, whose stand-in is what the part shows without it.
func (p *part) enliven() error {
	if p.Live == nil {
		return nil
	}
	if p.Live.Static == "" {
		var still bytes.Buffer
		if err := web.ExecuteTemplate(&still, "part", p); err != nil {
			return err
		}
		p.Live.Static = template.HTML(still.String())
	}
	var err error
	p.Inline, err = p.Live.HTML()
	return err
}

// enliven makes the live twin of a drawn figure, if it has one.
func (f *figure) enliven() error {
	if f.Kind == "" {
		return nil
	}
	var note bytes.Buffer
	if err := web.ExecuteTemplate(&note, "note", f); err != nil {
		return err
	}
	live, err := charts.Figure{
		Name: f.Name, Title: f.Title, Kind: f.Kind, Data: f.Data, Source: f.Source,
		Static: `<div class="plot">` + f.Inline + `</div>`, Note: template.HTML(note.String()),
	}.HTML()
	f.Live = live
	return err
}
