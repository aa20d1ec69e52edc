package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/captioner"
	"glimpse/internal/term"
	"glimpse/reports/charts"
	"glimpse/results"
)

// A word is shown once it was generated often enough for its mean to hold
// still, and at most betaWords of them at each end.
const (
	betaWords  = 12
	betaFewest = 10
)

// A wordBeta is the mean β of a generated word.
type wordBeta struct {
	Word  string
	Mean  float64
	Count int
}

// betaByWord averages β over the captions of an arm's finished runs, lowest
// mean first.
func betaByWord(a *arm) []wordBeta {
	if !a.sentinel() {
		return nil // without reading a search's captions
	}
	sums := map[string]*wordBeta{}
	for _, run := range a.Runs {
		for _, c := range run.captions() {
			tokens := strings.Fields(c.Words)
			if len(c.Beta) < len(tokens) {
				continue
			}
			for i, token := range tokens {
				if !finite(c.Beta[i]) {
					continue
				}
				if sums[token] == nil {
					sums[token] = &wordBeta{Word: token}
				}
				sums[token].Mean += c.Beta[i]
				sums[token].Count++
			}
		}
	}
	var list []wordBeta
	for _, w := range sums {
		if w.Count >= betaFewest {
			w.Mean /= float64(w.Count)
			list = append(list, *w)
		}
	}
	slices.SortFunc(list, func(x, y wordBeta) int {
		return cmp.Or(cmp.Compare(x.Mean, y.Mean), cmp.Compare(x.Word, y.Word))
	})
	return list
}

// betaArm is the arm whose β is shown, the last one that has any, with its
// words; nil where no arm looks at a sentinel.
func (r *result) betaArm() (*arm, []wordBeta) {
	if r.beta == nil {
		r.beta = &armBeta{}
		for _, a := range slices.Backward(r.Arms) {
			if list := betaByWord(a); len(list) > 0 {
				r.beta = &armBeta{a, list}
				break
			}
		}
	}
	return r.beta.arm, r.beta.words
}

// armBeta is an arm with the mean β of its words.
type armBeta struct {
	arm   *arm
	words []wordBeta
}

func betaCSV(a *arm, words []wordBeta) file {
	return csvFile([]string{"arm", "word", "beta_mean", "count"}, func(add func(...string)) {
		for _, w := range words {
			add(a.Name, w.Word, derived(w.Mean), strconv.Itoa(w.Count))
		}
	})
}

// sentinel says whether captions of the arm may have β: by its settings, as far as they are known.
func (a *arm) sentinel() bool {
	for _, run := range a.Runs {
		if settings, err := results.Settings(run.Run.Run); err == nil {
			known, err := captioner.ArmOf(settings.Model.Attention)
			return err != nil || known.Sentinel
		}
	}
	return true
}

// wordSection shows where the arms look: at which words one with a sentinel
// looks at the picture, and how widely the attention is spread.
func (r *result) wordSection() section {
	s := section{Name: "words", Title: "Where the captioner looks"}
	var figures []figure
	var findings []string
	var notes []string
	if a, _ := r.betaArm(); a != nil {
		if list := betaByClass(a); len(list) > 0 {
			figures = append(figures, classFigure(a, list))
			findings = append(findings, classFinding(a, list))
			notes = append(notes, classNote)
		}
	}
	if f, ok := r.betaFigure(); ok {
		figures = append(figures, f)
	}
	if f, finding, ok := r.entropyFigure(); ok {
		figures = append(figures, f)
		findings = append(findings, finding)
	}
	s.Finding = strings.TrimSpace(strings.Join(findings, " "))
	s.add(part{Figures: figures})
	s.add(part{Notes: notes})
	return s
}

// betaFigure shows the words with the lowest and the highest mean β.
func (r *result) betaFigure() (figure, bool) {
	a, list := r.betaArm()
	if a == nil {
		return figure{}, false
	}
	note := fmt.Sprintf("Mean β of %s over all its generated words; words written at least %d times", a.Label, betaFewest)
	shown := list
	if len(list) > 2*betaWords {
		shown = slices.Concat(list[:betaWords], list[len(list)-betaWords:])
		note += fmt.Sprintf(", the %d lowest and the %d highest of %d", betaWords, betaWords, len(list))
	}
	p := newPlot("β, the sentinel weight (0: picture, 1: language)", true, false)
	p.X.Min, p.X.Max = 0, 1
	p.Y.Min, p.Y.Max = float64(-len(shown))+0.5, 0.5
	p.Y.LineStyle.Width, p.Y.Tick.Width = 0, 0
	p.Y.Tick.Label.Color = charts.Ink.Text
	var ticks plot.ConstantTicks
	for i, w := range shown {
		style := draw.TextStyle(p.Y.Tick.Label)
		ticks = append(ticks, plot.Tick{Value: float64(-i), Label: shorten(w.Word, style, 110)})
	}
	p.Y.Tick.Marker = ticks
	p.Add(betaPlotter{shown, a.tint(), len(shown) < len(list)})
	ends := func(words []wordBeta) string {
		var parts []string
		for _, w := range words {
			parts = append(parts, fmt.Sprintf("%s %s", w.Word, fixed(w.Mean, 2)))
		}
		return term.Enumerate(parts)
	}
	few := min(3, len(shown))
	return figure{
		Name:   "beta",
		Title:  "β by word: which words rely on language",
		Alt:    fmt.Sprintf("Words with their mean β. Lowest: %s. Highest: %s.", ends(shown[:few]), ends(shown[len(shown)-few:])),
		Note:   note + ".",
		height: vg.Length(len(shown))*15 + 56,
		plot:   p,
	}, true
}

// betaPlotter draws a dot for each word, and a line between the lowest and the
// highest ones where words between them are left out.
type betaPlotter struct {
	words  []wordBeta
	tint   charts.Tint
	broken bool
}

// Plot implements [plot.Plotter].
func (b betaPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, w := range b.words {
		dot(&c, vg.Point{X: x(w.Mean), Y: y(float64(-i))}, 3.6, b.tint)
	}
	if b.broken {
		between := y(-float64(len(b.words))/2 + 0.5)
		c.StrokeLine2(draw.LineStyle{Color: charts.Muted.Mark, Width: 0.75, Dashes: []vg.Length{2, 3}}, c.Min.X, between, c.Max.X, between)
	}
}
