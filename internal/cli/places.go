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

// DBPath returns the path of the results database: the flag, else $GLIMPSE_DB, else results.db in
// the working directory.
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

// PrintTable prints a table to standard output. On a terminal, unless wide is set, it drops
// columns that do not fit, in the order of least, and lists them on standard error. Pipes and
// files get all columns, since scripts rely on them.
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

// DataRoot returns the folder of a study's data set: the flag, else $GLIMPSE_DATA, else the
// study's own.
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

// CacheDir returns the user's cache folder, for features, weights and libtorch: $GLIMPSE_CACHE,
// else glimpse in $XDG_CACHE_HOME or ~/.cache. The set-up scripts follow the same rule. A
// $GLIMPSE_CACHE that is not writable is the shared cache ([SharedCacheDir]), and does not count
// here.
func CacheDir() (string, error) {
	own, _, err := cacheDirs(mayWrite)
	return own, err
}

// SharedCacheDir returns the folder of a read-only cache: $GLIMPSE_CACHE, if it exists and is not
// writable; else "".
func SharedCacheDir() (string, error) {
	_, shared, err := cacheDirs(mayWrite)
	return shared, err
}

// cacheDirs returns the user's cache and the read-only one; "" for none.
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
			return "", "", fmt.Errorf("find the cache directory: %w; set $GLIMPSE_CACHE", err)
		}
		own = filepath.Join(home, ".cache", "glimpse")
	}
	if shared == own {
		shared = "" // still not writable: the first write will fail and say so
	}
	return own, shared, nil
}

// mayWrite reports whether a folder is writable, or may be created.
func mayWrite(dir string) bool {
	err := unix.Access(dir, unix.W_OK)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// checking shows the progress of decoding a data set's pictures, once it takes longer than a
// second.
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

// Remark prints a message on standard error.
func Remark(message string) { fmt.Fprintln(os.Stderr, message) }

// DataCache returns the cache of features and compiled data sets. Its remarks, and the progress
// of checking pictures, go to standard error.
func DataCache() (data.Cache, error) {
	own, shared, err := cacheDirs(mayWrite)
	cache := data.Cache{Dir: filepath.Join(own, "features"), Checking: checking(term.NewProgress(os.Stderr))}
	cache.Remark = Remark
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

// OpenOrCreate opens a results database for writing, and creates it if it does not exist.
func OpenOrCreate(flag string) (*store.DB, error) {
	path := DBPath(flag)
	announceMigration(path)
	return store.Open(path)
}

// announceMigration announces that a database is about to be migrated, which takes a moment and
// cannot be undone.
func announceMigration(path string) {
	if from, to, outdated := store.Outdated(path); outdated {
		fmt.Fprintf(os.Stderr, "migrating %s from schema %d to %d: older versions of glimpse will not be able to read it\n", term.Line(path), from, to)
	}
}

// OpenForWriting opens an existing results database for writing. It never creates one.
func OpenForWriting(flag string) (*store.DB, error) {
	path := DBPath(flag)
	announceMigration(path)
	db, err := store.OpenExisting(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noResults(path)
	}
	return db, err
}

func noResults(path string) error {
	return fmt.Errorf("no results database %s: create one with `glimpse run STUDY.yaml`, or use another with --db or $GLIMPSE_DB", path)
}

// StudyName returns the name of a study given by its name or its YAML file. The study must be
// recorded in db.
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

// nameOf returns the name of a study given by its name or its YAML file.
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
