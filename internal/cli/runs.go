package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"glimpse/internal/store"
)

// Named returns the study or the id of the run that an argument names; the other is "". A study
// is given by its name or its YAML file, a run by its id or a prefix of it.
func Named(ctx context.Context, db *store.DB, arg string) (study, run string, err error) {
	study, err = StudyName(ctx, db, arg)
	if !errors.Is(err, store.ErrNotFound) || filepath.Ext(arg) != "" {
		return study, "", err
	}
	found, unknown := db.Run(ctx, arg)
	if errors.Is(unknown, store.ErrNotFound) {
		return "", "", fmt.Errorf("%w, and no run ID starts with that", err)
	}
	return "", found.ID, unknown
}

// RunsOf returns the ids of the runs that arguments name, as in [Named]; for a study, all its
// runs.
func RunsOf(ctx context.Context, db *store.DB, args []string) ([]string, error) {
	var ids []string
	for _, arg := range args {
		study, run, err := Named(ctx, db, arg)
		if err != nil {
			return nil, err
		}
		if run != "" {
			ids = append(ids, run)
			continue
		}
		runs, err := db.Members(ctx, study)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			ids = append(ids, run.ID)
		}
	}
	return ids, nil
}

// Stop asks the processes that work on the given studies and runs, named as in [RunsOf], to stop,
// and returns the runs that are not completed. For a study that is not recorded yet, because its
// runner is still reading data, only the runner is asked.
func Stop(ctx context.Context, db *store.DB, args []string) (asked []store.Run, err error) {
	var studies, ids []string
	for _, arg := range args {
		if name, err := nameOf(arg); err == nil {
			_, began := db.StopRequests(ctx, name)
			_, recorded := db.Study(ctx, name)
			if began == nil || recorded == nil {
				studies = append(studies, name)
				continue
			}
		}
		runs, err := RunsOf(ctx, db, []string{arg})
		if err != nil {
			return nil, err
		}
		ids = append(ids, runs...)
	}
	for _, study := range studies {
		runs, err := db.StopStudy(ctx, study)
		if err != nil {
			return nil, err
		}
		asked = append(asked, runs...)
	}
	runs, err := db.Stop(ctx, ids)
	return append(asked, runs...), err
}

// CompletedRuns returns the completed runs among those that arguments name, as in [RunsOf].
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
		return nil, fmt.Errorf("%s: no run is completed; only completed runs have final captions", strings.Join(args, ", "))
	}
	return runs, nil
}
