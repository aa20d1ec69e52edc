package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/reports/charts"
)

// A classBeta is β over the generated words of one class.
type classBeta struct {
	Class wordClass
	Words int
	Seeds []float64 // mean of each finished run that wrote enough of them
	Mean  float64   // of the seeds
}

// betaByClass averages β over the words of each class, run by run. A class
// that the arm hardly ever writes is left out.
func betaByClass(a *arm) []classBeta {
	byClass := map[wordClass]*classBeta{}
	for _, c := range wordClasses {
		byClass[c] = &classBeta{Class: c}
	}
	for _, run := range a.Runs {
		sums, counts := map[wordClass]float64{}, map[wordClass]int{}
		for _, c := range run.captions() {
			words := strings.Fields(c.Words)
			if len(c.Beta) < len(words) || len(words) == 0 {
				continue
			}
			for i, class := range classes(words) {
				if finite(c.Beta[i]) {
					sums[class] += c.Beta[i]
					counts[class]++
				}
			}
		}
		for class, n := range counts {
			byClass[class].Words += n
			if n >= betaFewest {
				byClass[class].Seeds = append(byClass[class].Seeds, sums[class]/float64(n))
			}
		}
	}
	var list []classBeta
	for _, class := range wordClasses {
		if b := byClass[class]; len(b.Seeds) > 0 {
			b.Mean, _ = meanSD(b.Seeds)
			list = append(list, *b)
		}
	}
	return list
}

// classFigure shows β by word class, each seed as a dot.
func classFigure(a *arm, list []classBeta) figure {
	var rows []row
	var alt []string
	for _, b := range list {
		rows = append(rows, row{
			label: string(b.Class), tint: charts.Ink, detail: fmt.Sprintf("%s, %s words", fixed(b.Mean, 2), thousands(int64(b.Words))),
			marks: func(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) {
				y += 2
				mean := draw.LineStyle{Color: a.tint().Mark, Width: 2.4}
				for _, v := range evenly(b.Seeds, mostMarks/10) {
					dot(c, vg.Point{X: x(v), Y: y}, dotRadius, a.tint())
				}
				c.StrokeLine2(mean, x(b.Mean), y-9, x(b.Mean), y-4)
			},
		})
		alt = append(alt, string(b.Class)+" "+fixed(b.Mean, 2))
	}
	return figure{
		Name:   "beta-classes",
		Title:  "β by word class",
		Alt:    fmt.Sprintf("Dots on a scale from 0 to 1. Mean β of %s: %s.", a.Label, strings.Join(alt, ", ")),
		Note:   "Dots: means over all words of the class in one run. Tick below: mean of the runs.",
		height: vg.Length(len(rows))*classHeight + 52,
		plot: newRowPlot("β, the sentinel weight (0: picture, 1: language)", -0.03, 1.03,
			rowPlotter{rows: rows, height: classHeight}),
	}
}

// classHeight is the height of the row of a word class.
const classHeight vg.Length = 42

// classNote says how words get their class.
const classNote = "Word classes are found by rules: lists for closed classes, colours, numbers and common adjectives; endings and a list for verbs, " +
	"unless a determiner, a preposition or the like stands before; all other words count as nouns."

// rareClass is the share of all words below which a class is too small to be
// named in the finding.
const rareClass = 0.01

// classFinding says which words lean on the language and which on the picture.
func classFinding(a *arm, list []classBeta) string {
	words := 0
	for _, b := range list {
		words += b.Words
	}
	common := slices.DeleteFunc(slices.Clone(list), func(b classBeta) bool { return float64(b.Words) < rareClass*float64(words) })
	if len(common) < 2 {
		return ""
	}
	byMean := func(x, y classBeta) int { return cmp.Compare(x.Mean, y.Mean) }
	least, most := slices.MinFunc(common, byMean), slices.MaxFunc(common, byMean)
	if most.Mean-least.Mean < 0.05 {
		return fmt.Sprintf("β of %s hardly differs between word classes: from %s to %s.", a.Label, fixed(least.Mean, 2), fixed(most.Mean, 2))
	}
	return fmt.Sprintf("%s relies most on language for %s (β = %s) and looks most at the picture for %s (β = %s).",
		a.Label, most.Class, fixed(most.Mean, 2), least.Class, fixed(least.Mean, 2))
}

func classesCSV(a *arm, list []classBeta) file {
	return csvFile([]string{"arm", "class", "beta_mean", "runs", "count"}, func(add func(...string)) {
		for _, b := range list {
			add(a.Name, string(b.Class), derived(b.Mean), strconv.Itoa(len(b.Seeds)), strconv.Itoa(b.Words))
		}
	})
}
