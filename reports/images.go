package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/experiments"
	"glimpse/metrics"
	"glimpse/reports/charts"
)

// An imageDifference is what one arm's captions of an image score above
// another's, in points: the mean over the seeds of the one less that of the
// other.
type imageDifference struct {
	Image  string
	Points float64
}

// imageDifferences compares the arms of a contrast image by image, the lowest
// difference first; nil where an arm has no scored captions or the metric none
// for single images.
func (c *contrast) imageDifferences() []imageDifference {
	if c.B.images == nil || c.A.images == nil {
		return nil
	}
	var list []imageDifference
	for i, image := range c.B.images.of.ids {
		b, okB := c.B.images.mean(i)
		if a, okA := c.A.images.mean(i); okA && okB && finite(b-a) {
			list = append(list, imageDifference{image, b - a})
		}
	}
	slices.SortFunc(list, func(x, y imageDifference) int {
		return cmp.Or(cmp.Compare(x.Points, y.Points), cmp.Compare(x.Image, y.Image))
	})
	return list
}

// imageBook adds up the scores of single images over the runs of each side of the
// contrasts, as the scores of the runs are read.
type imageBook struct {
	key   string         // of the metric
	ids   []string       // of the images
	at    map[string]int // image → its place
	sides map[string]*imageSums
	ofRun map[string][]*imageSums // run → the sides that it is part of
}

// imageSums are the sums of a side, in points, and over how many runs, by the places of the images.
type imageSums struct {
	of           *imageBook
	sums, counts []float64
}

// bookImages opens the book of the contrasts of two arms.
func bookImages(key string, contrasts []experiments.Contrast, arms []*arm) *imageBook {
	book := &imageBook{key: key, at: map[string]int{}, sides: map[string]*imageSums{}, ofRun: map[string][]*imageSums{}}
	runs := make(map[string][]*run, len(arms))
	for _, a := range arms {
		runs[a.Name] = a.Runs
	}
	for _, c := range contrasts {
		if c.Kind == interaction {
			continue
		}
		for _, side := range []experiments.Side{c.B, c.A} {
			if book.sides[side.Name] != nil {
				continue
			}
			sums := &imageSums{of: book}
			book.sides[side.Name] = sums
			for _, term := range side.Terms {
				for _, run := range runs[term.Cell] {
					book.ofRun[run.ID] = append(book.ofRun[run.ID], sums)
				}
			}
		}
	}
	return book
}

// add adds the scores of a run.
func (b *imageBook) add(run string, scores []metrics.ImageScore) {
	for _, side := range b.ofRun[run] {
		for i := range scores {
			v, ok := imagePoints(b.key, &scores[i])
			if !ok {
				continue
			}
			at, known := b.at[scores[i].ID]
			if !known {
				at = len(b.ids)
				b.at[scores[i].ID], b.ids = at, append(b.ids, scores[i].ID)
			}
			for len(side.sums) < len(b.ids) {
				side.sums, side.counts = append(side.sums, 0), append(side.counts, 0)
			}
			side.sums[at] += v
			side.counts[at]++
		}
	}
}

// mean is the mean score of an image over the side's finished seeds, in points, and whether there is one.
func (s *imageSums) mean(at int) (float64, bool) {
	if at >= len(s.sums) || s.counts[at] == 0 {
		return 0, false
	}
	return s.sums[at] / s.counts[at], true
}

// imagePoints is the score of a single caption in points, and whether the
// metric has one. BLEU has none; in its place stands that of the caption alone
// with 1 added to the counts above single words (Lin & Och 2004, "ORANGE",
// COLING), since most captions match no 4-gram.
func imagePoints(key string, s *metrics.ImageScore) (float64, bool) {
	e, _ := metrics.Find(key)
	if !e.Tested {
		return 0, false
	}
	order := metrics.BLEUOrder(key)
	if order == 0 {
		return e.Scale * e.Image(s), true
	}
	if s.Length == 0 || s.Match[0] == 0 {
		return 0, true
	}
	logs := math.Log(float64(s.Match[0]) / float64(s.Length))
	for n := 1; n < order; n++ {
		logs += math.Log(float64(s.Match[n]+1) / float64(max(0, s.Length-n)+1))
	}
	brevity := math.Min(0, 1-float64(s.RefLength)/float64(s.Length))
	return 100 * math.Exp(logs/float64(order)+brevity), true
}

