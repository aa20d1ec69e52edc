package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
	"glimpse/models"
	"glimpse/reports"
	"glimpse/results"
)

func swapCommand() *cobra.Command {
	var (
		compute  engineFlags
		db, root string
		asJSON   bool
	)
	c := &cobra.Command{
		Use:   "swap STUDY|RUN...",
		Short: "Which words need the picture, by reading captions with pictures swapped",
		Long: `Has the best checkpoint of each completed run read the captions that it wrote,
word by word (teacher forcing), with their own pictures and with those of other
images, the same for all runs. What the log probability of a word loses with the
other picture, in nats, is its gain: how much the captioner took from the picture
to say it. The gain of regions is that over the other picture's regions alone, while the
recurrence sees the mean of its own; the gain of places is that over attention
spread evenly over the regions.

Where there is a sentinel, its weight β is set against the gain. Its authors (Lu
et al. 2017) say that β is high for words that follow from the words before, and
low for those that need a look: then β and gain are correlated negatively, and
function words have a higher β than nouns, colours and numbers, also among words
at one place in the caption, which both may follow. The verdict goes by the latter.

Runs of one arm are averaged over their seeds. The readings are kept in the
database, in place of earlier ones, and ` + "`glimpse report`" + ` shows them.`,
		Example: `  glimpse swap 3f2a
  glimpse swap flickr8k-attention
  glimpse swap 3f2a 81c0 --json | jq '.arms[].sentinel.correlation_within_position'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeFromDB(studyNames),
		RunE: func(c *cobra.Command, args []string) error {
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			opened, err := openForWriting(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			runs, err := completedRuns(c.Context(), opened, args)
			if err == nil {
				err = cmp.Or(averageable(runs), results.SameProtocol(runs))
			}
			if err != nil {
				return err
			}
			read, err := swap(c, opened, engine, runs, root)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), read)
			}
			return read.print(c.OutOrStdout())
		},
	}
	compute.add(c)
	addDBFlag(c, &db)
	c.Flags().StringVar(&root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	addJSONFlag(c, &asJSON)
	return c
}

// completedRuns gives the completed ones of the runs that arguments name.
func completedRuns(ctx context.Context, db *store.DB, args []string) ([]store.Run, error) {
	ids, err := runsOf(ctx, db, args)
	if err != nil {
		return nil, err
	}
	var runs []store.Run
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return nil, usageError{fmt.Errorf("run %s is named twice", id)}
		}
		run, err := db.Run(ctx, id)
		if err != nil {
			return nil, err
		}
		if run.State == store.Completed {
			runs = append(runs, run)
		}
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("%s: none of these runs is completed: only completed runs have final captions", strings.Join(args, ", "))
	}
	return runs, nil
}

// averageable holds that the runs of an arm differ in their seed alone.
func averageable(runs []store.Run) error {
	first := map[string]store.Run{} // of each arm
	for _, run := range runs {
		if other, known := first[run.Arm]; !known {
			first[run.Arm] = run
		} else if !maps.Equal(other.Swept, run.Swept) {
			return fmt.Errorf("runs %s and %s of arm %s differ in more than their seed, and an arm is averaged: name fewer runs", other.ID, run.ID, run.Arm)
		}
	}
	return nil
}

// swapped is what `swap` tells; as JSON, a contract.
type swapped struct {
	Runs []swappedRun           `json:"runs"`
	Arms []stats.ReadingSummary `json:"arms"`
}

type swappedRun struct {
	ID    string `json:"id"`
	Study string `json:"study"`
	Arm   string `json:"arm"`
	Seed  int64  `json:"seed"`
	Split string `json:"split"`
}

// swap reads and keeps run by run, and summarises them.
func swap(c *cobra.Command, db *store.DB, engine engine, runs []store.Run, root string) (*swapped, error) {
	ctx := c.Context()
	var (
		sets  = dataLoader{db: db, root: root}
		arms  []stats.ReadingArm
		out   = &swapped{}
		index = map[string]int{} // of an arm in arms
	)
	for _, run := range runs {
		settings, err := results.Settings(run)
		if err != nil {
			return nil, err
		}
		d, err := sets.load(ctx, run, settings)
		if err != nil {
			return nil, err
		}
		split, _ := run.Final()
		captions, err := db.Captions(ctx, run.ID, split)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(c.ErrOrStderr(), "%s %s seed %d: reading %s with pictures swapped\n", run.ID, run.Arm, run.Seed, plural(len(captions), "caption"))
		readings, err := readSwapped(ctx, db, engine, run, settings, d, captions)
		if err != nil {
			return nil, err
		}
		if err := db.SaveReadings(ctx, run.ID, split, readings); err != nil {
			return nil, err
		}
		read, err := reports.ReadingRun(run.Seed, captions, readings)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", run.ID, err)
		}
		at, known := index[run.Arm]
		if !known {
			at, index[run.Arm] = len(arms), len(arms)
			arms = append(arms, stats.ReadingArm{Name: run.Arm})
		}
		arms[at].Runs = append(arms[at].Runs, read)
		out.Runs = append(out.Runs, swappedRun{run.ID, run.Study, run.Arm, run.Seed, split})
	}
	var err error
	out.Arms, _, err = stats.Readings(arms, reports.WordClasses(), nil)
	return out, err
}

// readSwapped has a run's best checkpoint read its captions, in their order, with their own and with other pictures.
func readSwapped(ctx context.Context, db *store.DB, engine engine, run store.Run, settings experiments.Settings, d *data.Dataset, captions []store.Caption) ([]store.Reading, error) {
	if len(captions) < 2 {
		return nil, fmt.Errorf("run %s has %s, and pictures are swapped among two at least", run.ID, plural(len(captions), "caption"))
	}
	captioner, err := bestCaptioner(db, engine, run, settings, d)
	if err != nil {
		return nil, err
	}
	defer captioner.Close()
	images := indexOf(d)
	given := make([]data.Caption, len(captions))
	for i, c := range captions {
		image, known := images[c.Image]
		if !known {
			return nil, fmt.Errorf("run %s: the data set has no image %q, of which a caption is stored", run.ID, c.Image)
		}
		given[i] = data.Caption{Image: image, Words: strings.Fields(c.Words)}
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
	for i, r := range read {
		if err := sameReading(r, captions[i], settings.Decode.MaxLength); err != nil {
			return nil, fmt.Errorf("run %s, image %s: %w: the checkpoint is of another training", run.ID, captions[i].Image, err)
		}
		readings[i] = store.Reading{
			Image: captions[i].Image, Other: captions[order[i]].Image, LogProb: r.LogProb, LogProbOther: r.Other,
			LogProbRegions: r.Regions, LogProbEven: r.Even, BetaOther: r.BetaOther,
		}
	}
	return readings, nil
}

// sameReading holds that a caption is read as it was written.
func sameReading(r models.Reading, c store.Caption, maxLength int) error {
	total := 0.0
	for _, v := range r.LogProb {
		total += v
	}
	if len(r.LogProb) < maxLength { // else decoding stopped before the end
		total += r.End
	}
	if math.Abs(total-c.LogProb) > 0.01 {
		return fmt.Errorf("its caption was written with a log probability of %.3f, and is read with %.3f", c.LogProb, total)
	}
	if !near(r.Beta, c.Beta) {
		return errors.New("β is not as its caption records")
	}
	return nil
}

// cycle permutes 0 to n−1 so that all are on one cycle, and none, for n above 1, stays in its place (Sattolo 1986); the same for
// the same n.
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
