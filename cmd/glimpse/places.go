package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/internal/store"
)

// dbPath gives the results database: the flag, else $GLIMPSE_DB, else results.db in the working directory.
func dbPath(flag string) string {
	switch {
	case flag != "":
		return flag
	case os.Getenv("GLIMPSE_DB") != "":
		return os.Getenv("GLIMPSE_DB")
	default:
		return "results.db"
	}
}

func addDBFlag(c *cobra.Command, db *string) {
	c.Flags().StringVar(db, "db", "", "results database (default $GLIMPSE_DB, else results.db)")
}

func addJSONFlag(c *cobra.Command, asJSON *bool) {
	c.Flags().BoolVar(asJSON, "json", false, "print one JSON value instead of text")
}

// dataRoot gives the folder of a study's data set: the flag, else $GLIMPSE_DATA, else what the study says.
func dataRoot(flag, study string) string {
	switch {
	case flag != "":
		return flag
	case os.Getenv("GLIMPSE_DATA") != "":
		return os.Getenv("GLIMPSE_DATA")
	default:
		return study
	}
}

// cacheDir gives the folder of feature caches, weights and libtorch: $GLIMPSE_CACHE, else glimpse in $XDG_CACHE_HOME or
// ~/.cache. The set-up scripts follow the same rule.
func cacheDir() (string, error) {
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

// openResults opens an existing results database for reading.
func openResults(flag string) (*store.DB, error) {
	path := dbPath(flag)
	db, err := store.OpenReadOnly(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noResults(path)
	}
	return db, err
}

// openForWriting opens an existing results database, and makes none.
func openForWriting(flag string) (*store.DB, error) {
	path := dbPath(flag)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noResults(path)
	}
	return store.Open(path)
}

func noResults(path string) error {
	return fmt.Errorf("no results database %s: `glimpse run STUDY` makes one, and --db or $GLIMPSE_DB names another", path)
}

// studyName takes the name of a study or its YAML file and gives the name.
func studyName(ctx context.Context, db *store.DB, arg string) (string, error) {
	name := arg
	if ext := filepath.Ext(arg); ext == ".yaml" || ext == ".yml" {
		study, err := new(studyFlags).load(arg)
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
