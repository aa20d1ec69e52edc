package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// seedNoise is a distribution of scores over seeds.
type seedNoise struct {
	name string
	b    float64 // SD of B relative to that of A, which is seedSD
	draw func(g *rand.Rand) float64
}

var seedNoises = []seedNoise{
	{"normal", 1, (*rand.Rand).NormFloat64},
	// The lognormal of σ = 1, centred and scaled to SD 1: its skewness is 6.2.
	{"skewed", 1, func(g *rand.Rand) float64 {
		return (math.Exp(g.NormFloat64()) - math.Exp(0.5)) / math.Sqrt((math.E-1)*math.E)
	}},
	{"unequal", 3, (*rand.Rand).NormFloat64},
}

// The noise of Flickr8kCIDEr at the level of seeds, and a minimum of 1 point. For
// equivalence, which could hardly ever be shown with that, it is 2 points.
const (
	seedSD       = 0.8
	imagesSD     = 0.474 // 15/√1000
	pointMinimum = 1.0
	wideMinimum  = 2.0
)

// simulatedPermutation uses all splits for up to 8 against 8 runs, and 2,000 random
// ones beyond. A test with few splits is as valid as one with many, but slightly less
// powerful (Phipson & Smyth 2010).
func simulatedPermutation(a, b []float64, seed int64) permutation {
	if n := countSplits(len(a)+len(b), len(b)); n <= 12870 {
		return permute(a, b, int(n), seed)
	}
	return permute(a, b, 2000, seed)
}

// plannedDesign is a study of fixed size, or one with looks.
type plannedDesign struct {
	name  string
	seeds int // per arm, at most
	looks *Looks
}

var plannedDesigns = []plannedDesign{
	{"fixed 5", 5, nil}, {"fixed 8", 8, nil}, {"fixed 12", 12, nil}, {"fixed 16", 16, nil},
	{"looks 5, 8, 12, 16", 16, &Looks{Seeds: []int{5, 8, 12, 16}, Spending: OBrienFleming, Futility: defaultFutility}},
}

func (d plannedDesign) rule(contrasts int) rule {
	r := rule{alpha: 0.05, minimum: pointMinimum}
	if d.looks != nil {
		r.schedule = newSchedule(*d.looks, r.alpha, contrasts)
	}
	return r
}

// simulatedStudy has the scores of several arms, with and without the effect of the
// test images.
type simulatedStudy struct {
	arms       int
	seeds      int
	row, given []float64
}

func (d plannedDesign) study(arms int, n seedNoise, g *rand.Rand) simulatedStudy {
	s := simulatedStudy{arms: arms, seeds: d.seeds, row: make([]float64, arms*d.seeds), given: make([]float64, arms*d.seeds)}
	for a := range arms {
		images, sd := imagesSD/math.Sqrt2*g.NormFloat64(), seedSD
		if a == 1 {
			sd *= n.b
		}
		for r := a * d.seeds; r < (a+1)*d.seeds; r++ {
			s.given[r] = sd * n.draw(g)
			s.row[r] = s.given[r] + images
		}
	}
	return s
}

// follow judges the study as if arm a were better by effects[a], by the rule of
// Compare.
func (s simulatedStudy) follow(r rule, effects []float64, pairs [][2]int, seed int64) []*course {
	row := make([]float64, len(s.row))
	for i, v := range s.row {
		row[i] = v + effects[i/s.seeds]
	}
	courses := make([]*course, len(pairs))
	for i, pair := range pairs {
		courses[i] = newCourse(func(k int) (evidence, bool) {
			n := s.seeds
			if r.schedule != nil {
				n = r.Seeds[k]
			}
			e := ofScores(row, pair[0]*s.seeds, pair[1]*s.seeds, n, imagesSD*imagesSD, 1000)
			e.permutation = simulatedPermutation(e.a, e.b, seed)
			return e, true
		})
	}
	r.follow(courses)
	return courses
}

