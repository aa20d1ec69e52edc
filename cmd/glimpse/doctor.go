package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/doctor"
	"glimpse/internal/term"
)

func doctorCommand() *cobra.Command {
	var (
		db, root string
		on       string
		asJSON   bool
	)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what is installed, what is missing, and how to fix it",
		Long: `Check what glimpse needs: engine, libtorch, CUDA, threads, cache folder, data
sets and results database. The exit code is 1 if something must be fixed; what
only some studies need is listed without failing. With --on slurm, a job of a
few seconds checks what trials need on a node, as cluster.yaml describes it.`,
		Example: `  glimpse doctor
  glimpse doctor --data /data/flickr8k
  glimpse doctor --on slurm
  glimpse doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cache, err := cli.CacheDir()
			shared, _ := cli.SharedCacheDir() // fails as CacheDir does
			findings := doctor.Examine(c.Context(), doctor.Places{
				Version: cli.Version(), Cache: cache, Shared: shared, NoCache: err,
				Flickr8k: cli.DataRoot(root, ""), Database: cli.DBPath(db),
			})
			if on != "" {
				more, err := tryPlace(c.Context(), on, cli.DBPath(db))
				if err != nil {
					return err
				}
				findings = append(findings, more...)
			}
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), findings); err != nil {
					return err
				}
			} else if err := printFindings(c.OutOrStdout(), findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.State == doctor.Missing {
					return fmt.Errorf("%s: %s", f.Name, f.Fix)
				}
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&on, "on", "", "slurm: also test the site in cluster.yaml, with a job")
	c.Flags().StringVar(&root, "data", "", "folder of Flickr8k (default $GLIMPSE_DATA)")
	cli.AddJSON(c, &asJSON)
	return c
}

func printFindings(w io.Writer, findings []doctor.Finding) error {
	t := &term.Table{}
	for _, f := range findings {
		t.Add(f.State, f.Name, f.Detail)
		if f.Fix != "" {
			t.Add("", "", "→ "+f.Fix)
		}
	}
	return t.PrintWrapped(w)
}
