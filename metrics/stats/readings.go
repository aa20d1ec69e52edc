package stats

import (
	"fmt"
	"math"
	"slices"
)

// Kind classifies a word by the claim that a captioner knows when to look at the
// picture (Lu et al. 2017, arXiv 1612.01887).
type Kind int

const (
	NeitherKind  Kind = iota
	FunctionWord      // predictable from the words before it
	VisualWord        // needs a look at the picture
)

// Word is a word of a caption with the probabilities that a captioner assigns to
// it, given the words before it. A gain is the log probability with the caption's
// own picture minus that under another condition, in nats. Numbers that the
// captioner does not have are NaN.
type Word struct {
	Text, Class string
	Kind        Kind
	Gain        float64 // over another picture
	RegionsGain float64 // over the other picture's regions, with everything else from the caption's own
	PlacesGain  float64 // over uniform attention
	Beta        float64 // weight of the sentinel, 0 to 1
	OtherBeta   float64 // weight of the sentinel with the other picture
}

// series are the numbers of a word, by name.
var series = map[string]func(*Word) float64{
	"gain":         func(w *Word) float64 { return w.Gain },
	"regions_gain": func(w *Word) float64 { return w.RegionsGain },
	"places_gain":  func(w *Word) float64 { return w.PlacesGain },
	"beta":         func(w *Word) float64 { return w.Beta },
	"other_beta":   func(w *Word) float64 { return w.OtherBeta },
}

// ReadingRun is one trained model's captions: one per image, in the same order
// of images for all runs.
type ReadingRun struct {
	Seed     int64
	Captions [][]Word
}

// ReadingArm is a set of runs that differ only in their seed.
type ReadingArm struct {
	Name string
	Runs []ReadingRun
}

// Interval is a mean over runs with its 95 % confidence interval, over images
// and, if there are several runs, over seeds. For a difference of two arms, it is
// that of the difference.
type Interval struct {
	Value float64   `json:"value"`
	Low   float64   `json:"low"`
	High  float64   `json:"high"`
	Runs  []float64 `json:"runs"` // the value of each run; null for a difference
}

// ReadingClass has the means over the words of a class: gains in nats, β from 0
// to 1. Numbers that the arm does not have are nil.
type ReadingClass struct {
	Class       string    `json:"class"` // "" for all words
	Words       int       `json:"words"` // over all runs
	Gain        *Interval `json:"gain"`
	RegionsGain *Interval `json:"regions_gain"`
	PlacesGain  *Interval `json:"places_gain"`
	Beta        *Interval `json:"beta"`
	OtherBeta   *Interval `json:"other_beta"`
}

// Sentinel tests the claim that β, the weight of the sentinel, is high where the
// picture is not needed. Correlations are Spearman's over words. Differences are
// in β. Numbers that the words do not determine are nil.
type Sentinel struct {
	// Correlation is that of β and the gain from the picture. The claim predicts
	// a negative one.
	Correlation *Interval `json:"correlation"`
	// WithinPosition is Correlation among words at the same position in their
	// captions, over all positions. It excludes that β and the gain both merely
	// depend on the position.
	WithinPosition *Interval `json:"correlation_within_position"`
	// Regions is WithinPosition with the gain from the regions, which are all that
	// β weighs.
	Regions *Interval `json:"correlation_regions_within_position"`
	// Types is the correlation over types of words, of the means of β and gain,
	// for types that a run wrote at least 10 times.
	Types *Interval `json:"correlation_types"`
	// Difference is the mean β of function words minus that of visual words. The
	// claim predicts a positive one.
	Difference *Interval `json:"difference"`
	// DifferenceWithin is Difference among words at the same position, over all
	// positions.
	DifferenceWithin *Interval `json:"difference_within_position"`
	// OtherPicture is the correlation of β with the caption's own picture and β
	// with another picture.
	OtherPicture *Interval `json:"correlation_other_picture"`
	// Change is the mean of |β − β with another picture|.
	Change *Interval `json:"change"`
	// Verdict is the verdict on the claim: supported if the intervals of
	// WithinPosition and DifferenceWithin both lie on the predicted side of 0,
	// opposite if both lie on the other side, and otherwise inconclusive.
	Verdict Verdict `json:"verdict"`
}

// Measure is one of the numbers of a sentinel, described in words.
type Measure struct {
	Name  string
	Claim string // what the claim predicts, such as "below 0"; "" if nothing
	*Interval
}