// imageSection shows on how many images an arm does better, and by how much.
func (r *result) imageSection() section {
	s := section{Name: "images", Title: "Image by image"}
	var compared []*imageComparison
	for _, c := range r.Contrasts {
		if list := c.imageDifferences(); len(list) > 1 && !c.interacts() {
			compared = append(compared, newImageComparison(c, list))
		}
	}
	if len(compared) == 0 {
		return s
	}
	compared = compared[:min(len(compared), mostDrawn)]
	head := r.headline()
	for _, ic := range compared {
		if ic.contrast == head {
			s.Finding = fmt.Sprintf("%s scores higher than %s on %s of %s and lower on %s. The middle half of the differences is between %s and %s points.",
				head.B.Label, head.A.Label, percent(ic.better), count(len(ic.list), "image"), percent(ic.worse), signed(ic.quartiles[0], 1), signed(ic.quartiles[2], 1))
			s.Finding += ic.disagreement(r.Primary.Key)
		}
	}
	s.add(part{Figures: []figure{r.imageFigure(compared)}})
	return s
}

// An imageComparison is a contrast with its images.
type imageComparison struct {
	*contrast
	list          []imageDifference
	better, worse float64    // shares of the images
	quartiles     [3]float64 // of the differences
	mean          float64
}

func newImageComparison(c *contrast, list []imageDifference) *imageComparison {
	ic := &imageComparison{contrast: c, list: list}
	share := 1 / float64(len(list))
	for _, d := range list {
		ic.mean += d.Points * share
		switch {
		case d.Points > 0:
			ic.better += share
		case d.Points < 0:
			ic.worse += share
		}
	}
	for i := range ic.quartiles {
		ic.quartiles[i] = list[(i+1)*(len(list)-1)/4].Points
	}
	return ic
}

// disagreement says why an arm can score higher on fewer images, or lower on more
// of them; "" where score and images agree.
func (ic *imageComparison) disagreement(key string) string {
	ahead := ic.better - ic.worse
	if ahead == 0 || !finite(ic.Difference) || ic.Difference*ahead >= 0 || ic.early() {
		return ""
	}
	word := "higher although it wins on fewer images"
	if ic.Difference < 0 {
		word = "lower although it wins on more images"
	}
	text := fmt.Sprintf(" Its score is %s: ", word)
	if metrics.BLEUOrder(key) > 0 && ic.mean*ic.Difference < 0 {
		return text + metrics.Title(key) + " is computed over all captions together; it is not a mean over images."
	}
	var gain, loss, gains, losses float64
	for _, d := range ic.list {
		switch {
		case d.Points > 0:
			gain, gains = gain+d.Points, gains+1
		case d.Points < 0:
			loss, losses = loss-d.Points, losses+1
		}
	}
	return text + fmt.Sprintf("it gains %s points on average where it wins, and loses %s where it loses.",
		fixed(gain/max(1, gains), 1), fixed(loss/max(1, losses), 1))
}

const (
	histogramBins = 41 // odd, so that a bin is centred on zero
	// histogramHeight is the height of a row with a histogram in it.
	histogramHeight vg.Length = 92
)

