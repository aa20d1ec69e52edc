package reports

import (
	"bytes"
	"context"
	"fmt"
	"html/template"

	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/reports/charts"
	"glimpse/results"
)

// An Excerpt is what a page that is shown while a study runs takes from its report: the same
// answer, figures and tables, in parts.
type Excerpt struct {
	Study, Question string
	// Word and Sentence are the answer; Class is the class of its box.
	Word, Class, Sentence string
	Terms, Notices        []string
	// Withheld says why the test split is hidden ([results.Study.Withheld]); "" where it is shown.
	Withheld string
	Sections []ExcerptSection
	Style    string // CSS of the figures
	// Colours are those of the runs' arms, by run: places in [charts.ArmTints].
	Colours map[string]int
}

// An ExcerptSection is a section of the report as an element of a page.
type ExcerptSection struct {
	Name, Title string
	HTML        template.HTML
}

// ReadExcerpt reads what is shown of a study. While its test split is withheld, nothing that
// rests on single scores of it is in what it gives.
func ReadExcerpt(ctx context.Context, db *store.DB, study string) (*Excerpt, error) {
	evidence, err := outline(ctx, db, study)
	if err != nil {
		return nil, err
	}
	r, err := analyse(ctx, evidence)
	if err != nil {
		return nil, err
	}
	v := r.excerptVerdict()
	page := &Excerpt{Study: study, Question: r.Study.Question, Word: v.Word, Class: v.Class, Sentence: v.Sentence,
		Terms: r.terms(), Withheld: r.withheld, Colours: map[string]int{}}
	if r.withheld == "" {
		page.Notices = r.Notices
	}
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			page.Colours[run.ID] = a.Colour
		}
	}
	var sheet stylesheet
	for _, s := range r.excerptSections() {
		if len(s.Parts) == 0 {
			continue
		}
		section, err := excerptSection(ctx, s, &sheet)
		if err != nil {
			return nil, fmt.Errorf("study %q: %w", study, err)
		}
		page.Sections = append(page.Sections, section)
	}
	page.Style = sheet.css()
	return page, r.said.err
}

// excerptVerdict is the verdict or, while nothing may be known of it, what the study waits for.
func (r *result) excerptVerdict() verdict {
	if r.withheld == "" {
		return r.verdict()
	}
	if c := r.headline(); c != nil && c.Result != nil && len(c.Result.Looks) > 0 {
		return r.verdict() // of the last look
	}
	return verdict{"No answer yet", "open", r.withheld}
}

// excerptSections are those of the report that are of use while a study runs.
func (r *result) excerptSections() []section {
	if r.withheld == "" {
		return []section{r.scoreSection(), r.contrastSection(), r.sweepSection(), r.amendmentSection(), r.learningSection()}
	}
	var looks section
	if t := r.lookTable(); len(t.Rows) > 0 {
		looks = section{Name: "looks", Title: "Looks", Parts: []part{{Table: &t}}}
	}
	return []section{looks, r.learningSection()}
}

// excerptSection draws the figures of a section and writes it.
func excerptSection(ctx context.Context, s section, sheet *stylesheet) (ExcerptSection, error) {
	s.Leading = true // so that nothing of it is folded
	p := page{Sections: []section{s}}
	for f := range p.figures() {
		if err := ctx.Err(); err != nil {
			return ExcerptSection{}, err
		}
		body, err := f.body()
		if err != nil {
			return ExcerptSection{}, err
		}
		f.Inline, f.Alone = f.inline(body, sheet), true
	}
	if err := p.enliven(); err != nil {
		return ExcerptSection{}, err
	}
	var b bytes.Buffer
	if err := web.ExecuteTemplate(&b, "section", s); err != nil {
		return ExcerptSection{}, fmt.Errorf("write section %s: %w", s.Name, err)
	}
	return ExcerptSection{s.Name, s.Title, template.HTML(bytes.Map(term.Printable, b.Bytes()))}, nil
}

// Style is the style sheet that the report's page and live pages share, without that of single
// figures.
func Style() string { return charts.Style() + pageStyle }

// MetricName gives the usual name of a metric with its split: "CIDEr (test)".
func MetricName(m results.Metric) string { return metric{m}.name() }

// StateClass gives the CSS class of a run's state.
func StateClass(state string) string { return "state-" + knownState(state) }
