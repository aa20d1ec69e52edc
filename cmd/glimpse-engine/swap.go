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
		Use: "swap STUDY|RUN...",
		Long: `Let the best checkpoint of each completed run read its own captions word by word
(teacher forcing), once with the right pictures and once with those of other
images, which are the same for all runs. A word's gain is the log probability
that it loses with the wrong picture, in nats: how much the word depends on the
picture. The gain of regions swaps only the regions; the recurrence still gets
the mean of the right picture's. The gain of places compares with attention
spread evenly over the regions.

If there is a sentinel, its weight β is compared with the gain. Its authors (Lu
et al. 2017) say that β is high for words that follow from the words before, and
low for words that need the picture. If so, β and gain correlate negatively, and
function words have a higher β than nouns, colours and numbers. Both may depend
on a word's position in the caption, so both are also computed among words at
the same position. The verdict uses the latter.

If a run's checkpoint is not here, its packed captioner is used (see glimpse
caption --help), whose weights may be rounded to half precision.

Results are means over the seeds of an arm. The readings are stored in the
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
