package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/term"
)

func ensembleCommand() *cobra.Command {
	var (
		o                inspect.EnsembleOptions
		compute          engineFlags
		db, root, meteor string
		asJSON           bool
	)
	c := &cobra.Command{
		Use:   "ensemble STUDY|RUN...",
		Short: "What several runs would score together",
		Long: `Captions a split with the best checkpoints of several completed runs together: at
each step of the beam search, the probability of a word is the mean of theirs.
Scores that beside each of them alone, decoded alike, with the time that each
took. The runs must speak one vocabulary; their arms, sizes and encoders may
differ. --arm takes those of one arm of a study.

It tells what could be gained, for instance by training more seeds, and is no
result of a study: nothing is recorded. Hence the validation split, unless
--split says otherwise.`,
		Example: `  glimpse ensemble flickr8k-attention --arm soft
  glimpse ensemble 3f2a 81c0 --beam 3 --json`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeFromDB(studyNames),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case o.Beam < 0:
				return usageError{errors.New("--beam must be at least 1")}
			case o.Split != "val" && o.Split != "test":
				return usageError{fmt.Errorf("--split %q: want val or test", o.Split)}
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			if o.Meteor, err = loadMeteor(meteor); err != nil {
				return err
			}
			results, err := openResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			runs, err := completedRuns(c.Context(), results, args)
			if err != nil {
				return err
			}
			ensembled, err := engine.opener(results, root, c.ErrOrStderr()).Ensemble(c.Context(), runs, o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), ensembled)
			}
			return printEnsembled(c.OutOrStdout(), ensembled)
		},
	}
	compute.add(c)
	addDBFlag(c, &db)
	addMeteorFlag(c, &meteor)
	c.Flags().StringVar(&o.Arm, "arm", "", "of a study, the runs of this arm alone")
	c.Flags().StringVar(&o.Split, "split", "val", "split to caption: val or test")
	c.Flags().IntVar(&o.Beam, "beam", 0, "width of the beam search (default the runs')")
	c.Flags().StringVar(&root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	addJSONFlag(c, &asJSON)
	return c
}

func printEnsembled(w io.Writer, e *inspect.Ensembled) error {
	fmt.Fprintf(w, "%s split, %s, beam %d\n\n", e.Split, term.Plural(e.Images, "image"), e.Beam)
	keys := slices.DeleteFunc(metricOrder(e.Mean), func(key string) bool { return !slices.Contains(shownMetrics, key) })
	t := &table{}
	t.add(append([]string{"RUN", "ARM", "SEED", "DECODING"}, keys...)...)
	row := func(values map[string]term.Number, format string, cells ...string) {
		for _, key := range keys {
			cells = append(cells, fmt.Sprintf(format, 100*float64(values[key])))
		}
		t.add(cells...)
	}
	for _, m := range e.Members {
		row(m.Metrics, "%.2f", m.Run, m.Arm, fmt.Sprint(m.Seed), span(float64(m.Seconds)))
	}
	row(e.Mean, "%.2f", "mean", "", "", "")
	row(e.Together.Metrics, "%.2f", "together", "", "", span(float64(e.Together.Seconds)))
	row(e.Gain, "%+.2f", "gain", "", "", "")
	if err := t.print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "all ×100; gain: together less the mean of the runs, over these images, without an interval")
	return err
}
