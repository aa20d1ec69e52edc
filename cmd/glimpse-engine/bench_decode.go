package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/runner"
)

// decodeSpeed is how fast captions are written by beam search.
type decodeSpeed struct {
	Arm       string      `json:"arm"`
	Model     string      `json:"model"` // what its weights come from
	Beam      int         `json:"beam"`
	MaxLength int         `json:"max_length"`
	Images    int         `json:"images"`
	Words     term.Number `json:"words_per_caption"`
	PerSecond term.Number `json:"captions_per_s"`
	Seconds   term.Number `json:"seconds"`
}

func benchDecodeCommand() *cobra.Command {
	var (
		flags         benchFlags
		images, steps int
		id, db        string
	)
	c := &cobra.Command{
		Use:   "decode [SPEC]",
		Short: "Beam search, in captions a second",
		Long: `Captions pictures of the test split, with the beam of the study, by a captioner of
each arm. An untrained one hardly ever ends a caption, so each is trained for some
steps first; --run takes the best checkpoint of a completed run instead, with that
run's settings.`,
		Example: `  glimpse bench decode
  glimpse bench decode experiments/flickr8k.yaml --arm adaptive --images 1000
  glimpse bench decode --run 3f2a --db results.db`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(cli.AtLeast("images", images, 1), cli.AtLeast("train-steps", steps, 0)); err != nil {
				return cli.Usage(err)
			}
			if id != "" && (len(args) > 0 || len(flags.study.Sets) > 0 || flags.arm != "") {
				return cli.Usage(errors.New("--run takes everything from the run: no study, --set or --arm goes with it"))
			}
			b, err := flags.open(args)
			if err != nil {
				return err
			}
			defer b.close()
			var rows []decodeSpeed
			if id != "" {
				row, err := b.decodeRun(c.Context(), db, id, flags.study.Root, images)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			} else if rows, err = b.decodeArms(c, steps, images); err != nil {
				return err
			}
			t := &term.Table{}
			t.Add("ARM", "MODEL", "BEAM", "IMAGES", "WORDS A CAPTION", "CAPTIONS/S")
			for _, r := range rows {
				t.Add(r.Arm, r.Model, strconv.Itoa(r.Beam), strconv.Itoa(r.Images), fmt.Sprintf("%.1f", r.Words), fmt.Sprintf("%.1f", r.PerSecond))
			}
			return b.report(c.OutOrStdout(), flags.asJSON, "decode", rows, t)
		},
	}
	flags.add(c)
	flags.addArm(c)
	cli.AddDB(c, &db)
	c.Flags().StringVar(&id, "run", "", "caption with this run's best checkpoint")
	c.Flags().IntVar(&images, "images", 200, "pictures to caption")
	c.Flags().IntVar(&steps, "train-steps", 60, "steps to train before, without --run")
	return c
}

// decodeArms measures a captioner of each arm, after some steps of training.
func (b *benchRun) decodeArms(c *cobra.Command, steps, images int) ([]decodeSpeed, error) {
	var rows []decodeSpeed
	for _, trial := range b.trials {
		row, err := b.decodeArm(c, trial, steps, images)
		if err != nil {
			return nil, fmt.Errorf("arm %s: %w", trial.Arm, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (b *benchRun) decodeArm(c *cobra.Command, trial experiments.Trial, steps, images int) (decodeSpeed, error) {
	s := trial.Settings
	if err := b.features(c.Context(), c, s); err != nil {
		return decodeSpeed{}, err
	}
	d, err := b.sets.Load(s)
	if err != nil {
		return decodeSpeed{}, err
	}
	captioner, err := b.engine.Captioner(s, d)
	if err != nil {
		return decodeSpeed{}, err
	}
	defer captioner.Close()
	if _, err := timeSteps(c.Context(), captioner, steps); err != nil {
		return decodeSpeed{}, err
	}
	row, err := decode(c.Context(), captioner, d, s.Decode, images)
	row.Arm, row.Model = trial.Arm, "trained for "+term.Plural(steps, "step")
	return row, err
}

// decodeRun measures the best checkpoint of a run.
func (b *benchRun) decodeRun(ctx context.Context, flag, id, root string, images int) (decodeSpeed, error) {
	db, err := cli.OpenResults(flag)
	if err != nil {
		return decodeSpeed{}, err
	}
	defer db.Close()
	run, err := db.Run(ctx, id)
	if err != nil {
		return decodeSpeed{}, err
	}
	if _, err := runner.BestCheckpoint(runner.DefaultDir(db), run); err != nil { // before the data set is read
		return decodeSpeed{}, err
	}
	opened, err := (&inspect.Opener{DB: db, Engine: b.engine, Root: cli.DataRoot(root, ""), Pictures: b.engine.pictureHashes()}).Open(ctx, run)
	if err != nil {
		return decodeSpeed{}, err
	}
	captioner, err := opened.Captioner()
	if err != nil {
		return decodeSpeed{}, err
	}
	defer captioner.Close()
	b.study.Name, b.study.Data.Name = run.Study, opened.Data.Name
	row, err := decode(ctx, captioner, opened.Data, opened.Settings.Decode, images)
	row.Arm, row.Model = run.Arm, "run "+run.ID
	return row, err
}

// decode captions the first n pictures of the test split.
func decode(ctx context.Context, captioner runner.Captioner, d *data.Dataset, o experiments.Decode, n int) (decodeSpeed, error) {
	test := d.Splits["test"]
	if len(test) == 0 {
		return decodeSpeed{}, fmt.Errorf("data set %s, split %s: there are no images in test", d.Name, d.Split)
	}
	begun := time.Now()
	captions, err := captioner.Caption(ctx, test[:min(n, len(test))], o, false)
	if err != nil {
		return decodeSpeed{}, err
	}
	seconds, words := time.Since(begun).Seconds(), 0
	for _, c := range captions {
		words += len(c.Words)
	}
	return decodeSpeed{Beam: o.Beam, MaxLength: o.MaxLength, Images: len(captions), Words: term.Number(float64(words) / float64(len(captions))),
		PerSecond: term.Number(float64(len(captions)) / seconds), Seconds: term.Number(seconds)}, nil
}
