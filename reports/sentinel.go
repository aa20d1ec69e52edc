package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/metrics/stats"
	"glimpse/reports/charts"
)

// readingSection shows what the captioners take from the picture, and whether a
// sentinel's β says so.
func (r *result) readingSection() section {
	s := section{Name: "sentinel", Title: "Does the sentinel do what its authors say?"}
	if len(r.Read) == 0 {
		return s
	}
	figures := []figure{r.gainFigure()}
	var findings []string
	if a := r.sentinelArm(); a != nil {
		findings = append(findings, sentinelFinding(a))
		figures = append(figures, sentinelFigure(a))
	} else {
		s.Title = "What the captions use from the picture"
	}
	s.Finding = strings.Join(append(findings, r.gainFinding()), " ")
	s.add(part{Figures: figures})
	measures := r.measureTable()
	s.add(part{Table: &measures})
	for _, a := range r.Read[:min(len(r.Read), mostDrawn)] {
		t := readingTable(a)
		s.add(part{Fold: "What words gain from the picture: " + a.Label, Table: &t})
	}
	s.add(part{Fold: "How this was measured", Notes: []string{
		"The best checkpoint of each run scored its own captions word by word, with their pictures and with those of other images, the same for all runs. " +
			"Gain: log probability of a word with its picture minus that with the other, in nats (0.69 nats: twice as probable).",
		"Gain of the regions: relative to the other picture’s regions only, while the recurrence sees the mean of its own. " +
			"Gain of places: relative to uniform attention over the regions, with β unchanged. The arms wrote different words.",
		"The claim (Lu et al. 2017, arXiv 1612.01887): β is high for words that follow from the previous words, low for those that need the picture. " +
			"Words at the same position are also compared, since β and gain may both depend on position. Correlations are Spearman’s.",
		"Intervals: 95 %, over images, and over seeds if there are several (images by 1,000 draws of the Bayesian bootstrap).",
	}})
	return s
}

// sentinelArm is the last arm with a sentinel, nil without.
func (r *result) sentinelArm() *armReading {
	for _, a := range slices.Backward(r.Read) {
		if a.Sentinel != nil {
			return a
		}
	}
	return nil
}

// sentinelFinding answers the question of the section.
func sentinelFinding(a *armReading) string {
	s := a.Sentinel
	if s.WithinPosition == nil || s.DifferenceWithin == nil {
		return fmt.Sprintf("The words of %s do not allow an answer.", a.Label)
	}
	rho := s.WithinPosition
	answer := "Not shown: β of %s is not reliably higher for words that need the picture less."
	switch {
	case s.Verdict == stats.Supported && rho.Value > -leastCorrelation:
		answer = "Barely: β of %s is slightly higher for words that need the picture less."
	case s.Verdict == stats.Supported:
		answer = "Yes: β of %s is higher for words that need the picture less."
	case s.Verdict == stats.Opposite:
		answer = "No, the opposite: β of %s is higher for words that need the picture more."
	}
	negative := 0
	for _, v := range rho.Runs {
		if v < 0 {
			negative++
		}
	}
	text := fmt.Sprintf(answer, a.Label) + fmt.Sprintf(" Among words at the same position, the rank correlation of β with a word’s gain from the picture is %s "+
		"(%s; its authors say negative, as in %d of %s). β of function words minus that of nouns, colours and numbers is %s (its authors say positive).",
		estimateText(rho, 2), strength(rho.Value), negative, count(len(rho.Runs), "run"), estimateText(s.DifferenceWithin, 2))
	if len(rho.Runs) == 1 {
		text += " This is one training run; another may differ."
	}
	if s.OtherPicture != nil {
		text += fmt.Sprintf(" With another picture, β changes by %s on average and has a correlation of %s with its previous value.", fixed(s.Change.Value, 2), fixed(s.OtherPicture.Value, 2))
	}
	return text
}

// leastCorrelation is the least size of a correlation that is called one.
const leastCorrelation = 0.1

// strength puts a correlation in words, by the conventions of Cohen 1988.
func strength(rho float64) string {
	switch size := math.Abs(rho); {
	case size < leastCorrelation:
		return "negligible"
	case size < 0.3:
		return "weak"
	case size < 0.5:
		return "moderate"
	}
	return "strong"
}

