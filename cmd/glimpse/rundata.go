package main

import (
	"context"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
	"glimpse/runner"
)

// runData loads the data set of a run, and refuses another one than it was made with.
func runData(ctx context.Context, db *store.DB, run store.Run, settings experiments.Settings, flag string) (*data.Dataset, error) {
	root := dataRoot(flag, "")
	if root == "" {
		study, err := db.Study(ctx, run.Study)
		if err != nil {
			return nil, err
		}
		var spec struct {
			Data struct{ Root string }
		}
		if err := yaml.Unmarshal([]byte(study.Spec), &spec); err != nil {
			return nil, fmt.Errorf("study %s: its specification cannot be read: %w", study.Name, err)
		}
		root = spec.Data.Root
	}
	settings.Data.Root = root
	d, err := data.Load(runner.DataOptions(settings, root))
	if err != nil {
		return nil, fmt.Errorf("data set %s, which holds the references: %w; --data names its folder", settings.Data.Name, err)
	}
	pictures, err := featureDir()
	if err != nil {
		return nil, err
	}
	if err := runner.CheckData(run, d, pictures); err != nil {
		return nil, err
	}
	if found := stats.SignatureDifferences(run.Signature, runner.Signature(settings, d, ""), "metrics"); len(found) > 0 {
		return nil, fmt.Errorf("run %s was made with another data set than the one in %q: %s", run.ID, root, strings.Join(found, "; "))
	}
	return d, nil
}

// dataLoader loads the data sets of runs one after another, and again only where they differ.
type dataLoader struct {
	db   *store.DB
	root string // as --data gave it
	of   experiments.Data
	last *data.Dataset
}

// load gives the data set of a run.
func (l *dataLoader) load(ctx context.Context, run store.Run, settings experiments.Settings) (*data.Dataset, error) {
	if l.last != nil && settings.Data == l.of {
		return l.last, nil
	}
	d, err := runData(ctx, l.db, run, settings, l.root)
	if err != nil {
		return nil, err
	}
	l.of, l.last = settings.Data, d
	return d, nil
}