// permutationRejects reports whether the permutation test alone, over all looks,
// rejects on test images on which there is no difference.
func (s simulatedStudy) permutationRejects(r rule, seed int64) bool {
	p := 1.0
	for k := range r.looks() {
		n := s.seeds
		if r.schedule != nil {
			n = r.Seeds[k]
		}
		p = min(p, r.sequential(k, simulatedPermutation(s.given[:n], s.given[s.seeds:s.seeds+n], seed).p))
	}
	return p < r.alpha
}

// findings are shares of simulated studies of two arms.
type findings struct {
	wrong, wrongWithout   float64    // verdicts without a true difference, with a minimum and without
	permutation, interval float64    // tests alone that reject without a true difference
	equivalent            [3]float64 // at a true difference of +, − the minimum, and of 0
	power                 map[float64]float64
	covered               map[float64]float64
	trials                map[float64]float64
}

var scoreEffects = []float64{0, 1, 2, 3}

func (d plannedDesign) simulate(n seedNoise, studies int, seed uint64) findings {
	g := rand.New(rand.NewPCG(2026, seed))
	f := findings{power: map[float64]float64{}, covered: map[float64]float64{}, trials: map[float64]float64{}}
	share := 1 / float64(studies)
	count := func(to *float64, happened bool) {
		if happened {
			*to += share
		}
	}
	judged := d.rule(1)
	without, wide := judged, judged
	without.minimum, wide.minimum = 0, wideMinimum
	pair := [][2]int{{0, 1}}
	for i := range studies {
		s := d.study(2, n, g)
		at := func(r rule, effect float64) *course { return s.follow(r, []float64{0, effect}, pair, int64(i))[0] }
		for _, effect := range scoreEffects {
			c := at(judged, effect)
			last := len(c.seen) - 1
			low, high := c.seen[last].around(judged.level(last))
			if c.verdict == Supported {
				f.power[effect] += share
			}
			if low <= effect && effect <= high {
				f.covered[effect] += share
			}
			f.trials[effect] += share * float64(2*len(c.seen[last].a))
			if effect == 0 {
				count(&f.wrong, c.verdict == Supported || c.verdict == Opposite)
			}
		}
		for k, effect := range []float64{wideMinimum, -wideMinimum, 0} {
			count(&f.equivalent[k], at(wide, effect).verdict == Equivalent)
		}
		c := at(without, 0)
		count(&f.wrongWithout, c.verdict == Supported || c.verdict == Opposite)
		count(&f.permutation, s.permutationRejects(judged, int64(i)))
		// The interval's test alone, without futility, over all looks.
		p := 1.0
		for k := range judged.looks() {
			size := d.seeds
			if judged.schedule != nil {
				size = judged.Seeds[k]
			}
			p = min(p, judged.sequential(k, ofScores(s.row, 0, d.seeds, size, imagesSD*imagesSD, 1000).P))
		}
		count(&f.interval, p < judged.alpha)
	}
	return f
}

// scoreStudies is the number of studies: that of the flag if given, else half of its
// default, which is enough to detect a wrong rule.
func scoreStudies() int {
	if flagged("studies") {
		return *studies
	}
	return *studies / 2
}

