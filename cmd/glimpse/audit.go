package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func auditCommand() *cobra.Command {
	var (
		compute  engineFlags
		db, root string
		train    int
		asJSON   bool
	)
	c := &cobra.Command{
		Use:   "audit RUN",
		Short: "What a run's BLEU would be under other people's protocols",
		Long: `Scores the captions of a completed run, named by its id or the beginning of one,
by BLEU-1 to BLEU-4 under every way of counting that is found in papers, scripts
and tutorials: with and without brevity penalty, five, one or the best reference,
smoothing, markers counted as words, references cut at commas, and so on. Marks
which of them reach the scores that the Keras system at the start of this project
claims (81.0 and 73.0 on test images, 81.45 and 77.5 on training images), and which
a paper may report.

The test captions are those in the database; the references come from the data set.
Where the run's best checkpoint and its features are still there, a sample of
training images is captioned as well, and next words are guessed given the true
words before them (teacher forcing). What cannot be had is said. The audit is
stored with the run, in place of an earlier one.`,
		Example: `  glimpse audit 3f2a
  glimpse audit 3f2a --data /data/flickr8k --train 0
  glimpse audit 3f2a --json | jq '.rows[] | select(.reaches)'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFromDB(runIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if train < 0 {
				return usageError{errors.New("--train must not be negative")}
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			results, err := openForWriting(db)
			if err != nil {
				return err
			}
			defer results.Close()
			run, err := results.Run(c.Context(), args[0])
			if err != nil {
				return err
			}
			audit, err := engine.opener(results, root, c.ErrOrStderr()).Audit(c.Context(), run, train)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), audit)
			}
			return printAudit(c.OutOrStdout(), audit)
		},
	}
	compute.add(c)
	addDBFlag(c, &db)
	c.Flags().StringVar(&root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().IntVar(&train, "train", 1000, "how many training images to caption; 0 for none")
	addJSONFlag(c, &asJSON)
	return c
}
