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
		Long: `Deletes studies and runs from the database, and the checkpoints and logs of
these runs from the folder runs beside it. It says what goes and asks first;
the database as it was stays in a copy beside it, checkpoints do not.

A run of a study stays if a study that is not named holds it too; a run that is
named goes from all of its studies. Runs at work are refused.

A study of which a run was scored keeps its name, what it declared, and a
record of the scored runs that it lost, which its report shows. Trained again,
they count as known: no study that declares them later confirms anything.`,
		Example: `  glimpse delete demo --dry-run
  glimpse delete 3f2a 81c0
  glimpse delete old-pilot --yes --db results.db`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && !yes && !dry {
				return cli.Usage(errors.New("--json goes with --yes or --dry-run, since it cannot ask"))
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
					return errors.New("nothing was deleted; --yes deletes without asking")
				}
			}
			done, err := runner.Delete(c.Context(), opened, studies, runs)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), done)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "deleted %s; the database as it was: %s\n",
				term.Plural(len(done.Runs), "run"), term.Line(done.Backup))
			return err
		},
	}
	cli.AddDB(c, &db)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dry, "dry-run", false, "only tell what would be deleted")
	cli.AddJSON(c, &asJSON)
	c.MarkFlagsMutuallyExclusive("yes", "dry-run")
	return c
}

// printDeletion tells what goes and what stays.
func printDeletion(w io.Writer, d runner.Deletion) error {
	t := &term.Table{}
	t.Add("RUN", "STUDY", "ARM", "SEED", "STATE", "")
	for _, r := range d.Runs {
		t.Add(r.Run, strings.Join(r.Studies, ", "), r.Arm, fmt.Sprint(r.Seed), r.State, "goes")
	}
	for _, r := range d.Kept {
		t.Add(r.Run, strings.Join(r.Studies, ", "), r.Arm, fmt.Sprint(r.Seed), r.State, "stays: another study holds it")
	}
	if len(d.Runs)+len(d.Kept) > 0 {
		if err := t.Print(w); err != nil {
			return err
		}
	}
	for _, name := range d.Studies {
		fmt.Fprintf(w, "study %s goes\n", term.Name(name))
	}
	for _, name := range d.Recorded {
		fmt.Fprintf(w, "study %s stays, and keeps a record of the scored runs that go\n", term.Name(name))
	}
	_, err := fmt.Fprintf(w, "%s, and %.1f MB of checkpoints\n", term.Plural(len(d.Runs), "run"), float64(d.Bytes)/1e6)
	return err
}
