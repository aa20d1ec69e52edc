package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/runner"
)

func deleteCommand() *cobra.Command {
	var (
		db               string
		yes, dry, asJSON bool
	)
	c := &cobra.Command{
		Use:   "delete STUDY|RUN...",
		Short: "Delete studies and runs, with their checkpoints, after asking",
		Long: `Delete studies and runs from the database, and the checkpoints and logs of
these runs from the folder runs/ beside it. This lists what will be deleted and
asks first. A backup of the database is kept beside it, but not of checkpoints.

A run of a deleted study is kept if it also belongs to another study; a run that
you name is deleted from all its studies. Runs in progress cannot be deleted.

A study with a scored run keeps its name, its declaration, and a record of the
deleted scored runs, which its report shows. If trained again, these runs count
as known: a study that declares them later is exploratory.`,
		Example: `  glimpse delete demo --dry-run
  glimpse delete 3f2a 81c0
  glimpse delete old-pilot --yes --db results.db`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && !yes && !dry {
				return cli.Usage(errors.New("--json needs --yes or --dry-run, because it cannot ask"))
			}
			open := cli.OpenForWriting
			if dry {
				open = cli.OpenResults
			}
			opened, err := open(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			var studies, runs []string
			for _, arg := range args {
				study, run, err := cli.Named(c.Context(), opened, arg)
				if err != nil {
					return err
				}
				if run != "" {
					runs = append(runs, run)
				} else {
					studies = append(studies, study)
				}
			}
			planned, err := runner.PlanDeletion(c.Context(), opened, studies, runs)
			if err != nil {
				return err
			}
			if asJSON && dry {
				return term.WriteJSON(c.OutOrStdout(), planned)
			}
			if !asJSON {
				if err := printDeletion(c.OutOrStdout(), planned); err != nil || dry {
					return err
				}
			}
			if !yes {
				fmt.Fprint(c.ErrOrStderr(), "delete them? [y/N] ")
				answer, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return err
				}
				if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
					return errors.New("nothing was deleted; use --yes to delete without asking")
				}
			}
			done, err := runner.Delete(c.Context(), opened, studies, runs)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), done)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "deleted %s; backup of the database: %s\n",
				term.Plural(len(done.Runs), "run"), term.Line(done.Backup))
			return err
		},
	}
	cli.AddDB(c, &db)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dry, "dry-run", false, "only list what would be deleted")
	cli.AddJSON(c, &asJSON)
	c.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return c
}

// printDeletion lists what will be deleted and what is kept.
func printDeletion(w io.Writer, d runner.Deletion) error {
	t := &term.Table{}
	t.Add("RUN", "STUDY", "ARM", "SEED", "STATE", "")
	for _, r := range d.Runs {
		t.Add(r.Run, strings.Join(r.Studies, ", "), r.Arm, fmt.Sprint(r.Seed), r.State, "delete")
	}
	for _, r := range d.Kept {
		t.Add(r.Run, strings.Join(r.Studies, ", "), r.Arm, fmt.Sprint(r.Seed), r.State, "keep: belongs to another study")
	}
	if len(d.Runs)+len(d.Kept) > 0 {
		if err := t.Print(w); err != nil {
			return err
		}
	}
	for _, name := range d.Studies {
		fmt.Fprintf(w, "study %s will be deleted\n", term.Name(name))
	}
	for _, name := range d.Recorded {
		fmt.Fprintf(w, "study %s is kept, with a record of its deleted scored runs\n", term.Name(name))
	}
	_, err := fmt.Fprintf(w, "%s, and %.1f MB of checkpoints\n", term.Plural(len(d.Runs), "run"), float64(d.Bytes)/1e6)
	return err
}