// imageFigure shows for each contrast how the differences are spread over the
// images.
func (r *result) imageFigure(compared []*imageComparison) figure {
	var sizes []float64
	for _, ic := range compared {
		for _, d := range ic.list {
			sizes = append(sizes, math.Abs(d.Points))
		}
	}
	slices.Sort(sizes)
	limit := math.Max(1, sizes[len(sizes)*49/50]) // the last fiftieth is put into the outermost bins
	var rows []row
	var alt []string
	for _, ic := range compared {
		rows = append(rows, row{
			label: ic.name(), tint: charts.Ink, detail: fmt.Sprintf("better on %s, worse on %s", percent(ic.better), percent(ic.worse)),
			marks: func(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) { ic.histogram(c, x, y, limit) },
		})
		alt = append(alt, fmt.Sprintf("%s: better on %s, worse on %s, median %s, middle half from %s to %s", ic.name(),
			percent(ic.better), percent(ic.worse), signed(ic.quartiles[1], 1), signed(ic.quartiles[0], 1), signed(ic.quartiles[2], 1)))
	}
	name := metrics.Title(r.Primary.Key)
	note := "Bars: share of the images, in the colour of the arm that scores higher on them. Line: mean. The outermost bars include everything beyond."
	if slices.ContainsFunc(compared, func(ic *imageComparison) bool { return ic.early() }) {
		note += " All finished seeds count, also those after the look that decided a contrast."
	}
	if metrics.BLEUOrder(r.Primary.Key) > 0 {
		note += " " + name + " of single captions, with 1 added to n-gram counts above unigrams."
	}
	return figure{
		Name:   "images",
		Title:  "Differences image by image: " + r.Primary.name(),
		Alt:    "Histograms of the differences over images, around a line at zero. " + strings.Join(alt, "; ") + ".",
		Note:   note,
		height: vg.Length(len(rows))*histogramHeight + 52,
		plot: newRowPlot("difference in "+name+" of an image (points, ×100)", -limit*1.08, limit*1.08, rowPlotter{
			rows: rows, height: histogramHeight,
			under: func(c *draw.Canvas, x func(float64) vg.Length, low, high vg.Length) { zeroLine(c, x, 0, low, high) },
		}),
	}
}

// histogram draws the differences at the height y of their row, those beyond
// the limit in the outermost bins.
func (ic *imageComparison) histogram(c *draw.Canvas, x func(float64) vg.Length, y vg.Length, limit float64) {
	var bins [histogramBins]int
	for _, d := range ic.list {
		at := int(math.Floor((d.Points/limit + 1) / 2 * histogramBins))
		bins[min(max(at, 0), histogramBins-1)]++
	}
	base, tall := y+rowMarks+4-histogramHeight, histogramHeight-26
	highest := float64(slices.Max(bins[:]))
	width := 2 * limit / histogramBins
	for i, n := range bins {
		if n == 0 {
			continue
		}
		t := ic.A.tint()
		switch {
		case i == histogramBins/2:
			t = charts.Muted
		case i > histogramBins/2:
			t = ic.B.tint()
		}
		left, right := x(-limit+float64(i)*width)+0.4, x(-limit+float64(i+1)*width)-0.4
		top := base + tall*vg.Length(float64(n)/highest)
		c.FillPolygon(t.Mark, []vg.Point{{X: left, Y: base}, {X: right, Y: base}, {X: right, Y: top}, {X: left, Y: top}})
	}
	mean := x(math.Max(-limit, math.Min(limit, ic.mean)))
	c.StrokeLine2(draw.LineStyle{Color: charts.Paper.Mark, Width: 4}, mean, base, mean, base+tall)
	c.StrokeLine2(draw.LineStyle{Color: charts.Ink.Mark, Width: 2}, mean, base, mean, base+tall)
}

// imagesCSV has a line for each contrast and image.
func (r *result) imagesCSV() file {
	return csvFile([]string{"b", "a", "image", "metric", "difference"}, func(add func(...string)) {
		for _, c := range r.Contrasts {
			if c.interacts() {
				continue
			}
			for _, d := range c.imageDifferences() {
				add(c.B.Name, c.A.Name, d.Image, r.Primary.Key, derived(d.Points/100))
			}
		}
	})
}