// estimateText is a value with its interval.
func estimateText(i *stats.Interval, decimals int) string {
	if i == nil {
		return "–"
	}
	return fixed(i.Value, decimals) + " " + interval(i.Low, i.High, decimals)
}

// gainFinding says what the arms take from the picture.
func (r *result) gainFinding() string {
	var parts []string
	for _, a := range r.Read {
		if gain := a.Classes[0].Gain; gain != nil {
			text := a.Label + " " + estimateText(gain, 2)
			if regions := a.Classes[0].RegionsGain; regions != nil {
				text += ", " + fixed(regions.Value, 2) + " of it by the regions"
			}
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	text := "Gain in a word’s log probability from its picture, in nats: " + strings.Join(few(parts, fewArms), "; ") + "."
	var differences []string
	for i, c := range r.GainContrasts {
		if c.Gain != nil && i < fewArms {
			differences = append(differences, c.of.name()+" "+signed(c.Gain.Value, 2)+" "+interval(c.Gain.Low, c.Gain.High, 2))
		}
	}
	if len(differences) > 0 {
		text += " Differences: " + strings.Join(differences, "; ") + "."
	}
	return text
}

// gainFigure shows what the words of each arm gain from the picture, and from
// its regions, each seed as a dot.
func (r *result) gainFigure() figure {
	low, high := 0.0, 0.0
	var rows []row
	var alt []string
	for _, a := range r.Read[:min(len(r.Read), mostDrawn)] {
		all := a.Classes[0]
		for _, of := range []struct {
			name string
			*stats.Interval
		}{{"the whole picture", all.Gain}, {"the regions", all.RegionsGain}} {
			if of.Interval == nil {
				continue
			}
			for _, v := range append([]float64{of.Low, of.High}, of.Runs...) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
			rows = append(rows, row{label: a.Label + ", " + of.name, tint: a.tint(), detail: estimateText(of.Interval, 2),
				marks: func(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) {
					seedMarks(c, x, y, of.Interval, a.tint())
				}})
			alt = append(alt, fmt.Sprintf("%s, %s: %s", a.Label, of.name, estimateText(of.Interval, 2)))
		}
	}
	low, high = spread(low, high, 0.06, 0.1)
	return figure{
		Name:   "gain",
		Title:  "A word’s gain from its picture",
		Alt:    "Dots on a common scale. " + strings.Join(alt, "; ") + ".",
		Note:   "Dots: means over all words of one training run. Below: the arm’s mean with its 95 % interval. The regions: only the attended regions are swapped.",
		height: rowFigureHeight(len(rows)),
		plot: newRowPlot("gain in log probability (nats per word)", low, high, rowPlotter{rows: rows,
			under: func(c *draw.Canvas, x func(float64) vg.Length, low, high vg.Length) { zeroLine(c, x, 0, low, high) }}),
	}
}

// seedMarks draws a dot for each run at height y, and below the mean and interval.
func seedMarks(c *draw.Canvas, x func(float64) vg.Length, y vg.Length, i *stats.Interval, t charts.Tint) {
	for _, v := range i.Runs {
		dot(c, vg.Point{X: x(v), Y: y}, dotRadius, t)
	}
	line := draw.LineStyle{Color: t.Mark, Width: 1.6}
	whisker(c, x(i.Low), x(i.High), y-10, line)
	line.Width = 2.4
	c.StrokeLine2(line, x(i.Value), y-15, x(i.Value), y-5)
}

// sentinelFigure shows β of each class of words, in the order of what they gain
// from the picture.
func sentinelFigure(a *armReading) figure {
	classes := slices.DeleteFunc(slices.Clone(a.Classes[1:]), func(c stats.ReadingClass) bool { return c.Gain == nil || c.Beta == nil })
	slices.SortStableFunc(classes, func(x, y stats.ReadingClass) int { return cmp.Compare(x.Gain.Value, y.Gain.Value) })
	var rows []row
	var alt []string
	for _, c := range classes {
		beta := *c.Beta
		beta.Low, beta.High = math.Max(0, beta.Low), math.Min(1, beta.High) // a t interval does not know where β ends
		rows = append(rows, row{
			label: c.Class, tint: charts.Ink, detail: fmt.Sprintf("gain %s, β %s", fixed(c.Gain.Value, 2), fixed(c.Beta.Value, 2)),
			marks: func(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) { seedMarks(c, x, y, &beta, a.tint()) },
		})
		alt = append(alt, fmt.Sprintf("%s: gain %s, β %s", c.Class, fixed(c.Gain.Value, 2), fixed(c.Beta.Value, 2)))
	}
	return figure{
		Name:   "sentinel",
		Title:  "β of word classes, by what they gain from the picture: " + a.Label,
		Alt:    "Dots on a scale from 0 to 1, from the class that gains least to that which gains most. " + strings.Join(alt, "; ") + ".",
		Note:   "The class that gains most, in nats per word, is last: according to the claim, β falls from top to bottom. Dots: training runs. Below: mean with its 95 % interval.",
		height: rowFigureHeight(len(rows)),
		plot:   newRowPlot("β, the sentinel weight (0: picture, 1: language)", -0.03, 1.03, rowPlotter{rows: rows}),
	}
}

// measureTable has a line for each number that speaks for or against the claim.
func (r *result) measureTable() table {
	t := table{
		Name:    "sentinel-table",
		Caption: "Evidence for or against the claim; the verdict uses the first two lines of an arm.",
		Columns: []column{{Name: "Arm"}, {Name: "Measure"}, {Name: "The claim"}, {Name: "Value", Numeric: true}, {Name: "95\u00a0% interval", Numeric: true}, {Name: "By seed"}},
	}
	for _, a := range r.Read {
		if a.Sentinel == nil {
			continue
		}
		for _, m := range a.Sentinel.Measures() {
			bySeed := make([]string, len(m.Runs))
			for i, v := range m.Runs {
				bySeed[i] = fixed(v, 2)
			}
			t.Rows = append(t.Rows, []cell{a.cell(), {Text: m.Name}, {Text: m.Claim}, {Text: fixed(m.Value, 3)}, {Text: interval(m.Low, m.High, 3)}, {Text: strings.Join(bySeed, ", ")}})
		}
	}
	return t
}

// readingTable has a line for each class of an arm's words.
func readingTable(a *armReading) table {
	t := table{
		Name:    "reading-table-" + fileName(a.Name),
		Caption: fmt.Sprintf("%s, %s, %s: gains in nats per word, with 95 %% intervals.", a.Label, count(len(a.Seeds), "seed"), count(a.Images, "image")),
		Columns: []column{{Name: "Words"}, {Name: "Number", Numeric: true}, {Name: "Gain", Numeric: true}, {Name: "of the regions", Numeric: true}, {Name: "of places", Numeric: true}},
	}
	sentinel := a.Sentinel != nil
	if sentinel {
		t.Columns = append(t.Columns, column{Name: "β", Numeric: true}, column{Name: "β, other picture", Numeric: true})
	}
	for _, c := range a.Classes {
		name := c.Class
		if name == "" {
			name = "all words"
		}
		row := []cell{{Text: name}, {Text: thousands(int64(c.Words))}, {Text: estimateText(c.Gain, 2)}, {Text: estimateText(c.RegionsGain, 2)}, {Text: estimateText(c.PlacesGain, 2)}}
		if sentinel {
			row = append(row, cell{Text: estimateText(c.Beta, 3)}, cell{Text: estimateText(c.OtherBeta, 3)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// readingsCSV has a line for each number of each arm.
func (r *result) readingsCSV() file {
	head := []string{"arm", "words", "count", "measure", "value", "interval_low", "interval_high", "runs"}
	return csvFile(head, func(line func(...string)) {
		add := func(a *armReading, words, number, measure string, i *stats.Interval) {
			if i != nil {
				line(a.Name, words, number, measure, derived(i.Value), derived(i.Low), derived(i.High), strconv.Itoa(len(i.Runs)))
			}
		}
		for _, a := range r.Read {
			for _, c := range a.Classes {
				n := strconv.Itoa(c.Words)
				add(a, c.Class, n, "gain", c.Gain)
				add(a, c.Class, n, "regions_gain", c.RegionsGain)
				add(a, c.Class, n, "places_gain", c.PlacesGain)
				add(a, c.Class, n, "beta", c.Beta)
				add(a, c.Class, n, "other_beta", c.OtherBeta)
			}
			if a.Sentinel != nil {
				for _, m := range a.Sentinel.Measures() {
					add(a, "", "", m.Name, m.Interval)
				}
			}
		}
	})
}
