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
		Use:   "db",
		Short: "Check, seal, back up, redact, export, import and merge results databases",
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
		Short: "Copy the database to a new file, while runners write",
		Long: `Copies the database as one moment saw it; runners may go on meanwhile. The copy
is checked before it gets its name, and a file that is there is never replaced.
Checkpoints and logs, in runs/ beside the database, are not part of it.`,
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
			fmt.Fprintf(c.OutOrStdout(), "%s  %s bytes\n", term.Line(args[0]), term.Count(info.Size()))
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
		Short: "Write every table to a file of a new folder",
		Long: `Writes every table, as one moment saw it, to a file of a new folder.

jsonl: an object a row; loses nothing (` + "`glimpse db import`" + ` reads it back), and
equal contents give equal bytes. Numbers that are not finite are "nan", "inf",
"-inf"; what was not measured is null.
csv: for spreadsheets and data frames; what was not measured is empty, and text that
a spreadsheet would take for a formula has ' in front.`,
		Example: `  glimpse db export -o results
  glimpse db export -o tables --format csv
  jq -r 'select(.state == "completed").id' results/runs.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if form != store.JSONLines && form != store.CSV {
				return cli.Usage(fmt.Errorf("--format %q: want %s or %s", form, store.JSONLines, store.CSV))
			}
			if dir == "" {
				return cli.Usage(errors.New("-o names the folder to make"))
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
	c.Flags().StringVarP(&dir, "output", "o", "", "folder to make")
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
		Short: "Make a new database of an export in JSON Lines",
		Long: `Makes a new database of what ` + "`glimpse db export`" + ` wrote, and checks that all of it
is there as it was written. A database that is there is never replaced or added to:
import into a new one, then ` + "`glimpse db merge`" + ` adds it to another.`,
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

// taken says what to do about a path that is not free.
func taken(err error, path, advice string) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is not replaced: %s", path, advice)
	}
	return err
}

// printRows tells what was written and how many rows of each table.
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
