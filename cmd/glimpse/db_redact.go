package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/results"
)

func dbRedactCommand() *cobra.Command {
	var (
		db          string
		studies     []string
		dry, asJSON bool
	)
	c := &cobra.Command{
		Use:   "redact",
		Short: "Remove what should not be passed on with the results",
		Long: `Remove from the database what looks like a password, a key or a token in
errors, notes, command lines and diffs. It also removes the diffs of the whole
checkout that earlier versions recorded, whatever was in them. File names and
the hash of the diff stay. Settings, scores, captions, IDs and hashes are not
touched.

Everything is removed in one transaction, and then from the file itself, which
is rewritten. Nobody else may have the database open meanwhile. Copies are not
changed: backups, exports, databases it was merged into. A secret that was
recorded may have been read: revoke it.`,
		Example: `  glimpse db redact --dry-run
  glimpse db redact --db old.db --study demo`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			names := make([]string, 0, len(studies))
			found := results.Exposure{Studies: []string{}}
			for _, study := range studies {
				name, err := cli.StudyName(c.Context(), opened, study)
				if err != nil {
					return err
				}
				names = append(names, name)
			}
			if dry {
				found, err = results.Exposed(c.Context(), opened, names...)
			} else if err = opened.Close(); err == nil {
				found, err = results.Redact(c.Context(), opened.Path(), names)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), found)
			}
			return printExposure(c, found, dry)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringArrayVar(&studies, "study", nil, "only runs of this study (repeatable; default all runs)")
	c.Flags().BoolVar(&dry, "dry-run", false, "only list what would be removed")
	cli.AddJSON(c, &asJSON)
	_ = c.RegisterFlagCompletionFunc("study", cli.CompleteFromDB(cli.StudyNames)) // the flag is defined above
	return c
}

func printExposure(c *cobra.Command, found results.Exposure, dry bool) error {
	text := "nothing to remove"
	switch {
	case found.Removable() && dry:
		text = fmt.Sprintf("would be removed: %s, from %s", found, found.Holders())
	case found.Removable():
		text = fmt.Sprintf("removed: %s, from %s", found, found.Holders())
	}
	_, err := fmt.Fprintln(c.OutOrStdout(), text)
	return err
}

// remarkOnExposure warns about what should not be passed on with a database. flag is the value of
// --db.
func remarkOnExposure(c *cobra.Command, found results.Exposure, flag string) {
	command := "glimpse db redact"
	if flag != "" {
		command += " --db " + cli.Quote(flag)
	}
	if remark := found.Remark(cli.DBPath(flag), command); remark != "" {
		fmt.Fprintf(c.ErrOrStderr(), "note: %s\n", term.Line(remark))
	}
}
