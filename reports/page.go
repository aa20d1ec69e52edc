package reports

import (
	"fmt"
	"html/template"
	"iter"
	"slices"
	"strings"

	"glimpse/internal/term"
	"glimpse/reports/charts"
)

// A page is everything that the report says, in the order in which it is said:
// the page and its Markdown twin are two ways to write it down. The answer
// comes first, then how sure it is, then why, then what it rests on.
type page struct {
	Study    string
	Question string
	Verdict  verdict
	Terms    []string // what was declared before anything was scored
	Notices  []string
	Sections []section
	Tables   []string // names of the files with tables
}

// A section is a part of the page with a heading.
type section struct {
	Name    string // id in the page
	Title   string
	Finding string // what is to be seen in it, "" where that cannot be said in a sentence
	Parts   []part // never none
	Leading bool   // it belongs to the answer: the page shows it unfolded
}

// Contents says what is in a section, for the line that it is folded behind: "2 figures and 1 table".
func (s section) Contents() string {
	var figures, tables, captions, pictures int
	for _, p := range s.Parts {
		figures += len(p.Figures)
		captions += len(p.Samples)
		pictures += len(p.Pictures)
		if p.Table != nil {
			tables++
		}
		if p.Live == nil {
			continue
		}
		if live, ok := p.Live.Data.(*charts.Captions); ok && len(p.Samples) > 0 {
			captions += len(live.Images) - len(p.Samples)
		}
	}
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{{figures, "figure"}, {tables, "table"}, {captions, "image"}, {pictures, "picture"}} {
		if c.n > 0 {
			parts = append(parts, count(c.n, c.noun))
		}
	}
	if len(parts) == 0 {
		return "details"
	}
	return term.Enumerate(parts)
}

// A part is one thing of a section: of its fields below Fold, one is set.
type part struct {
	Fold     string // the line that it hides behind until asked for, "" to show it at once
	Text     string
	Table    *table
	Figures  []figure // side by side where there is room
	Notes    []string
	Samples  []sample
	Pictures []pictured
	Facts    []fact
	Listing  *listing
	Live     *charts.Figure // shows in the page what else the part has, so that it answers to the hand; nil for none
	Inline   template.HTML  // the live figure as an element of the page
}

// A listing is code that is shown as it is.
type listing struct {
	Name     string // what it is
	Language string // for Markdown
	Text     string
}

// leading is how many sections, from the first, give the answer and how sure it is.
const leading = 4

// newPage lays out a result: a new section is a function from *result to
// section, listed here. Those without parts are left out.
func newPage(r *result, tables []string) page {
	p := page{
		Study:    r.Study.Name,
		Question: r.Study.Question,
		Verdict:  r.verdict(),
		Terms:    r.terms(),
		Notices:  r.Notices,
		Tables:   tables,
	}
	if strings.TrimSpace(p.Question) == "" {
		p.Question = "Study " + r.Study.Name
	}
	for i, s := range []section{
		r.scoreSection(),
		r.sweepSection(),
		r.contrastSection(),
		r.ensembleSection(),
		r.amendmentSection(),
		r.imageSection(),
		r.costSection(),
		r.learningSection(),
		r.wordSection(),
		r.readingSection(),
		r.captionSection(),
		r.pictureSection(),
		r.failureSection(),
		r.auditSection(),
		r.trialSection(),
		r.noteSection(),
		r.reproduceSection(),
	} {
		if len(s.Parts) > 0 {
			s.Leading = i < leading
			p.Sections = append(p.Sections, s)
		}
	}
	return p
}

// add appends a part if there is something in it.
func (s *section) add(p part) {
	if p.Text != "" || p.Table != nil && len(p.Table.Rows) > 0 || len(p.Figures)+len(p.Notes)+len(p.Samples)+len(p.Pictures)+len(p.Facts) > 0 || p.Listing != nil || p.Live != nil {
		s.Parts = append(s.Parts, p)
	}
}

// scoreSection is the main table, and every seed.
func (r *result) scoreSection() section {
	s := section{Name: "scores", Title: "Scores"}
	t := r.scoreTable()
	s.Parts = append(s.Parts, part{Table: &t})
	var figures []figure
	if slices.ContainsFunc(r.Arms, func(a *arm) bool { return len(a.Scores) > 0 }) {
		figures = append(figures, dotsFigure(r))
	}
	if slices.ContainsFunc(r.Contrasts, func(c *contrast) bool { return finite(c.Difference) }) {
		figures = append(figures, forestFigure(r))
	}
	s.add(part{Figures: figures})
	return s
}

// trialSection lists the trials, those without a result first.
func (r *result) trialSection() section {
	s := section{Name: "trials", Title: "Trials"}
	failures, runs := r.failureTable(), r.runTable()
	s.add(part{Table: &failures})
	fold := "All " + count(len(r.Runs), "trial")
	if len(runs.Rows) < len(r.Runs) {
		fold = fmt.Sprintf("%d of %s", len(runs.Rows), count(len(r.Runs), "trial"))
	}
	s.Parts = append(s.Parts, part{Fold: fold, Table: &runs})
	return s
}

// terms say what was declared before the test split was scored.
func (r *result) terms() []string {
	finished := r.finished()
	terms := []string{fmt.Sprintf("%d of %s finished", finished, count(len(r.Runs), "trial"))}
	if len(r.Contrasts) == 0 {
		return append(terms, "metric: "+r.Primary.name())
	}
	terms = append(terms, "declared metric: "+r.Primary.name())
	if r.MinimumEffect > 0 {
		terms = append(terms, "smallest effect that matters: "+pointsText(r.MinimumEffect))
	}
	if r.Analysis != nil {
		terms = append(terms, "α = "+number(r.Analysis.Options.Alpha), count(r.Analysis.Images, "image"))
	}
	if r.sequential() {
		terms = append(terms, stopText(r.Compare.Stop))
	}
	if n := len(r.Amended); n > 0 {
		terms = append(terms, fmt.Sprintf("amended %s after scoring; the verdict follows the first declaration", times(n)))
	}
	return terms
}

// figures are all figures of the page in their order.
func (p *page) figures() iter.Seq[*figure] {
	return func(yield func(*figure) bool) {
		for _, s := range p.Sections {
			for _, part := range s.Parts {
				for i := range part.Figures {
					if !yield(&part.Figures[i]) {
						return
					}
				}
			}
		}
	}
}

// fileName makes a study's name fit for a command line.
func fileName(study string) string {
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, study)
	if name = strings.TrimLeft(name, "-."); name == "" {
		return "study"
	}
	return name
}
