package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"

	"glimpse/data"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics/stats"
	"glimpse/reports"
	"glimpse/results"
)

// Swapped says which words of captions need the picture. Its JSON is a
// contract: it is what `glimpse swap --json` prints.
type Swapped struct {
	Runs []SwappedRun           `json:"runs"`
	Arms []stats.ReadingSummary `json:"arms"` // over the seeds, in the order of the runs
}

// SwappedRun is a run whose captions of a split were read.
type SwappedRun struct {
	ID    string `json:"id"`
	Study string `json:"study"`
	Arm   string `json:"arm"`
	Seed  int64  `json:"seed"`
	Split string `json:"split"`
}

// Swap has the best checkpoint of each completed run read the final captions
// that it wrote, with their own pictures and with those of other images, the
// same for all runs. It keeps the readings, in place of earlier ones, and
// averages each arm over its seeds. Runs of an arm that differ in more than
// their seed are refused, as are runs under different protocols and checkpoints
// that do not find a caption as likely as when it was written.
func (o *Opener) Swap(ctx context.Context, runs []store.Run) (*Swapped, error) {
	if err := cmp.Or(averageable(runs), results.SameProtocol(runs)); err != nil {
		return nil, err
	}
	var (
		arms  []stats.ReadingArm
		out   = &Swapped{}
		index = map[string]int{} // of an arm in arms
	)
	for _, run := range runs {
		split, _ := run.Final()
		read, err := o.readSwapped(ctx, run, split)
		if err != nil {
			return nil, err
		}
		at, known := index[run.Arm]
		if !known {
			at, index[run.Arm] = len(arms), len(arms)
			arms = append(arms, stats.ReadingArm{Name: run.Arm})
		}
		arms[at].Runs = append(arms[at].Runs, read)
		out.Runs = append(out.Runs, SwappedRun{run.ID, run.Study, run.Arm, run.Seed, split})
	}
	var err error
	out.Arms, _, err = stats.Readings(arms, reports.WordClasses(), nil)
	return out, err
}

// averageable holds that the runs of an arm differ in their seed alone.
func averageable(runs []store.Run) error {
	first := map[string]store.Run{} // of each arm
	for _, run := range runs {
		if other, known := first[run.Arm]; !known {
			first[run.Arm] = run
		} else if !maps.Equal(other.Swept, run.Swept) {
			return fmt.Errorf("runs %s and %s of arm %s differ in more than their seed and cannot be averaged: name fewer runs",
				other.ID, run.ID, run.Arm)
		}
	}
	return nil
}

// readSwapped reads a run's captions of a split, and keeps the readings.
func (o *Opener) readSwapped(ctx context.Context, run store.Run, split string) (read stats.ReadingRun, err error) {
	r, err := o.Open(ctx, run)
	if err != nil {
		return read, err
	}
	captions, err := o.DB.Captions(ctx, run.ID, split)
	if err != nil {
		return read, err
	}
	o.remark("%s %s seed %d: reading %s with pictures swapped", run.ID, run.Arm, run.Seed, term.Plural(len(captions), "caption"))
	readings, err := r.readings(ctx, captions)
	if err != nil {
		return read, err
	}
	if err := o.DB.SaveReadings(ctx, run.ID, split, readings); err != nil {
		return read, err
	}
	if read, err = reports.ReadingRun(run.Seed, captions, readings); err != nil {
		return read, fmt.Errorf("run %s: %w", run.ID, err)
	}
	return read, nil
}

// readings has the best checkpoint read captions of the run, in their order, with
// their own and with other pictures.
func (r *Run) readings(ctx context.Context, captions []store.Caption) ([]store.Reading, error) {
	if len(captions) < 2 {
		return nil, fmt.Errorf("run %s has %s, but swapping needs at least two",
			r.ID, term.Plural(len(captions), "caption"))
	}
	captioner, tolerance, err := r.reader()
	if err != nil {
		return nil, err
	}
	defer captioner.Close()
	given, err := r.given(captions)
	if err != nil {
		return nil, err
	}
	order, others := cycle(len(captions)), make([]int, len(captions))
	for i, other := range order {
		others[i] = given[other].Image
	}
	read, err := captioner.Read(ctx, given, others)
	if err != nil {
		return nil, err
	}
	readings := make([]store.Reading, len(captions))
	for i, one := range read {
		if err := sameReading(one, captions[i], r.Settings.Decode.MaxLength, tolerance); err != nil {
			return nil, fmt.Errorf("run %s, image %s: %w: the checkpoint is from another training", r.ID, captions[i].Image, err)
		}
		readings[i] = store.Reading{
			Image: captions[i].Image, Other: captions[order[i]].Image, LogProb: one.LogProb, LogProbOther: one.Other,
			LogProbRegions: one.Regions, LogProbEven: one.Even, BetaOther: one.BetaOther,
		}
	}
	return readings, nil
}

// sameReading holds that a caption is read as it was written.
func sameReading(r data.Reading, c store.Caption, maxLength int, tolerance float64) error {
	total := 0.0
	for _, v := range r.LogProb {
		total += v
	}
	if len(r.LogProb) < maxLength { // else decoding stopped before the end
		total += r.End
	}
	if math.Abs(total-c.LogProb) > tolerance {
		return fmt.Errorf("its caption was recorded with a log probability of %.3f, but now has %.3f", c.LogProb, total)
	}
	if !near(r.Beta, c.Beta, tolerance) {
		return errors.New("β differs from the recorded one")
	}
	return nil
}

// near reports whether two series have the same values within tolerance.
func near(a, b []float64, tolerance float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > tolerance {
			return false
		}
	}
	return true
}

// cycle permutes 0 to n−1 so that all are on one cycle, and none, for n above 1,
// stays in its place (Sattolo 1986); the same for the same n.
func cycle(n int) []int {
	g := rand.New(rand.NewPCG(1, 0))
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := g.IntN(i)
		order[i], order[j] = order[j], order[i]
	}
	return order
}
