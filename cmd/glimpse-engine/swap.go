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
		Short: "Find which words need the picture, by swapping pictures",
		Long: `Let the best checkpoint of each completed run read the captions it wrote, word
by word (teacher forcing), with their own pictures and with those of other
images, the same for all runs. A word's gain is what its log probability loses
with the other picture, in nats: how much the captioner took from the picture to
say it. The gain of regions is measured with the other picture's regions only,
while the recurrence sees the mean of its own. The gain of places is measured
against attention spread evenly over the regions.

If there is a sentinel, its weight β is compared with the gain. Its authors (Lu
et al. 2017) say that β is high for words that follow from the words before, and
low for those that need a look. Then β and gain correlate negatively, and
function words have a higher β than nouns, colours and numbers, also among words
at the same place in the caption, on which both may depend. The verdict uses the
latter.

If a run's checkpoint is not here, its packed captioner is used (see glimpse
caption --help), whose weights may be rounded to half precision.

Runs of one arm are averaged over their seeds. The readings are stored in the
database, replacing earlier ones, and appear in glimpse report.`,
		Example: `  glimpse swap 3f2a
  glimpse swap flickr8k-attention
  glimpse swap 3f2a 81c0 --json | jq '.arms[].sentinel'`,
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
