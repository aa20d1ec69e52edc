package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"glimpse/internal/store"
)

// RunsOf gives the ids of the runs that arguments name: all those of a study (its name or its YAML file), or one run by the
// beginning of its id.
func RunsOf(ctx context.Context, db *store.DB, args []string) ([]string, error) {
	var ids []string
	for _, arg := range args {
		name, err := StudyName(ctx, db, arg)
		if errors.Is(err, store.ErrNotFound) && filepath.Ext(arg) == "" {
			run, unknown := db.Run(ctx, arg)
			if errors.Is(unknown, store.ErrNotFound) {
				return nil, fmt.Errorf("%w; nor does a run ID start with that", err)
			}
			if unknown != nil {
				return nil, unknown
			}
			ids = append(ids, run.ID)
			continue
		}
		if err != nil {
			return nil, err
		}
		runs, err := db.Members(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			ids = append(ids, run.ID)
		}
	}
	return ids, nil
}

// CompletedRuns gives the completed ones of the runs that arguments name.
func CompletedRuns(ctx context.Context, db *store.DB, args []string) ([]store.Run, error) {
	ids, err := RunsOf(ctx, db, args)
	if err != nil {
		return nil, err
	}
	var runs []store.Run
	named := map[string]bool{}
	for _, id := range ids {
		if named[id] {
			return nil, Usage(fmt.Errorf("run %s is named twice", id))
		}
		named[id] = true
		run, err := db.Run(ctx, id)
		if err != nil {
			return nil, err
		}
		if run.State == store.Completed {
			runs = append(runs, run)
		}
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("%s: none of these runs is completed: only completed runs have final captions", strings.Join(args, ", "))
	}
	return runs, nil
}