// Measures lists the numbers that are not nil. The first two decide the verdict.
func (s *Sentinel) Measures() []Measure {
	return slices.DeleteFunc([]Measure{
		{"correlation of β and gain, words at one place", "below 0", s.WithinPosition},
		{"β of function words less nouns, colours, numbers, at one place", "above 0", s.DifferenceWithin},
		{"correlation of β and gain, all words", "below 0", s.Correlation},
		{"correlation of β and gain, types of words", "below 0", s.Types},
		{"correlation of β and the gain of regions, words at one place", "below 0", s.Regions},
		{"β of function words less nouns, colours, numbers, all words", "above 0", s.Difference},
		{"correlation of β with itself before another picture", "", s.OtherPicture},
		{"mean change of β with another picture", "", s.Change},
	}, func(m Measure) bool { return m.Interval == nil })
}

// ReadingSummary summarises the readings of an arm's runs.
type ReadingSummary struct {
	Arm    string  `json:"arm"`
	Seeds  []int64 `json:"seeds"`
	Images int     `json:"images"`
	// Classes has all words first, then each class of which every run wrote at
	// least 10 words.
	Classes  []ReadingClass `json:"classes"`
	Sentinel *Sentinel      `json:"sentinel"` // nil for an arm without a sentinel
}

// GainContrast is the difference of two arms' mean gains over all words, B − A,
// in nats. A gain that either arm lacks is nil.
type GainContrast struct {
	Contrast
	Gain        *Interval `json:"gain"`
	RegionsGain *Interval `json:"regions_gain"`
}

const (
	readingDraws = 1000
	readingLevel = 0.95
	// fewestRead is the number of words of a class or type that a run must have
	// written for their mean to be stable enough.
	fewestRead = 10
)

// Readings summarises how runs read their captions, and compares the mean gains
// of arms. classes lists the word classes to summarise, in order. Intervals are
// computed as in the package comment, except that images are resampled by the
// Bayesian bootstrap (Rubin 1981, Annals of Statistics 9:130–134). It gives every
// image some weight, so that even a class of few words has a mean in every draw.
// Correlations are averaged as Fisher's z. Readings returns an error for invalid
// contrasts, an arm without runs, two runs of one seed, runs with different
// numbers of images, fewer than two images, and numbers that are infinite or that
// only some words have.
func Readings(arms []ReadingArm, classes []string, contrasts []Contrast) ([]ReadingSummary, []GainContrast, error) {
	var readers []*reader
	sides := make([]runRange, len(arms))
	var names []string
	for i, a := range arms {
		sides[i] = runRange{len(readers), len(readers) + len(a.Runs)}
		names = append(names, a.Name)
		for j, run := range a.Runs {
			if slices.ContainsFunc(a.Runs[:j], func(q ReadingRun) bool { return q.Seed == run.Seed }) {
				return nil, nil, fmt.Errorf("stats: arm %s has two readings of seed %d: one run must not count twice", a.Name, run.Seed)
			}
			r, err := newReader(run)
			if err == nil && len(run.Captions) != len(arms[0].Runs[0].Captions) {
				err = fmt.Errorf("it has %d captions, but seed %d of %s has %d: all runs need the same images",
					len(run.Captions), arms[0].Runs[0].Seed, arms[0].Name, len(arms[0].Runs[0].Captions))
			}
			if err != nil {
				return nil, nil, fmt.Errorf("stats: readings of %s, seed %d: %w", a.Name, run.Seed, err)
			}
			readers = append(readers, r)
		}
		if len(a.Runs) == 0 {
			return nil, nil, fmt.Errorf("stats: arm %s has no readings", a.Name)
		}
	}
	pairs, err := findContrasts(names, contrasts)
	if err != nil || len(readers) == 0 {
		return nil, nil, err
	}
	images := len(arms[0].Runs[0].Captions)
	if images < 2 {
		return nil, nil, fmt.Errorf("stats: readings of %d images: intervals need at least 2", images)
	}
	s := newReadings(readers, images, classes)
	summaries := make([]ReadingSummary, len(arms))
	for i, a := range arms {
		of := func(name string) *Interval { return s.interval(name, sides[i]) }
		summaries[i] = summarise(a, classes, readers[sides[i].first:sides[i].end], of)
	}
	compared := make([]GainContrast, len(contrasts))
	for i, pair := range pairs {
		a, b := sides[pair[0]], sides[pair[1]]
		compared[i] = GainContrast{contrasts[i], s.interval("gain", a, b), s.interval("regions_gain", a, b)}
	}
	return summaries, compared, nil
}

