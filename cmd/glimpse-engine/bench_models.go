package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/bench"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func benchTrainCommand() *cobra.Command {
	var (
		flags benchFlags
		o     bench.TrainOptions
	)
	c := &cobra.Command{
		Use:   "train [STUDY.yaml]",
		Short: "Time training, in captions per second",
		Long: `Train each arm of the study for a few steps from scratch, and time everything in
a step, from batches and features to the optimizer. Missing features of a frozen
encoder are computed first.`,
		Example: `  glimpse bench train
  glimpse bench train experiments/flickr8k.yaml --arm adaptive --steps 40
  glimpse bench train --set model.hidden=512 --set model.embedding=256 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(cli.AtLeast("steps", o.Steps, 1), cli.AtLeast("warm-up", o.WarmUp, 0)); err != nil {
				return err
			}
			return runBench(c, &flags, args, bench.Train, o, trainTable)
		},
	}
	flags.add(c)
	flags.addArm(c)
	c.Flags().IntVar(&o.Steps, "steps", 30, "steps to measure")
	c.Flags().IntVar(&o.WarmUp, "warm-up", 5, "steps before measuring")
	c.Flags().IntVar(&o.Vocabulary, "vocabulary", 0, "pad the vocabulary to this many words with unused ones")
	return c
}

func trainTable(rows []bench.TrainSpeed) *term.Table {
	t := &term.Table{}
	t.Add("ARM", "HIDDEN", "PARAMETERS", "CAPTIONS/S", "QUARTILES OF STEPS", "MS/STEP", "WORDS/STEP")
	for _, r := range rows {
		t.Add(r.Arm, strconv.Itoa(r.Model.Hidden), term.Count(r.Parameters), fmt.Sprintf("%.1f", r.PerSecond),
			fmt.Sprintf("%.1f %.1f %.1f", r.Quartiles[0], r.Quartiles[1], r.Quartiles[2]),
			fmt.Sprintf("%.1f", r.StepMS[1]), strconv.Itoa(r.Positions/r.Steps))
	}
	return t
}

func benchReinforceCommand() *cobra.Command {
	var o bench.ReinforceOptions
	flags := benchFlags{demo: []string{"train.reinforce.epochs=1"}}
	c := &cobra.Command{
		Use:   "reinforce [STUDY.yaml]",
		Short: "Time self-critical training, in sampled captions per second",
		Long: `Train each arm of the study with cross-entropy for some steps, so that captions
end. Then time steps of self-critical training (train.reinforce): everything in
a step, from sampling and rewards to the optimizer.`,
		Example: `  glimpse bench reinforce
  glimpse bench reinforce experiments/flickr8k.yaml \
    --set train.reinforce.epochs=1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			err := errors.Join(cli.AtLeast("steps", o.Steps, 1), cli.AtLeast("warm-up", o.WarmUp, 0), cli.AtLeast("train-steps", o.TrainSteps, 0))
			if err != nil {
				return err
			}
			return runBench(c, &flags, args, bench.Reinforce, o, reinforceTable)
		},
	}
	flags.add(c)
	flags.addArm(c)
	c.Flags().IntVar(&o.Steps, "steps", 20, "steps to measure")
	c.Flags().IntVar(&o.WarmUp, "warm-up", 3, "steps before measuring")
	c.Flags().IntVar(&o.TrainSteps, "train-steps", 60, "cross-entropy steps to train first")
	return c
}

func reinforceTable(rows []bench.ReinforceSpeed) *term.Table {
	t := &term.Table{}
	t.Add("ARM", "HIDDEN", "SAMPLES", "WORDS/CAPTION", "CAPTIONS/S", "CAPTIONS/CPU S", "MS/STEP")
	for _, r := range rows {
		t.Add(r.Arm, strconv.Itoa(r.Model.Hidden), strconv.Itoa(r.Samples), fmt.Sprintf("%.1f", r.Words), fmt.Sprintf("%.1f", r.PerSecond),
			fmt.Sprintf("%.1f", r.PerCPUSecond), fmt.Sprintf("%.1f", r.StepMS[1]))
	}
	return t
}

