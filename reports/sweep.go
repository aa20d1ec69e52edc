package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/reports/charts"
)

// A parameter is a setting that varies over the trials of a search.
type parameter struct {
	Path, Label string
	Numeric     bool
	Log         bool           // spans decades: drawn on a logarithmic scale
	Levels      []string       // distinct values in order
	bins        []string       // names of the groups that its means are taken over
	index       map[string]int // level → its place
	low, high   float64        // of the scale, if numeric
}

// A searched trial is a finished run with its score in points.
type searched struct {
	*run
	Points float64
}

// mostBins is the most groups that a numeric parameter is divided into, and
// mostLevels the most values that stand for themselves.
const (
	mostBins   = 5
	mostLevels = 8
)

// parameters are the settings that vary, the arms among them, where more than
// arms and seeds do; nil otherwise.
func (e *evidence) parameters() []parameter {
	values := map[string]map[string]bool{}
	for _, run := range e.Runs {
		for path, value := range run.Swept {
			if values[path] == nil {
				values[path] = map[string]bool{}
			}
			values[path][value] = true
		}
	}
	delete(values, "seed")
	arms := e.Compare.ArmPaths()
	if len(arms) == 0 {
		arms = []string{"model.attention"}
	}
	short := experiments.ShortNames(slices.Sorted(maps.Keys(values)))
	var list []parameter
	searching := false
	for _, path := range slices.Sorted(maps.Keys(values)) {
		if len(values[path]) < 2 {
			continue
		}
		searching = searching || !slices.Contains(arms, path)
		list = append(list, newParameter(path, short[path], slices.Collect(maps.Keys(values[path]))))
	}
	if !searching {
		return nil
	}
	return list
}

func newParameter(path, label string, values []string) parameter {
	p := parameter{Path: path, Label: label, Levels: values, Numeric: true}
	p.low, p.high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !finite(n) {
			p.Numeric = false
		}
		p.low, p.high = math.Min(p.low, n), math.Max(p.high, n)
	}
	if p.Numeric {
		slices.SortFunc(p.Levels, func(a, b string) int {
			return cmp.Or(cmp.Compare(numeric(a), numeric(b)), cmp.Compare(a, b))
		})
	} else {
		slices.Sort(p.Levels)
	}
	p.index = make(map[string]int, len(p.Levels))
	for i, level := range p.Levels {
		p.index[level] = i
	}
	if !p.Numeric {
		p.bins = p.Levels
		return p
	}
	p.Log = p.low > 0 && p.high/p.low >= 20
	p.bins = p.Levels
	if len(p.Levels) > mostLevels {
		p.bins = make([]string, mostBins)
		for i := range p.bins {
			p.bins[i] = number(p.at(float64(i)/mostBins)) + " to " + number(p.at(float64(i+1)/mostBins))
		}
	}
	return p
}

func numeric(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64) // callers have seen that it is a number
	return v
}

// place is where a value lies on the parameter's scale, from 0 to 1.
func (p *parameter) place(value string) float64 {
	if !p.Numeric {
		if len(p.Levels) < 2 {
			return 0.5
		}
		return float64(p.index[value]) / float64(len(p.Levels)-1)
	}
	v, low, high := numeric(value), p.low, p.high
	if p.Log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return (v - low) / (high - low)
}

// at is the value at a place of a numeric scale.
func (p *parameter) at(place float64) float64 {
	if p.Log {
		return math.Exp(math.Log(p.low) + place*(math.Log(p.high)-math.Log(p.low)))
	}
	return p.low + place*(p.high-p.low)
}

// bin is the group that a value belongs to.
func (p *parameter) bin(value string) int {
	if len(p.bins) == len(p.Levels) {
		return p.index[value]
	}
	return min(int(p.place(value)*float64(len(p.bins))), len(p.bins)-1)
}

// axis is the parameter as the title of an axis.
func (p *parameter) axis() string {
	if p.Log {
		return p.Path + " (logarithmic)"
	}
	return p.Path
}

// searchedTrials are the finished trials that have a value of every parameter,
// the best first.
func (r *result) searchedTrials(parameters []parameter) []searched {
	var list []searched
	for _, run := range r.Runs {
		v, ok := r.Primary.of(run)
		if !ok || !run.completed() || slices.ContainsFunc(parameters, func(p parameter) bool { return run.Swept[p.Path] == "" }) {
			continue
		}
		list = append(list, searched{run, 100 * v})
	}
	slices.SortStableFunc(list, func(a, b searched) int { return cmp.Compare(b.Points, a.Points) })
	return list
}

