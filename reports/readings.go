package reports

import (
	"fmt"
	"math"
	"strings"

	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// An armReading is an arm with what the readings of its captions say.
type armReading struct {
	*arm
	stats.ReadingSummary
}

// A gainContrast is a declared contrast with the difference in gains.
type gainContrast struct {
	of *contrast
	stats.GainContrast
}

// read summarises the readings that are stored.
func (r *result) read() error {
	var arms []stats.ReadingArm
	for _, a := range r.Arms {
		one := stats.ReadingArm{Name: a.Name}
		for _, run := range a.Runs {
			if len(run.Readings) == 0 {
				continue
			}
			read, err := ReadingRun(run.Seed, run.captions(), run.Readings)
			if err != nil {
				return fmt.Errorf("run %s: %w; glimpse swap reads its captions again", run.ID, err)
			}
			one.Runs = append(one.Runs, read)
		}
		if len(one.Runs) > 0 {
			arms = append(arms, one)
			r.Read = append(r.Read, &armReading{arm: a})
		}
	}
	var asked []stats.Contrast
	var of []*contrast
	for _, c := range r.Contrasts {
		if r.readingOf(c.A) != nil && r.readingOf(c.B) != nil { // averages over other factors have none
			asked, of = append(asked, stats.Contrast{B: c.B.Name, A: c.A.Name}), append(of, c)
		}
	}
	summaries, contrasts, err := stats.Readings(arms, WordClasses(), asked)
	for i, s := range summaries {
		r.Read[i].ReadingSummary = s
	}
	for i, c := range contrasts {
		r.GainContrasts = append(r.GainContrasts, gainContrast{of[i], c})
	}
	return err
}

// readingOf is the readings of an arm, nil where there are none.
func (r *result) readingOf(a *arm) *armReading {
	for _, read := range r.Read {
		if read.arm == a {
			return read
		}
	}
	return nil
}

// ReadingRun joins the stored captions of a run with how it reads them, both of
// one split, as the statistics take them. Nothing may have been captioned and not read,
// nor the other way round. Without readings it has no captions.
func ReadingRun(seed int64, captions []store.Caption, readings []store.Reading) (stats.ReadingRun, error) {
	run := stats.ReadingRun{Seed: seed}
	if len(readings) == 0 {
		return run, nil
	}
	if len(readings) != len(captions) {
		return run, fmt.Errorf("%d captions are stored, but readings of %d", len(captions), len(readings))
	}
	for i, c := range captions {
		words, err := readWords(c, readings[i])
		if err != nil {
			return run, fmt.Errorf("readings of image %s: %w", c.Image, err)
		}
		run.Captions = append(run.Captions, words)
	}
	return run, nil
}

func readWords(c store.Caption, r store.Reading) ([]stats.Word, error) {
	words := strings.Fields(c.Words)
	if r.Image != c.Image {
		return nil, fmt.Errorf("none are stored, but some of %s are", r.Image)
	}
	// at gives what a series holds of a word, NaN where the arm has none.
	at := func(series []float64, i int) float64 {
		if series == nil {
			return math.NaN()
		}
		return series[i]
	}
	for _, series := range [][]float64{r.LogProb, r.LogProbOther, r.LogProbRegions, r.LogProbEven, c.Beta, r.BetaOther} {
		if series != nil && len(series) != len(words) {
			return nil, fmt.Errorf("they have %d values, but the caption has %d words", len(series), len(words))
		}
	}
	list := make([]stats.Word, len(words))
	for i, class := range classes(words) {
		own := at(r.LogProb, i)
		list[i] = stats.Word{
			Text: words[i], Class: string(class), Kind: kinds[class],
			Gain: own - at(r.LogProbOther, i), RegionsGain: own - at(r.LogProbRegions, i), PlacesGain: own - at(r.LogProbEven, i),
			Beta: at(c.Beta, i), OtherBeta: at(r.BetaOther, i),
		}
	}
	return list, nil
}