func benchDecodeCommand() *cobra.Command {
	var (
		flags  benchFlags
		o      bench.DecodeOptions
		id, db string
	)
	c := &cobra.Command{
		Use:   "decode [STUDY.yaml]",
		Short: "Time beam search, in captions per second",
		Long: `Caption pictures of the test split with each arm's captioner and the study's
beam search. An untrained captioner rarely ends a caption, so each is trained
for some steps first. --run uses the best checkpoint and the settings of a
completed run instead.`,
		Example: `  glimpse bench decode
  glimpse bench decode experiments/flickr8k.yaml --arm adaptive --images 1000
  glimpse bench decode --run 3f2a --db results.db`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(cli.AtLeast("images", o.Images, 1), cli.AtLeast("train-steps", o.TrainSteps, 0)); err != nil {
				return err
			}
			if id != "" && (len(args) > 0 || len(flags.study.Sets) > 0 || flags.arm != "") {
				return cli.Usage(errors.New("--run uses the run's own settings: leave out the study, --set and --arm"))
			}
			if id == "" {
				return runBench(c, &flags, args, bench.Decode, o, decodeTable)
			}
			runs := cli.RunFlags{Compute: flags.compute, DB: db, Root: flags.study.Root}
			opener, err := openRuns(c, runs, cli.OpenResults)
			if err != nil {
				return err
			}
			defer opener.DB.Close()
			return runBench(c, &flags, args, bench.DecodeRun, bench.RunOptions{Opener: opener, Run: id, Images: o.Images}, decodeTable)
		},
	}
	flags.add(c)
	flags.addArm(c)
	cli.AddDB(c, &db)
	c.Flags().StringVar(&id, "run", "", "caption with this run's best checkpoint")
	c.Flags().IntVar(&o.Images, "images", 200, "pictures to caption")
	c.Flags().IntVar(&o.TrainSteps, "train-steps", 60, "steps to train first, without --run")
	return c
}

func decodeTable(rows []bench.DecodeSpeed) *term.Table {
	t := &term.Table{}
	t.Add("ARM", "MODEL", "BEAM", "IMAGES", "WORDS/CAPTION", "CAPTIONS/S")
	for _, r := range rows {
		t.Add(r.Arm, r.Model, strconv.Itoa(r.Beam), strconv.Itoa(r.Images), fmt.Sprintf("%.1f", r.Words), fmt.Sprintf("%.1f", r.PerSecond))
	}
	return t
}

func benchFeaturesCommand() *cobra.Command {
	var images int
	flags := benchFlags{demo: []string{"encoder.name=resnet18", "encoder.weights=random", "encoder.image_size=224"}}
	c := &cobra.Command{
		Use:   "features [STUDY.yaml]",
		Short: "Time the encoder, in images per second",
		Long: `Encode the first pictures of the data set into an empty temporary cache, with
encoder weights from the real one. Without a study, encode drawn shapes with a
ResNet-18 with random weights.`,
		Example: `  glimpse bench features
  glimpse bench features experiments/flickr8k.yaml --images 512 --threads 1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.AtLeast("images", images, 1); err != nil {
				return err
			}
			return runBench(c, &flags, args, bench.Features, images, featuresTable)
		},
	}
	flags.add(c)
	c.Flags().IntVar(&images, "images", 256, "pictures to encode")
	return c
}

func featuresTable(rows []bench.FeatureSpeed) *term.Table {
	t := &term.Table{}
	t.Add("ENCODER", "SIZE", "IMAGES", "IMAGES/S", "TIME")
	for _, r := range rows {
		t.Add(r.Encoder, strconv.Itoa(r.ImageSize), strconv.Itoa(r.Images), fmt.Sprintf("%.1f", r.PerSecond), term.Span(float64(r.Seconds)))
	}
	return t
}