// TestSimulatedDesigns checks the error rates of studies of fixed size and of one
// with looks, and prints the tables of docs/statistics.md:
//
//	go test ./metrics/stats -run SimulatedDesigns -v -studies 10000 -timeout 3h
func TestSimulatedDesigns(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of simulated studies")
	}
	n := scoreStudies()
	error1 := func(p float64) float64 { return math.Sqrt(p * (1 - p) / float64(n)) }
	var table strings.Builder
	fmt.Fprintf(&table, "\n%d studies a row; standard error %.4f at a share of 0.05, %.4f at 0.5\n\n", n, error1(0.05), error1(0.5))
	table.WriteString("| design | noise | wrong verdict | no minimum | permutation | interval | equivalent at +2, −2, 0 | power at 1, 2, 3 | covered at 0, 1, 2 | runs at 0, 1, 2, 3 |\n")
	table.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for i, d := range plannedDesigns {
		for j, noise := range seedNoises {
			if !flagged("studies") && (i > 0 && d.looks == nil || j == 1) { // the shorter run
				continue
			}
			f := d.simulate(noise, n, uint64(10*i+j))
			fmt.Fprintf(&table, "| %s | %s | %.4f | %.4f | %.4f | %.4f | %.4f, %.4f, %.3f | %.3f, %.3f, %.3f | %.4f, %.4f, %.4f | %.1f, %.1f, %.1f, %.1f |\n",
				d.name, noise.name, f.wrong, f.wrongWithout, f.permutation, f.interval, f.equivalent[0], f.equivalent[1], f.equivalent[2], f.power[1], f.power[2], f.power[3],
				f.covered[0], f.covered[1], f.covered[2], f.trials[0], f.trials[1], f.trials[2], f.trials[3])
			limits := map[string][2]float64{ // rate and bound
				"wrong verdict": {f.wrong, 0.05}, "wrong verdict without a minimum": {f.wrongWithout, 0.05},
				"false equivalent at +2": {f.equivalent[0], 0.05}, "false equivalent at −2": {f.equivalent[1], 0.05},
			}
			// If spreads differ much, the null hypothesis of the permutation test is
			// false, because seeds are not exchangeable between arms, and the
			// interval is slightly too short. So the verdict is conservative.
			miss := 0.06
			if noise.b == 1 {
				miss = 0.05
				limits["permutation"] = [2]float64{f.permutation, 0.05}
			}
			limits["interval"] = [2]float64{f.interval, miss}
			for effect, covered := range f.covered {
				limits[fmt.Sprintf("interval missing %g points", effect)] = [2]float64{1 - covered, miss}
			}
			for name, of := range limits {
				if of[0] > of[1]+2.6*error1(of[1]) {
					t.Errorf("%s, %s noise: %s in %.4f of the studies, want at most %g", d.name, noise.name, name, of[0], of[1])
				}
			}
		}
	}
	t.Log(table.String())
}

// TestSimulatedFamilies checks the error rate over all three contrasts of three
// arms: all equal, one better by 3 points, and 2 points apart, so that every
// "equivalent" is wrong.
func TestSimulatedFamilies(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of simulated studies")
	}
	n := scoreStudies()
	pairs := [][2]int{{0, 1}, {1, 2}, {0, 2}}
	limit := 0.05 + 2.6*math.Sqrt(0.05*0.95/float64(n))
	var table strings.Builder
	table.WriteString("\n| design | noise | any wrong verdict, all equal | no minimum | no minimum, one arm better by 3 | any false equivalent, arms 2 apart |\n")
	table.WriteString("| --- | --- | --- | --- | --- | --- |\n")
	for i, d := range plannedDesigns {
		for j, noise := range seedNoises {
			if !flagged("studies") && (d.looks == nil || j != 0) { // the shorter run
				continue
			}
			g := rand.New(rand.NewPCG(2027, uint64(10*i+j)))
			judged := d.rule(len(pairs))
			without, wide := judged, judged
			without.minimum, wide.minimum = 0, wideMinimum
			rates := make([]float64, 4)
			for s := range n {
				study := d.study(3, noise, g)
				wrong := func(r rule, effects ...float64) float64 {
					for k, c := range study.follow(r, effects, pairs, int64(s)) {
						truth := effects[pairs[k][1]] - effects[pairs[k][0]]
						if truth == 0 && (c.verdict == Supported || c.verdict == Opposite) || math.Abs(truth) >= wideMinimum && c.verdict == Equivalent {
							return 1 / float64(n)
						}
					}
					return 0
				}
				for k, w := range []float64{wrong(judged, 0, 0, 0), wrong(without, 0, 0, 0), wrong(without, 0, 0, 3), wrong(wide, 0, 2, 4)} {
					rates[k] += w
				}
			}
			fmt.Fprintf(&table, "| %s | %s | %.4f | %.4f | %.4f | %.4f |\n", d.name, noise.name, rates[0], rates[1], rates[2], rates[3])
			for k, rate := range rates {
				if rate > limit {
					t.Errorf("%s, %s noise: column %d errs in %.4f of the studies", d.name, noise.name, k+1, rate)
				}
			}
		}
	}
	t.Log(table.String())
}
