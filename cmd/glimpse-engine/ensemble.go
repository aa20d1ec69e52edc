package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

func ensembleCommand() *cobra.Command {
	var (
		flags  cli.RunFlags
		o      inspect.EnsembleOptions
		meteor string
		asJSON bool
		record bool
	)
	c := &cobra.Command{
		Use: "ensemble STUDY|RUN...",
		Long: `Caption a split with the best checkpoints of several completed runs together: at
each step of the beam search, the probability of a word is the mean over the
runs. Compare its score and time with those of each run alone, decoded the same
way. The runs must share one vocabulary; arms, sizes and encoders may differ.
--arm uses only the runs of one arm of a study.

This shows what could be gained, for instance by training more seeds. It is not
a result of the study: nothing is recorded, and the default split is val.

--record makes the ensembles that a study declares (compare.ensemble: seeds), as
glimpse run does at its end. All seeds of each arm caption the final split
together, and captions and scores are stored in the database.`,
		Example: `  glimpse ensemble flickr8k-attention --arm soft
  glimpse ensemble mine --record
  glimpse ensemble 3f2a 81c0 --beam 3 --json`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case o.Beam < 0:
				return cli.Usage(errors.New("--beam must be at least 1"))
			case o.Split != "val" && o.Split != "test":
				return cli.Usage(fmt.Errorf("--split %q: expected val or test", o.Split))
			}
			var err error
			if o.Meteor, err = cli.LoadMeteor(meteor); err != nil {
				return err
			}
			if record {
				return recordEnsembles(c, flags, args, o.Meteor)
			}
			opener, err := openRuns(c, flags, cli.OpenResults)
			if err != nil {
				return err
			}
			defer opener.DB.Close()
			runs, err := cli.CompletedRuns(c.Context(), opener.DB, args)
			if err != nil {
				return err
			}
			ensembled, err := opener.Ensemble(c.Context(), runs, o)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), ensembled)
			}
			return printEnsembled(c.OutOrStdout(), ensembled)
		},
	}
	flags.Add(c)
	cli.AddMeteor(c, &meteor)
	c.Flags().StringVar(&o.Arm, "arm", "", "use only the runs of this arm of the study")
	c.Flags().StringVar(&o.Split, "split", "val", "split to caption: val or test")
	c.Flags().IntVar(&o.Beam, "beam", 0, "beam width, without groups (default: the runs' decoding)")
	c.Flags().BoolVar(&record, "record", false, "make and store the ensembles that the study declares")
	cli.AddJSON(c, &asJSON)
	for _, other := range []string{"arm", "split", "beam", "json"} {
		c.MarkFlagsMutuallyExclusive("record", other)
	}
	return c
}

// recordEnsembles makes and stores the ensembles that a study declares.
func recordEnsembles(c *cobra.Command, flags cli.RunFlags, args []string, data *meteor.Data) error {
	if len(args) > 1 {
		return cli.Usage(errors.New("--record takes one study"))
	}
	opener, err := openRuns(c, flags, cli.OpenForWriting)
	if err != nil {
		return err
	}
	defer opener.DB.Close()
	name, err := cli.StudyName(c.Context(), opener.DB, args[0])
	if err != nil {
		return err
	}
	made, waiting, err := opener.RecordEnsembles(c.Context(), name, data)
	for _, why := range waiting {
		fmt.Fprintf(c.ErrOrStderr(), "no ensemble of %s\n", why)
	}
	for _, e := range made {
		fmt.Fprintf(c.OutOrStdout(), "%s, %s: %s together\n", e.Study, e.Cell, term.Plural(len(e.Members), "seed"))
	}
	return err
}

func printEnsembled(w io.Writer, e *inspect.Ensembled) error {
	fmt.Fprintf(w, "%s split, %s, beam %d\n\n", e.Split, term.Plural(e.Images, "image"), e.Beam)
	keys := slices.DeleteFunc(metrics.Order(e.Mean), func(key string) bool { return !slices.Contains(metrics.Shown(), key) })
	t := &term.Table{}
	t.Add(append([]string{"RUN", "ARM", "SEED", "DECODING"}, keys...)...)
	row := func(values map[string]term.Number, format string, cells ...string) {
		for _, key := range keys {
			cells = append(cells, fmt.Sprintf(format, 100*float64(values[key])))
		}
		t.Add(cells...)
	}
	for _, m := range e.Members {
		row(m.Metrics, "%.2f", m.Run, m.Arm, fmt.Sprint(m.Seed), term.Span(float64(m.Seconds)))
	}
	row(e.Mean, "%.2f", "mean", "", "", "")
	row(e.Together.Metrics, "%.2f", "together", "", "", term.Span(float64(e.Together.Seconds)))
	row(e.Gain, "%+.2f", "gain", "", "", "")
	if err := t.Print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "all ×100; gain: together minus the mean of the runs, over these images, without an interval")
	return err
}
