package stats

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func ones(n int) []float64 { return slices.Repeat([]float64{1}, n) }

func spearman(x, y []float64, stratum []int, w []float64) float64 {
	return correlation(newRanking(x, stratum), newRanking(y, stratum), w)
}

func TestSpearman(t *testing.T) {
	// The worked example of Wikipedia's "Spearman's rank correlation coefficient": ρ = −29/165.
	iq := []float64{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}
	tv := []float64{7, 27, 2, 50, 28, 29, 20, 12, 6, 17}
	for _, c := range []struct {
		name    string
		x, y    []float64
		stratum []int
		w       []float64
		want    float64
	}{
		{"textbook", iq, tv, make([]int, 10), ones(10), -29.0 / 165},
		// Midranks 1, 2½, 2½, 4 and 1, 3, 2, 4: 4.5/√(4.5·5).
		{"ties", []float64{1, 2, 2, 3}, []float64{1, 3, 2, 4}, make([]int, 4), ones(4), 4.5 / math.Sqrt(22.5)},
		{"weights are repetitions", []float64{1, 2, 3}, []float64{1, 3, 2}, make([]int, 3), []float64{1, 2, 1},
			spearman([]float64{1, 2, 2, 3}, []float64{1, 3, 3, 2}, make([]int, 4), ones(4))},
		{"opposite within strata, alike between", []float64{1, 2, 3, 11, 12, 13}, []float64{3, 2, 1, 13, 12, 11}, []int{0, 0, 0, 1, 1, 1}, ones(6), -1},
		{"the same without strata", []float64{1, 2, 3, 11, 12, 13}, []float64{3, 2, 1, 13, 12, 11}, make([]int, 6), ones(6), 1 - 6*16.0/(6*35)},
		{"all alike", []float64{1, 1, 1}, []float64{1, 2, 3}, make([]int, 3), ones(3), math.NaN()},
		{"nothing", nil, nil, nil, nil, math.NaN()},
	} {
		got := spearman(c.x, c.y, c.stratum, c.w)
		if math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// toyRun returns captions of 6 words, each at random a function or a visual word,
// with β and gain from world.
func toyRun(seed int64, images int, world func(g *rand.Rand, at int, visual bool) (beta, gain float64)) ReadingRun {
	g := rand.New(rand.NewPCG(uint64(seed), 7))
	run := ReadingRun{Seed: seed}
	for range images {
		var caption []Word
		for at := range 6 {
			w := Word{Text: []string{"a", "in", "the"}[g.IntN(3)], Class: "short", Kind: FunctionWord, PlacesGain: math.NaN()}
			if g.IntN(2) == 0 {
				w.Text, w.Class, w.Kind = []string{"dog", "cat", "ball", "boy"}[g.IntN(4)], "nouns", VisualWord
			}
			w.Beta, w.Gain = world(g, at, w.Kind == VisualWord)
			w.OtherBeta, w.RegionsGain = w.Beta, w.Gain/2
			caption = append(caption, w)
		}
		run.Captions = append(run.Captions, caption)
	}
	return run
}

func TestReadingsOfToyWorlds(t *testing.T) {
	noise := func(g *rand.Rand) float64 { return 0.1 * g.NormFloat64() }
	for _, c := range []struct {
		name    string
		world   func(g *rand.Rand, at int, visual bool) (beta, gain float64)
		verdict Verdict
		all     [2]float64 // bounds of the correlation over all words
		within  [2]float64 // and of that among words at one position
	}{
		{"β is high where nothing is gained", func(g *rand.Rand, at int, visual bool) (float64, float64) {
			need := noise(g)
			if visual {
				need++
			}
			return 0.5 - 0.2*need, need
		}, Supported, [2]float64{-1.001, -0.999}, [2]float64{-1.001, -0.999}},
		{"β is high where much is gained", func(g *rand.Rand, at int, visual bool) (float64, float64) {
			need := noise(g)
			if visual {
				need++
			}
			return 0.3 + 0.2*need, need
		}, Opposite, [2]float64{0.999, 1.001}, [2]float64{0.999, 1.001}},
		{"both follow the place alone", func(g *rand.Rand, at int, visual bool) (float64, float64) {
			return 0.1*float64(at) + 0.1*noise(g), 6 - float64(at) + noise(g)
		}, Inconclusive, [2]float64{-1, -0.9}, [2]float64{-0.1, 0.1}},
		{"the place hides it", func(g *rand.Rand, at int, visual bool) (float64, float64) {
			need := 0.1 * noise(g)
			if visual {
				need += 0.5
			}
			return 0.1*float64(at) - 0.1*need, float64(at) + need
		}, Supported, [2]float64{0.8, 1}, [2]float64{-1.001, -0.999}},
		{"β follows nothing", func(g *rand.Rand, at int, visual bool) (float64, float64) {
			return 0.5 + noise(g), noise(g)
		}, Inconclusive, [2]float64{-0.1, 0.1}, [2]float64{-0.1, 0.1}},
	} {
		arm := ReadingArm{Name: "adaptive", Runs: []ReadingRun{toyRun(1, 150, c.world), toyRun(2, 150, c.world)}}
		got, _, err := Readings([]ReadingArm{arm}, []string{"short", "nouns", "verbs"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := got[0].Sentinel
		if s == nil || s.Verdict != c.verdict {
			t.Errorf("%s: %+v, want %s", c.name, s, c.verdict)
			continue
		}
		for _, of := range []struct {
			name string
			*Interval
			want [2]float64
		}{{"over all words", s.Correlation, c.all}, {"at one place", s.WithinPosition, c.within}} {
			if of.Value < of.want[0] || of.Value > of.want[1] || of.Low > of.Value || of.High < of.Value {
				t.Errorf("%s: correlation %s %+v, want %v", c.name, of.name, of.Interval, of.want)
			}
		}
		if s.OtherPicture.Value < 0.9999 || s.Change.Value != 0 {
			t.Errorf("%s: β does not change with the picture, but got %+v and %+v", c.name, s.OtherPicture, s.Change)
		}
		if classes := got[0].Classes; len(classes) != 3 || classes[0].Words != 2*150*6 || classes[1].Words+classes[2].Words != classes[0].Words ||
			classes[1].PlacesGain != nil || math.Abs(classes[2].RegionsGain.Value-classes[2].Gain.Value/2) > 1e-9 {
			t.Errorf("%s: classes %+v", c.name, classes)
		}
	}
}

// The interval of a run's mean is from resampled images, not words: the words of a
// caption stay together.
func TestReadingIntervalTakesCaptionsWhole(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 3))
	run := ReadingRun{Seed: 1}
	const images = 400
	sum, squares := 0.0, 0.0
	for range images {
		level := g.NormFloat64()
		run.Captions = append(run.Captions, slices.Repeat([]Word{{Text: "a", Gain: level, RegionsGain: math.NaN(), PlacesGain: math.NaN(), Beta: math.NaN(), OtherBeta: math.NaN()}}, 5))
		sum, squares = sum+level, squares+level*level
	}
	mean := sum / images
	se := math.Sqrt((squares - images*mean*mean) / (images - 1) / images)
	got, _, err := Readings([]ReadingArm{{"none", []ReadingRun{run}}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := got[0].Classes[0]
	half := (all.Gain.High - all.Gain.Low) / 2
	// With 1,000 draws, a standard error is known to within 2.2 %.
	if math.Abs(all.Gain.Value-mean) > 1e-9 || math.Abs(half/(1.966*se)-1) > 0.08 || got[0].Sentinel != nil || all.Beta != nil {
		t.Errorf("%+v, want %v ± %v", all.Gain, mean, 1.966*se)
	}
}

// Variation between seeds widens the interval. Effects of images that all arms share
// cancel in the difference.
func TestReadingsOfSeveralSeedsAndArms(t *testing.T) {
	arm := func(name string, level float64, spread float64) ReadingArm {
		a := ReadingArm{Name: name}
		for seed := int64(1); seed <= 3; seed++ {
			a.Runs = append(a.Runs, toyRun(9, 200, func(g *rand.Rand, at int, visual bool) (float64, float64) {
				return math.NaN(), level + spread*float64(seed-2) + g.NormFloat64() // the same words and noise for every seed
			}))
			a.Runs[seed-1].Seed = seed
		}
		return a
	}
	arms := []ReadingArm{arm("uniform", 1, 0), arm("soft", 1.5, 0), arm("wild", 1.5, 1)}
	got, contrasts, err := Readings(arms, nil, []Contrast{{B: "soft", A: "uniform"}, {B: "wild", A: "uniform"}})
	if err != nil {
		t.Fatal(err)
	}
	width := func(i *Interval) float64 { return i.High - i.Low }
	soft, wild := got[1].Classes[0].Gain, got[2].Classes[0].Gain
	if !reflect.DeepEqual(got[1].Seeds, []int64{1, 2, 3}) || len(wild.Runs) != 3 || math.Abs(wild.Runs[2]-wild.Runs[0]-2) > 1e-9 {
		t.Errorf("seeds %+v", got[2])
	}
	// Three seeds 1 apart: t with 2 degrees of freedom, so 4.30/√3 on each side.
	if width(soft) > 0.3 || math.Abs(width(wild)-2*4.30/math.Sqrt(3)) > 0.3 {
		t.Errorf("seeds alike %+v, and 1 apart %+v", soft, wild)
	}
	if d := contrasts[0].Gain; math.Abs(d.Value-0.5) > 1e-9 || width(d) > 1e-6 || d.Runs != nil {
		t.Errorf("a difference without noise is %+v", d)
	}
	if d := contrasts[1].Gain; d.Low > 0 || d.High < 0.5 {
		t.Errorf("a difference of seeds 1 apart is %+v", d)
	}
	again, _, err := Readings(arms, nil, nil)
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("the same readings give different intervals: %v", err)
	}
}

func TestReadingsRefuse(t *testing.T) {
	plain := func(g *rand.Rand, at int, visual bool) (float64, float64) { return 0.5, 1 }
	bad := toyRun(1, 3, plain)
	bad.Captions[1][2].Gain = math.Inf(1)
	mixed := toyRun(1, 3, plain)
	mixed.Captions[2][0].Beta = math.NaN()
	for _, c := range []struct {
		arms      []ReadingArm
		contrasts []Contrast
		want      string
	}{
		{[]ReadingArm{{"soft", nil}}, nil, "arm soft has no readings"},
		{[]ReadingArm{{"soft", []ReadingRun{toyRun(1, 3, plain), toyRun(2, 4, plain)}}}, nil, "seed 2: it has 4 captions, but seed 1 of soft has 3"},
		{[]ReadingArm{{"soft", []ReadingRun{toyRun(1, 3, plain), toyRun(1, 3, plain)}}}, nil, "two readings of seed 1"},
		{[]ReadingArm{{"soft", []ReadingRun{toyRun(1, 1, plain)}}}, nil, "at least 2"},
		{[]ReadingArm{{"soft", []ReadingRun{bad}}}, nil, "image 2, word 3"},
		{[]ReadingArm{{"soft", []ReadingRun{mixed}}}, nil, "its beta is NaN"},
		{[]ReadingArm{{"soft", []ReadingRun{toyRun(1, 3, plain)}}}, []Contrast{{B: "soft", A: "hard"}}, `no arm "hard"`},
	} {
		if _, _, err := Readings(c.arms, nil, c.contrasts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	empty := ReadingRun{Captions: make([][]Word, 3)}
	if got, _, err := Readings([]ReadingArm{{"mute", []ReadingRun{empty}}}, nil, nil); err != nil || got[0].Classes[0].Gain != nil || got[0].Sentinel != nil {
		t.Errorf("captions without words: %+v, %v", got, err)
	}
}
