package main

import (
	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func swapCommand() *cobra.Command {
	var (
		flags  cli.RunFlags
		asJSON bool
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
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			opener, err := openRuns(c, flags, cli.OpenForWriting)
			if err != nil {
				return err
			}
			defer opener.DB.Close()
			runs, err := cli.CompletedRuns(c.Context(), opener.DB, args)
			if err != nil {
				return err
			}
			swapped, err := opener.Swap(c.Context(), runs)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), swapped)
			}
			return printSwapped(c.OutOrStdout(), swapped)
		},
	}
	flags.Add(c)
	cli.AddJSON(c, &asJSON)
	return c
}
