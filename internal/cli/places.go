package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"glimpse/data"
	"glimpse/internal/store"
	"glimpse/internal/term"
)

// DBPath gives the results database: the flag, else $GLIMPSE_DB, else results.db in the working
// directory.
func DBPath(flag string) string {
	switch {
	case flag != "":
		return flag
	case os.Getenv("GLIMPSE_DB") != "":
		return os.Getenv("GLIMPSE_DB")
	default:
		return "results.db"
	}
}

// AddDB adds the flag --db to a verb.
func AddDB(c *cobra.Command, db *string) {
	c.Flags().StringVar(db, "db", "", "results database (default $GLIMPSE_DB, else results.db)")
}

// AddJSON adds the flag --json to a verb.
func AddJSON(c *cobra.Command, asJSON *bool) {
	c.Flags().BoolVar(asJSON, "json", false, "print one JSON value instead of text")
}

// AddWide adds the flag --wide to a verb; see [PrintTable].
func AddWide(c *cobra.Command, wide *bool) {
	c.Flags().BoolVar(wide, "wide", false, "show all columns, however narrow the terminal")
}

// PrintTable prints a table to standard output. On a terminal, unless wide is set, columns that do not fit go, by the order
// of least, and standard error says which. Pipes and files get all columns: whoever reads them counts on each.
func PrintTable(c *cobra.Command, t *term.Table, wide bool, least ...string) error {
	if !wide && term.IsTerminal(c.OutOrStdout()) {
		if dropped := t.Fit(term.Width(c.OutOrStdout()), least...); len(dropped) > 0 {
			all := "--wide"
			if c.Flags().Lookup("wide") == nil {
				all = "`glimpse runs" + sameDB(c) + " --wide`"
			}
			if err := term.Paragraphs(c.ErrOrStderr(), fmt.Sprintf("not shown: %s (%s shows all columns)", term.Enumerate(dropped), all)); err != nil {
				return err
			}
		}
	}
	return t.Print(c.OutOrStdout())
}

// sameDB is the flag --db as the verb has it, behind a space; "" where it has the default.
func sameDB(c *cobra.Command) string {
	if db := c.Flags().Lookup("db"); db != nil && db.Changed {
		return " --db " + Quote(db.Value.String())
	}
	return ""
}

// DataRoot gives the folder of a study's data set: the flag, else $GLIMPSE_DATA, else what the
// study says.
func DataRoot(flag, study string) string {
	switch {
	case flag != "":
		return flag
	case os.Getenv("GLIMPSE_DATA") != "":
		return os.Getenv("GLIMPSE_DATA")
	default:
		return study
	}
}

// CacheDir gives the user's folder of feature caches, weights and libtorch: $GLIMPSE_CACHE, else
// glimpse in $XDG_CACHE_HOME or ~/.cache. The set-up scripts follow the same rule. Where
// $GLIMPSE_CACHE may not be written it is SharedCacheDir, and the user's is the other.
func CacheDir() (string, error) {
	own, _, err := cacheDirs(mayWrite)
	return own, err
}

// SharedCacheDir gives the folder of a cache that is only read: $GLIMPSE_CACHE, if it is there and
// may not be written; else "".
func SharedCacheDir() (string, error) {
	_, shared, err := cacheDirs(mayWrite)
	return shared, err
}

// cacheDirs gives the user's cache and one that is only read, "" for none.
func cacheDirs(mayWrite func(dir string) bool) (own, shared string, err error) {
	if dir := os.Getenv("GLIMPSE_CACHE"); dir != "" {
		if dir, err = filepath.Abs(dir); err != nil || mayWrite(dir) {
			return dir, "", err
		}
		shared = dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		own = filepath.Join(dir, "glimpse")
	} else {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", fmt.Errorf("finding the cache directory: %w; set GLIMPSE_CACHE", err)
		}
		own = filepath.Join(home, ".cache", "glimpse")
	}
	if shared == own {
		shared = "" // it cannot be written all the same, which whoever tries will say
	}
	return own, shared, nil
}

// mayWrite tells whether a folder may be written, or made.
func mayWrite(dir string) bool {
	err := unix.Access(dir, unix.W_OK)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// checking shows how many pictures of a data set were decoded, once that takes longer than a
// moment.
func checking(bars *term.Progress) func(done, total int) {
	const name, moment = "checking pictures", time.Second
	var begun time.Time
	return func(done, total int) {
		switch {
		case done == 1:
			begun = time.Now()
		case done == total:
			bars.Finish(name, "")
		case time.Since(begun) > moment:
			bars.Update(name, done, total, "pictures")
		}
	}
}

// DataCache is where features and what is made of data sets are kept. Its remarks, and how far a
// check of pictures is, go to standard error.
func DataCache() (data.Cache, error) {
	own, shared, err := cacheDirs(mayWrite)
	cache := data.Cache{Dir: filepath.Join(own, "features"), Checking: checking(term.NewProgress(os.Stderr))}
	cache.Remark = func(remark string) { fmt.Fprintln(os.Stderr, remark) }
	if shared != "" {
		cache.Shared = filepath.Join(shared, "features")
	}
	return cache, err
}

// OpenResults opens an existing results database for reading.
func OpenResults(flag string) (*store.DB, error) {
	path := DBPath(flag)
	db, err := store.OpenReadOnly(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noResults(path)
	}
	return db, err
}

// OpenOrCreate opens a results database for writing, and makes one where there is none.
func OpenOrCreate(flag string) (*store.DB, error) {
	path := DBPath(flag)
	tellOutdated(path)
	return store.Open(path)
}

// tellOutdated says that a database is about to be brought up to date, which takes a moment and is
// for good.
func tellOutdated(path string) {
	if from, to, outdated := store.Outdated(path); outdated {
		fmt.Fprintf(os.Stderr, "bringing %s from schema %d to %d: older versions of glimpse cannot read it then\n", term.Line(path), from, to)
	}
}

// OpenForWriting opens an existing results database, and makes none.
func OpenForWriting(flag string) (*store.DB, error) {
	path := DBPath(flag)
	tellOutdated(path)
	db, err := store.OpenExisting(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noResults(path)
	}
	return db, err
}

func noResults(path string) error {
	return fmt.Errorf("no results database %s: `glimpse run STUDY.yaml` creates one; --db or $GLIMPSE_DB names another", path)
}

// StudyName takes the name of a study or its YAML file and gives the name.
func StudyName(ctx context.Context, db *store.DB, arg string) (string, error) {
	name, err := nameOf(arg)
	if err == nil {
		_, err = db.Study(ctx, name)
	}
	if err != nil {
		return "", err
	}
	return name, nil
}

// nameOf is the name of a study whose name or YAML file is given.
func nameOf(arg string) (string, error) {
	if ext := filepath.Ext(arg); ext != ".yaml" && ext != ".yml" {
		return arg, nil
	}
	study, err := new(StudyFlags).Load(arg)
	if err != nil {
		return "", err
	}
	return study.Name, nil
}
