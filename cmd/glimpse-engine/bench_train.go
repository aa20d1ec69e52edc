package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/runner"
)

// trainSpeed is how fast one arm trains. The three numbers of a list are the quartiles, the median in the middle, of
// single steps.
type trainSpeed struct {
	Arm         string            `json:"arm"`
	Model       experiments.Model `json:"model"`
	BatchImages int               `json:"batch_images"`
	Vocabulary  int               `json:"vocabulary"`
	Parameters  int64             `json:"parameters"`
	Steps       int               `json:"steps"`
	Captions    int               `json:"captions"`       // in these steps
	Positions   int               `json:"positions"`      // words to predict in them, </s> included
	PerSecond   term.Number       `json:"captions_per_s"` // captions over the time of all steps
	Quartiles   [3]term.Number    `json:"captions_per_s_quartiles"`
	StepMS      [3]term.Number    `json:"step_ms"`
	Loss        term.Number       `json:"loss"` // of the last step
}

func benchTrainCommand() *cobra.Command {
	var (
		flags       benchFlags
		steps, warm int
		vocabulary  int
	)
	c := &cobra.Command{
		Use:   "train [SPEC]",
		Short: "Training, in captions a second",
		Long: `Trains each arm of the study for a few steps, from the beginning, and times them:
all that a step of an epoch does, from batches and features to the optimizer. The
features of a frozen encoder must be in the cache, or are put there first.`,
		Example: `  glimpse bench train
  glimpse bench train experiments/flickr8k.yaml --arm adaptive --steps 40 --threads 1
  glimpse bench train --set model.hidden=512 --set model.embedding=256 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.AtLeast("steps", steps, 1); err != nil {
				return err
			}
			if err := cli.AtLeast("warm-up", warm, 0); err != nil {
				return err
			}
			b, err := flags.open(args)
			if err != nil {
				return err
			}
			defer b.close()
			var rows []trainSpeed
			for _, trial := range b.trials {
				if err := b.features(c.Context(), c, trial.Settings); err != nil {
					return err
				}
				row, err := b.train(c.Context(), trial, vocabulary, warm, steps)
				if err != nil {
					return fmt.Errorf("arm %s: %w", trial.Arm, err)
				}
				rows = append(rows, row)
			}
			return b.report(c.OutOrStdout(), flags.asJSON, "train", rows, trainTable(rows))
		},
	}
	flags.add(c)
	flags.addArm(c)
	c.Flags().IntVar(&steps, "steps", 30, "steps to measure")
	c.Flags().IntVar(&warm, "warm-up", 5, "steps before those")
	c.Flags().IntVar(&vocabulary, "vocabulary", 0, "fill the vocabulary up to so many words, with ones that never come")
	return c
}

func trainTable(rows []trainSpeed) *term.Table {
	t := &term.Table{}
	t.Add("ARM", "HIDDEN", "PARAMETERS", "CAPTIONS/S", "QUARTILES OF STEPS", "MS A STEP", "WORDS A STEP")
	for _, r := range rows {
		t.Add(r.Arm, strconv.Itoa(r.Model.Hidden), term.Count(r.Parameters), fmt.Sprintf("%.1f", r.PerSecond),
			fmt.Sprintf("%.1f %.1f %.1f", r.Quartiles[0], r.Quartiles[1], r.Quartiles[2]),
			fmt.Sprintf("%.1f", r.StepMS[1]), strconv.Itoa(r.Positions/r.Steps))
	}
	return t
}

// train measures one arm.
func (b *benchRun) train(ctx context.Context, trial experiments.Trial, vocabulary, warm, steps int) (trainSpeed, error) {
	s := trial.Settings
	d, err := b.sets.Load(s)
	if err != nil {
		return trainSpeed{}, err
	}
	if err := padVocabulary(d, vocabulary); err != nil {
		return trainSpeed{}, err
	}
	captioner, err := b.engine.Captioner(s, d)
	if err != nil {
		return trainSpeed{}, err
	}
	defer captioner.Close()
	timed, err := timeSteps(ctx, captioner, warm+steps)
	if err != nil {
		return trainSpeed{}, err
	}
	row := trainSpeed{Arm: trial.Arm, Model: s.Model, BatchImages: s.Train.BatchImages, Vocabulary: len(d.Vocabulary.Words),
		Parameters: captioner.Parameters(), Steps: steps, Loss: term.Number(timed.loss)}
	var rates, took []float64
	var total time.Duration
	for i, batch := range batchesOf(d, s, warm+steps) {
		if i < warm {
			continue
		}
		captions, words := contents(batch)
		row.Captions += captions
		row.Positions += words
		total += timed.steps[i]
		rates = append(rates, float64(captions)/timed.steps[i].Seconds())
		took = append(took, 1000*timed.steps[i].Seconds())
	}
	row.PerSecond = term.Number(float64(row.Captions) / total.Seconds())
	row.Quartiles, row.StepMS = quartiles(rates), quartiles(took)
	return row, nil
}

// stepTimes are how long each step took, from the end of the one before.
type stepTimes struct {
	steps []time.Duration
	loss  float64 // of the last one
}

// timeSteps trains n steps, over as many epochs as they take.
func timeSteps(ctx context.Context, captioner runner.Captioner, n int) (stepTimes, error) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	var t stepTimes
	for len(t.steps) < n {
		last := time.Now()
		_, err := captioner.TrainEpoch(working, func(_, _ int, loss float64) {
			now := time.Now()
			t.steps, t.loss, last = append(t.steps, now.Sub(last)), loss, now
			if len(t.steps) == n {
				stop()
			}
		})
		if err != nil && len(t.steps) < n {
			return t, err
		}
	}
	return t, nil
}

// batchesOf are the first n batches that training meets.
func batchesOf(d *data.Dataset, s experiments.Settings, n int) []data.Batch {
	var batches []data.Batch
	for epoch := 0; len(batches) < n; epoch++ {
		batches = append(batches, d.Epoch("train", s.Train.BatchImages, s.Seed, epoch)...)
	}
	return batches[:n]
}

// contents counts the captions of a batch and the words that they predict.
func contents(b data.Batch) (captions, words int) {
	for row := 0; row < len(b.Tokens); row += b.T {
		real := 0
		for _, id := range b.Tokens[row : row+b.T] {
			if id != data.PadID {
				real++
			}
		}
		if real > 0 {
			captions++
			words += real - 1
		}
	}
	return captions, words
}

// padVocabulary fills a data set's vocabulary up to n words with ones that no caption has.
func padVocabulary(d *data.Dataset, n int) error {
	if len(d.Vocabulary.Words) >= n {
		return nil
	}
	words := slices.Clone(d.Vocabulary.Words[data.UnknownID+1:])
	for i := len(d.Vocabulary.Words); i < n; i++ {
		words = append(words, fmt.Sprintf("never-%d", i))
	}
	padded, err := data.NewVocabulary(words)
	if err != nil {
		return fmt.Errorf("--vocabulary: %w", err)
	}
	d.Vocabulary = padded
	return nil
}