func summarise(a ReadingArm, classes []string, readers []*reader, of func(string) *Interval) ReadingSummary {
	sum := ReadingSummary{Arm: a.Name, Images: len(a.Runs[0].Captions)}
	for _, run := range a.Runs {
		sum.Seeds = append(sum.Seeds, run.Seed)
	}
	for _, class := range append([]string{""}, classes...) {
		words, fewest := 0, math.MaxInt
		for _, r := range readers {
			n := len(r.byClass[class])
			words, fewest = words+n, min(fewest, n)
		}
		if fewest >= fewestRead || class == "" {
			sum.Classes = append(sum.Classes, ReadingClass{Class: class, Words: words,
				Gain: of("gain" + class), RegionsGain: of("regions_gain" + class), PlacesGain: of("places_gain" + class),
				Beta: of("beta" + class), OtherBeta: of("other_beta" + class)})
		}
	}
	if of("beta") == nil {
		return sum
	}
	v := &Sentinel{
		Correlation: of("correlation"), WithinPosition: of("within"), Regions: of("regions"), Types: of("types"),
		Difference: of("difference"), DifferenceWithin: of("difference within"),
		OtherPicture: of("other picture"), Change: of("change"), Verdict: Inconclusive,
	}
	if r, d := v.WithinPosition, v.DifferenceWithin; r != nil && d != nil {
		switch {
		case r.High < 0 && d.Low > 0:
			v.Verdict = Supported
		case r.Low > 0 && d.High < 0:
			v.Verdict = Opposite
		}
	}
	sum.Sentinel = v
	return sum
}

// readings holds every statistic of every run, on every draw of images and on
// the actual images.
type readings struct {
	*resample
	images     int
	statistics []readingStatistic
	observed   [][]float64 // [statistic][run]
}

func newReadings(readers []*reader, images int, classes []string) *readings {
	statistics := readingStatistics(classes)
	s := &readings{
		resample: newResample(len(statistics), readingDraws, len(readers)), images: images, statistics: statistics,
	}
	// No percentile intervals are needed, so runs are not resampled.
	even := slices.Repeat([]float64{1}, images)
	for range statistics {
		s.observed = append(s.observed, make([]float64, len(readers)))
	}
	for r, reader := range readers {
		w := reader.weights(even)
		for k, statistic := range statistics {
			s.observed[k][r] = statistic.of(reader, w)
		}
	}
	inParallel(readingDraws, func(d int) {
		g := stream(0, useReadings, uint64(d))
		weights := make([]float64, images)
		for i := range weights {
			weights[i] = -math.Log((float64(g.Uint64()>>11) + 0.5) / (1 << 53)) // exponential
		}
		for r, reader := range readers {
			w := reader.weights(weights)
			for k, statistic := range statistics {
				if !math.IsNaN(s.observed[k][r]) {
					s.on(k, d)[r] = statistic.of(reader, w)
				}
			}
		}
	})
	return s
}

// runRange is the half-open range of an arm's runs among all runs.
type runRange struct{ first, end int }

// interval estimates a statistic's mean over the runs of an arm, or the mean of a
// second arm minus that of the first. It returns nil if any run lacks the
// statistic.
func (s *readings) interval(name string, arms ...runRange) *Interval {
	k := slices.IndexFunc(s.statistics, func(t readingStatistic) bool { return t.name == name })
	shown := s.statistics[k].shown
	var runs []float64
	var sides []side
	for i, a := range arms {
		scores := s.observed[k][a.first:a.end]
		for _, v := range scores {
			if math.IsNaN(v) {
				return nil
			}
			runs = append(runs, shown(v))
		}
		sign := 1.0
		if i < len(arms)-1 {
			sign = -1
		}
		sides = append(sides, side{scores: scores, sign: sign, of: s.resample, first: a.first})
	}
	e := newInterval(k, s.images, sides, 1-readingLevel)
	if len(sides) > 1 {
		runs = nil
	}
	return &Interval{shown(e.Value), shown(e.Low), shown(e.High), runs}
}
