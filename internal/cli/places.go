package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/internal/store"
)

// DBPath gives the results database: the flag, else $GLIMPSE_DB, else results.db in the working directory.
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

// DataRoot gives the folder of a study's data set: the flag, else $GLIMPSE_DATA, else what the study says.
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

// CacheDir gives the folder of feature caches, weights and libtorch: $GLIMPSE_CACHE, else glimpse in $XDG_CACHE_HOME or
// ~/.cache. The set-up scripts follow the same rule.
func CacheDir() (string, error) {
	if dir := os.Getenv("GLIMPSE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "glimpse"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w; set GLIMPSE_CACHE", err)
	}
	return filepath.Join(home, ".cache", "glimpse"), nil
}

// DataCache is where features and what is made of data sets are kept.
func DataCache() (data.Cache, error) {
	cache, err := CacheDir()
	return data.Cache{Dir: filepath.Join(cache, "features")}, err
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

// OpenForWriting opens an existing results database, and makes none.
func OpenForWriting(flag string) (*store.DB, error) {
	path := DBPath(flag)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noResults(path)
	}
	return store.Open(path)
}

func noResults(path string) error {
	return fmt.Errorf("no results database %s: `glimpse run STUDY` makes one, and --db or $GLIMPSE_DB names another", path)
}

// StudyName takes the name of a study or its YAML file and gives the name.
func StudyName(ctx context.Context, db *store.DB, arg string) (string, error) {
	name := arg
	if ext := filepath.Ext(arg); ext == ".yaml" || ext == ".yml" {
		study, err := new(StudyFlags).Load(arg)
		if err != nil {
			return "", err
		}
		name = study.Name
	}
	if _, err := db.Study(ctx, name); err != nil {
		return "", err
	}
	return name, nil
}
