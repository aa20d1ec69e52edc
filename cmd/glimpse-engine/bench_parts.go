package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/bench"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics/meteor"
)

func benchScoreCommand() *cobra.Command {
	var (
		flags benchFlags
		o     bench.ScoreOptions
		from  string // METEOR's data
	)
	c := &cobra.Command{
		Use:   "score [STUDY.yaml]",
		Short: "Time all metrics, in images per second",
		Long: `Score captions of the data set against its references. The candidate for an
image is a caption of the next image. If the data set has fewer images than
requested, they repeat under new names. METEOR is measured without its data and,
if they are installed, with them.`,
		Example: `  glimpse bench score
  glimpse bench score experiments/flickr8k.yaml --images 40000`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.AtLeast("images", o.Images, 2); err != nil {
				return err
			}
			o.LoadMeteor = func() (*meteor.Data, error) { return cli.LoadMeteor(from) }
			return runBench(c, &flags, args, bench.Score, o, partTable("IMAGES"))
		},
	}
	flags.add(c)
	cli.AddMeteor(c, &from)
	c.Flags().IntVar(&o.Images, "images", 1000, "images to score, each against all its references")
	return c
}

func benchStoreCommand() *cobra.Command {
	var (
		flags benchFlags
		o     bench.StoreOptions
	)
	c := &cobra.Command{
		Use:   "store [STUDY.yaml]",
		Short: "Time the results database, in rows per second",
		Long: `Record a study with many runs in a temporary database, as a runner and its
trials do: settings, claims, epochs with checkpoints, captions and their scores.
Then read them back.`,
		Example: `  glimpse bench store
  glimpse bench store --runs 1000 --captions 1000 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(cli.AtLeast("runs", o.Runs, 1), cli.AtLeast("epochs", o.Epochs, 1), cli.AtLeast("captions", o.Captions, 1)); err != nil {
				return err
			}
			return runBench(c, &flags, args, bench.Store, o, partTable("ROWS"))
		},
	}
	flags.add(c)
	c.Flags().IntVar(&o.Runs, "runs", 50, "runs in the study")
	c.Flags().IntVar(&o.Epochs, "epochs", 10, "epochs per run")
	c.Flags().IntVar(&o.Captions, "captions", 1000, "captions per run")
	return c
}

// partTable returns a function that makes the table of parts. noun is the unit they are counted in.
func partTable(noun string) func([]bench.PartSpeed) *term.Table {
	return func(rows []bench.PartSpeed) *term.Table {
		t := &term.Table{}
		t.Add("PART", noun, noun+"/S", "TIME")
		for _, r := range rows {
			t.Add(r.Part, term.Count(int64(r.Rows)), fmt.Sprintf("%.0f", r.PerSecond), term.Span(float64(r.Seconds)))
		}
		return t
	}
}
