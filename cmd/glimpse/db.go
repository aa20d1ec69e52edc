package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
)

func dbCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "db COMMAND",
		Short: "Check, back up, export, import and merge results databases",
		Example: `  glimpse db check
  glimpse db backup results-monday.db
  glimpse db merge other-machine.db`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(dbCheckCommand(), dbSealCommand(), dbBackupCommand(), dbRedactCommand(), dbExportCommand(), dbImportCommand(), dbMergeCommand())
	return c
}

func dbBackupCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the database to a new file, even while runners write",
		Long: `Copy the database as it is at one moment; runners may keep writing. The copy
is checked before it gets its name, and an existing file is never overwritten.
Checkpoints and logs, which are in runs/ beside the database, are not copied.`,
		Example: `  glimpse db backup results-monday.db
  glimpse db backup /media/disk/results.db --db study.db`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			if err := results.Backup(c.Context(), args[0]); err != nil {
				return taken(err, args[0], "name another file")
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), map[string]any{"path": args[0], "bytes": info.Size()})
			}
			fmt.Fprintf(c.OutOrStdout(), "%s  %s\n", term.Line(args[0]), term.Bytes(info.Size()))
			return nil
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}

func dbExportCommand() *cobra.Command {
	var (
		db, form, dir string
		asJSON        bool
	)
	c := &cobra.Command{
		Use:   "export -o FOLDER",
		Short: "Write every table to a file in a new folder",
		Long: `Write every table, as it is at one moment, to a file in a new folder.

jsonl: one object per row. Nothing is lost: glimpse db import reads it back, and
equal contents give equal bytes. Non-finite numbers are "nan", "inf" and "-inf";
values that were not measured are null.
csv: for spreadsheets and data frames. Values that were not measured are empty,
and text that a spreadsheet would interpret as a formula is prefixed with '.`,
		Example: `  glimpse db export -o results
  glimpse db export -o tables --format csv
  jq -r 'select(.state == "completed").id' results/runs.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if form != store.JSONLines && form != store.CSV {
				return cli.Usage(fmt.Errorf("--format %q: expected %s or %s", form, store.JSONLines, store.CSV))
			}
			if dir == "" {
				return cli.Usage(errors.New("-o DIR is missing: name the folder to create"))
			}
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			rows, err := opened.Export(c.Context(), dir, form)
			if err != nil {
				return taken(err, dir, "name another folder")
			}
			found, err := results.Exposed(c.Context(), opened)
			if err != nil {
				return err
			}
			remarkOnExposure(c, found, db)
			return printRows(c, dir, rows, asJSON)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVarP(&dir, "output", "o", "", "folder to create")
	c.Flags().StringVar(&form, "format", store.JSONLines, "jsonl or csv")
	cli.AddJSON(c, &asJSON)
	return c
}

func dbImportCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "import FOLDER",
		Short: "Create a new database from an export in JSON Lines",
		Long: `Create a new database from the files of glimpse db export, and check that
everything arrived as it was written. An existing database is never overwritten
or extended: import into a new one, then add it to another with glimpse db
merge.`,
		Example: `  glimpse db import results --db imported.db
  glimpse db merge imported.db`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := cli.DBPath(db)
			rows, err := store.Import(c.Context(), args[0], path)
			if err != nil {
				return taken(err, path, "name a new database with --db, and then add it with `glimpse db merge`")
			}
			return printRows(c, path, rows, asJSON)
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}

// taken adds advice to an error about a path that already exists.
func taken(err error, path, advice string) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists and is not overwritten: %s", path, advice)
	}
	return err
}

// printRows prints what was written, and the number of rows per table.
func printRows(c *cobra.Command, path string, rows map[string]int, asJSON bool) error {
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), map[string]any{"path": path, "rows": rows})
	}
	var parts []string
	for _, table := range []string{"studies", "runs", "epochs", "captions"} {
		parts = append(parts, table+" "+term.Count(int64(rows[table])))
	}
	fmt.Fprintf(c.OutOrStdout(), "%s  %s\n", term.Line(path), strings.Join(parts, ", "))
	return nil
}
