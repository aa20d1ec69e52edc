package stats

import (
	"fmt"
	"math"
	"slices"
)

// Kind says what is claimed of a word by those who say that a captioner knows
// when to look (Lu et al. 2017, arXiv 1612.01887).
type Kind int

const (
	NeitherKind  Kind = iota
	FunctionWord      // follows from the words before it
	VisualWord        // needs a look at the picture
)

// Word is a word of a caption as a captioner reads it, with the caption's
// picture and without what that gives. Gains are log probabilities with the picture
// less those without, in nats. NaN stands for what the captioner has not.
type Word struct {
	Text, Class string
	Kind        Kind
	Gain        float64 // over another picture
	RegionsGain float64 // over the other picture's regions, all else being the caption's own
	PlacesGain  float64 // over attention spread evenly
	Beta        float64 // weight of the sentinel
	OtherBeta   float64 // the same with the other picture
}

// series are the numbers of a word, by name.
var series = map[string]func(*Word) float64{
	"gain":         func(w *Word) float64 { return w.Gain },
	"regions_gain": func(w *Word) float64 { return w.RegionsGain },
	"places_gain":  func(w *Word) float64 { return w.PlacesGain },
	"beta":         func(w *Word) float64 { return w.Beta },
	"other_beta":   func(w *Word) float64 { return w.OtherBeta },
}

// ReadingRun is one trained model's captions, one an image, in the same order
// of images in all runs.
type ReadingRun struct {
	Seed     int64
	Captions [][]Word
}

// ReadingArm is a set of runs that differ only in their seed.
type ReadingArm struct {
	Name string
	Runs []ReadingRun
}

// Interval is a mean over runs with its interval for other images and, where
// there are several runs, other seeds.
type Interval struct {
	Value float64   `json:"value"`
	Low   float64   `json:"low"`
	High  float64   `json:"high"`
	Runs  []float64 `json:"runs"` // of each run
}

// ReadingClass is what the words of a class have in the mean; nil is what the
// arm has not.
type ReadingClass struct {
	Class       string    `json:"class"` // "" for all words
	Words       int       `json:"words"` // over all runs
	Gain        *Interval `json:"gain"`
	RegionsGain *Interval `json:"regions_gain"`
	PlacesGain  *Interval `json:"places_gain"`
	Beta        *Interval `json:"beta"`
	OtherBeta   *Interval `json:"other_beta"`
}

// Sentinel says whether β is high where the picture is not needed. Correlations
// are Spearman's over words, differences are in β; nil is what the words do not tell.
type Sentinel struct {
	// Correlation of β and the gain from the picture: the claim says negative.
	Correlation *Interval `json:"correlation"`
	// WithinPosition is the same among words at one place of their captions, over all
	// places: both may follow the place alone.
	WithinPosition *Interval `json:"correlation_within_position"`
	// Regions is that with the gain from the regions, all that β weighs.
	Regions *Interval `json:"correlation_regions_within_position"`
	// Types is the correlation of the means of words that a run wrote often.
	Types *Interval `json:"correlation_types"`
	// Difference of mean β, function words less visual ones: the claim says positive.
	Difference *Interval `json:"difference"`
	// DifferenceWithin is that at one place, over all places.
	DifferenceWithin *Interval `json:"difference_within_position"`
	// OtherPicture is the correlation of β with what it is before another picture.
	OtherPicture *Interval `json:"correlation_other_picture"`
	// Change is the mean of |β − β with another picture|.
	Change *Interval `json:"change"`
	// Verdict on the claim: supported where the intervals of WithinPosition and
	// DifferenceWithin both lie on the side that it says, opposite on the other side.
	Verdict Verdict `json:"verdict"`
}

// Measure is one of the numbers of a sentinel, in words.
type Measure struct {
	Name  string
	Claim string // what its authors' claim says of it; "" if it says nothing
	*Interval
}

// Measures lists the numbers that there are, those that decide the verdict first.
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

// ReadingSummary is what the runs of an arm say.
type ReadingSummary struct {
	Arm      string         `json:"arm"`
	Seeds    []int64        `json:"seeds"`
	Images   int            `json:"images"`
	Classes  []ReadingClass `json:"classes"`  // all words, then each class that every run writes often
	Sentinel *Sentinel      `json:"sentinel"` // nil for an arm without
}

// GainContrast is a difference of two arms' mean gains over all words, B − A.
type GainContrast struct {
	Contrast
	Gain        *Interval `json:"gain"`
	RegionsGain *Interval `json:"regions_gain"`
}

const (
	readingDraws = 1000
	readingLevel = 0.95
	// fewestRead is how many words of a class, or of a type, a run must have
	// written for their mean to hold still.
	fewestRead = 10
)

// Readings summarises how runs read their captions, and compares the gains of
// arms. classes orders the classes. Intervals are those of the package comment,
// with one difference: images are drawn by the Bayesian bootstrap (Rubin 1981, Annals
// of Statistics 9:130–134), which gives every image some weight, so that a class of
// few words has a mean in every draw. Correlations are averaged as Fisher's z.
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
				err = fmt.Errorf("it has %d captions, and seed %d of %s has %d: all runs need the same images",
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
			sum.Classes = append(sum.Classes, ReadingClass{Class: class, Words: words, Gain: of("gain" + class), RegionsGain: of("regions_gain" + class),
				PlacesGain: of("places_gain" + class), Beta: of("beta" + class), OtherBeta: of("other_beta" + class)})
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

// readings holds every statistic of every run on every draw of images.
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
	// Seeds are not drawn: no percentiles are taken.
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

// runRange is the half-open range of an arm's runs.
type runRange struct{ first, end int }

// interval estimates the mean of an arm, or what that of a second arm is above that of the first;
// nil if a run lacks the statistic.
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
