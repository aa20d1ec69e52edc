package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/runner"
)

// FeaturesPruneCommand returns the verb features prune. Both programs have it: it needs no model,
// but belongs to a verb that does.
func FeaturesPruneCommand() *cobra.Command {
	var (
		databases   []string
		olderThan   string
		dry, asJSON bool
	)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Remove features that no stored run needs",
		Long: `Remove feature files from the user's cache that no run in the results databases
needs and that nobody has used for a month (or --older-than). A run needs the
features it was trained on; before it has started, all features of its encoder.
If no database is named and the default one does not exist, only age counts.
Removed features can be recomputed. Processes that are reading them are not
disturbed.`,
		Example: `  glimpse features prune --dry-run
  glimpse features prune --db results.db --db old/results.db --older-than 0`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			age, err := parseAge(olderThan)
			if err != nil {
				return Usage(fmt.Errorf("--older-than: %w", err))
			}
			open, release, err := openAll(databases)
			if err != nil {
				return err
			}
			defer release()
			cache, err := DataCache()
			if err != nil {
				return err
			}
			files, err := runner.FreeFeatures(c.Context(), open, cache.Dir, time.Now().Add(-age), dry)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), files)
			}
			return printPruned(c.OutOrStdout(), files, dry)
		},
	}
	c.Flags().StringArrayVar(&databases, "db", nil, "results database whose runs keep their features (repeatable; default $GLIMPSE_DB, else results.db)")
	c.Flags().StringVar(&olderThan, "older-than", "30d", "remove only what was not used for this long, in days (30d) or hours (12h)")
	c.Flags().BoolVar(&dry, "dry-run", false, "only list what would be removed")
	AddJSON(c, &asJSON)
	return c
}

// parseAge reads a number of days (30d) or a Go duration (12h).
func parseAge(text string) (time.Duration, error) {
	if days, found := strings.CutSuffix(text, "d"); found {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 100*365 {
			return 0, fmt.Errorf("%q is not a number of days, such as 30d", text)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < 0 {
		return 0, fmt.Errorf("%q is not an age such as 30d or 12h", text)
	}
	return age, nil
}

// openAll opens the given results databases for reading or, if none is given, the default one if
// it exists.
func openAll(paths []string) (open []*store.DB, release func(), err error) {
	release = func() {
		for _, db := range open {
			db.Close()
		}
	}
	optional := len(paths) == 0
	if optional {
		paths = []string{DBPath("")}
	}
	for _, path := range paths {
		db, err := store.OpenReadOnly(path)
		switch {
		case err == nil:
			open = append(open, db)
		case errors.Is(err, fs.ErrNotExist) && optional:
		case errors.Is(err, fs.ErrNotExist):
			release()
			return nil, nil, noResults(path)
		default:
			release()
			return nil, nil, err
		}
	}
	return open, release, nil
}

func printPruned(w io.Writer, files []data.KeptFeatures, dry bool) error {
	removed, kept, freed, stay := 0, 0, int64(0), int64(0)
	t := &term.Table{}
	t.Add("FILE", "PICTURES", "SIZE", "LAST USED", "STATE")
	for _, f := range files {
		state := f.State
		if state == data.FeaturesRemoved {
			removed++
			freed += f.Bytes
			if dry {
				state = "would be removed"
			}
		} else {
			kept++
			stay += f.Bytes
		}
		t.Add(f.File, term.Count(int64(f.Pictures)), term.Bytes(f.Bytes), f.LastUsed.Format("2006-01-02 15:04"), state)
	}
	if len(files) > 0 {
		if err := t.Print(w); err != nil {
			return err
		}
	}
	what := "removed"
	if dry {
		what = "would be removed"
	}
	_, err := fmt.Fprintf(w, "%s of features, %s, %s; %s, %s, kept\n", term.Plural(removed, "file"), term.Bytes(freed), what, term.Plural(kept, "file"), term.Bytes(stay))
	return err
}