// An effect is what a parameter does to the score when all others are averaged
// over.
type effect struct {
	parameter
	Means     []float64 // of each bin, NaN for an empty one
	Best      int       // the bin of the highest mean
	Spread    float64   // highest mean less lowest, in points
	Explained float64   // share of the variance between trials: η²
}

// newEffect divides the trials by the parameter's bins.
func newEffect(p parameter, trials []searched) effect {
	e := effect{parameter: p, Means: make([]float64, len(p.bins))}
	points := make([][]float64, len(p.bins))
	var all []float64
	for _, t := range trials {
		i := p.bin(t.Swept[p.Path])
		points[i] = append(points[i], t.Points)
		all = append(all, t.Points)
	}
	grand, _ := meanSD(all)
	between, total := 0.0, 0.0
	least := math.Inf(1)
	for i, list := range points {
		e.Means[i], _ = meanSD(list)
		if len(list) == 0 {
			continue
		}
		between += float64(len(list)) * (e.Means[i] - grand) * (e.Means[i] - grand)
		least = math.Min(least, e.Means[i])
		if !(e.Means[i] <= e.Means[e.Best]) { // also where the best so far is none
			e.Best = i
		}
	}
	for _, v := range all {
		total += (v - grand) * (v - grand)
	}
	e.Spread = e.Means[e.Best] - least
	if total > 0 {
		e.Explained = between / total
	}
	return e
}

// mostEffects is how many parameters have a figure of their own.
const mostEffects = 6

// sweepSection shows a search of settings: which of them matter, and the best
// trial.
func (r *result) sweepSection() section {
	s := section{Name: "search", Title: "The search"}
	if r.Compare.Compares() {
		s.Title = "The swept settings"
	}
	parameters := r.Parameters
	trials := r.searchedTrials(parameters)
	if len(parameters) == 0 || len(trials) < 3 {
		return s
	}
	var effects []effect
	for _, p := range parameters {
		effects = append(effects, newEffect(p, trials))
	}
	slices.SortStableFunc(effects, func(a, b effect) int { return cmp.Compare(b.Explained, a.Explained) })
	s.Finding = fmt.Sprintf("%s matters most: it explains %s of the variance between %s. Best trial: %s with %s.",
		effects[0].Path, percent(effects[0].Explained), count(len(trials), "trial"), describeTrial(trials[0], parameters), pointsText(trials[0].Points))
	t := effectTable(effects)
	s.add(part{Table: &t})
	search := r.liveSearch(parameters)
	parallel := r.parallelFigure(parameters, trials)
	parallel.Kind, parallel.Data = charts.KindParallel, search
	figures := []figure{parallel}
	if len(parameters) == 2 && max(len(parameters[0].bins), len(parameters[1].bins)) <= mostContrasts {
		heat := r.heatFigure(parameters[0], parameters[1], trials)
		heat.Kind, heat.Source = charts.KindHeat, "#figure-parallel"
		figures = append(figures, heat)
	}
	for i, e := range effects[:min(len(effects), mostEffects)] {
		f := r.effectFigure(i+1, e, trials)
		if i == 0 {
			f.Kind, f.Source = charts.KindEffects, "#figure-parallel"
		}
		figures = append(figures, f)
	}
	s.add(part{Figures: figures})
	history := r.history(search)
	s.Parts = append(s.Parts, part{Live: &history})
	s.add(part{Notes: []string{
		"The best of many trials is optimistic: another seed with the same settings is likely to score lower.",
		"The share of variance (η²) measures differences between the groups of one parameter, ignoring the others; shares of correlated parameters overlap.",
	}})
	return s
}

// describeTrial names a trial by its settings.
func describeTrial(t searched, parameters []parameter) string {
	var parts []string
	for _, p := range parameters {
		parts = append(parts, p.Label+"\u00a0=\u00a0"+t.Swept[p.Path])
	}
	return t.ID + " (" + term.Enumerate(parts) + ")"
}

func effectTable(effects []effect) table {
	t := table{
		Name:    "effect-table",
		Caption: "Marginal effect of each parameter: means over all finished trials, in points (×100), ignoring the other parameters.",
		Columns: []column{{Name: "Parameter"}, {Name: "Values", Numeric: true}, {Name: "Best", Numeric: true}, {Name: "Its mean", Numeric: true},
			{Name: "Best minus worst", Numeric: true}, {Name: "Share of variance (η²)", Numeric: true}},
	}
	for _, e := range effects {
		t.Rows = append(t.Rows, []cell{{Text: e.Path, Code: true}, {Text: strconv.Itoa(len(e.Levels))}, {Text: e.bins[e.Best]},
			{Text: fixed(e.Means[e.Best], 1)}, {Text: fixed(e.Spread, 1)}, {Text: percent(e.Explained)}})
	}
	return t
}
