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
		Short: "Get METEOR's data: WordNet's synonyms and the paraphrase table",
		Long: `Gets what METEOR 1.5 knows of English: synonyms, a paraphrase table and function
words. They are taken out of the wheel of pycocoevalcap 1.2 (104 MB), which pip
downloads from the package index, checked by its hash, and is not installed; one
file of 50 MB stays in the cache. Afterwards score, run and audit use them unless told
--meteor none. Without them METEOR matches exact words and stems alone and is
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
