package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/models"
	"glimpse/results"
	"glimpse/runner"
)

// studyFlags are those of every verb that reads a study file.
type studyFlags struct {
	sets []string
	root string
}

func (f *studyFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.sets, "set", nil, "override a key of the study, as in train.epochs=3 (repeatable)")
	c.Flags().StringVar(&f.root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	c.ValidArgsFunction = completeSpec
}

// load reads the study file, with the data's folder as flag and environment want it. Whatever is wrong with it is an error
// of usage.
func (f *studyFlags) load(path string) (*experiments.Study, error) {
	study, err := experiments.Load(path, f.sets)
	if _, missing := os.Stat(path); errors.Is(missing, fs.ErrNotExist) {
		hint := "name a study, such as experiments/demo.yaml"
		if _, err := os.Stat(path + ".yaml"); err == nil {
			hint = fmt.Sprintf("did you mean %s.yaml?", path)
		}
		err = fmt.Errorf("%w; %s", err, hint)
	}
	if err != nil {
		return nil, usageError{err}
	}
	study.SetRoot(dataRoot(f.root, study.Data.Root))
	return study, nil
}

// datasets loads each data set that trials need, once.
type datasets map[experiments.Data]*loadedSet

// loadedSet is a data set with what was found out about it.
type loadedSet struct {
	*data.Dataset
	content  experiments.Content // zero until it is asked for
	features map[string]string   // encoder and weights → hash of the features
}

func (sets datasets) of(s experiments.Settings) (*loadedSet, error) {
	s.Data.Content = experiments.Content{} // the same files, whatever is expected in them
	if d, loaded := sets[s.Data]; loaded {
		return d, nil
	}
	d, err := data.Load(runner.DataOptions(s, s.Data.Root))
	if err != nil {
		return nil, err
	}
	sets[s.Data] = &loadedSet{Dataset: d, features: map[string]string{}}
	return sets[s.Data], nil
}

func (sets datasets) load(s experiments.Settings) (*data.Dataset, error) {
	d, err := sets.of(s)
	if err != nil {
		return nil, err
	}
	return d.Dataset, nil
}

// plan gives the trials of a study with their parameters counted and, if it asks for that, matched. What their data hold is
// part of their identity.
func (sets datasets) plan(study *experiments.Study) ([]experiments.Trial, error) {
	var failed error
	err := study.MatchParameters(func(s experiments.Settings) int64 {
		d, err := sets.load(s)
		if err != nil {
			failed = err
			if wrong := (data.Error{}); s.Data.Root == "" || errors.As(err, &wrong) && wrong.File == s.Data.Root {
				failed = study.Wrong("data.root", err)
			}
			return 0
		}
		n, err := s.Parameters(len(d.Vocabulary.Words))
		if err != nil {
			failed = err
		}
		return n
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	err = study.SetContents(func(of experiments.Data) (experiments.Content, error) {
		return sets.content(experiments.Settings{Data: of})
	})
	if err != nil {
		return nil, err
	}
	return study.Plan()
}

// content is what a data set holds.
func (sets datasets) content(s experiments.Settings) (experiments.Content, error) {
	d, err := sets.of(s)
	if err != nil {
		return experiments.Content{}, err
	}
	if d.content == (experiments.Content{}) {
		dir, err := featureDir()
		if err != nil {
			return experiments.Content{}, err
		}
		if d.content, err = runner.ContentOf(d.Dataset, dir); err != nil {
			return experiments.Content{}, err
		}
	}
	return d.content, nil
}

// featureDir is the folder of the cache that holds features, and the hashes of pictures.
func featureDir() (string, error) {
	cache, err := cacheDir()
	return filepath.Join(cache, "features"), err
}

// present is the data set of a trial as far as its identity goes.
func (sets datasets) present(s experiments.Settings) (results.Present, error) {
	content, err := sets.content(s)
	if err != nil {
		return results.Present{}, err
	}
	d, err := sets.of(s)
	if err != nil {
		return results.Present{}, err
	}
	return results.Present{Content: content, Data: "data=" + runner.DataField(d.Dataset), Features: d.featureHash}, nil
}

// featureHash is the hash of the features that an encoder of these weights makes of the data set.
func (d *loadedSet) featureHash(s experiments.Settings, weightsSHA256 string) (string, error) {
	key := fmt.Sprintf("%+v %s", s.Encoder, weightsSHA256)
	if hash, known := d.features[key]; known {
		return hash, nil
	}
	dir, err := featureDir()
	if err != nil {
		return "", err
	}
	hash, err := models.FeatureHash(s, weightsSHA256, d.Dataset, dir)
	if err == nil {
		d.features[key] = hash
	}
	return hash, err
}

// planned is a study as it stands to the results database.
type planned struct {
	trials   []experiments.Trial
	known    []store.Run       // of the database
	foreign  []results.Foreign // runs with the same settings on other data
	standing results.Standing
}

// against finds how a study stands to the results database, which may be nil.
func (sets datasets) against(ctx context.Context, db *store.DB, study *experiments.Study) (p planned, err error) {
	if p.trials, err = sets.plan(study); err != nil {
		return p, err
	}
	path := ""
	if db != nil {
		path = db.Path()
		if p.known, err = db.Runs(ctx, ""); err != nil {
			return p, err
		}
		if p.trials, p.foreign, err = results.Adopt(p.trials, p.known, sets.present); err != nil {
			return p, err
		}
	}
	p.standing, err = results.Stand(ctx, db, study, p.trials, p.known, runner.Commit(ctx, path))
	return p, err
}

// completeSpec makes shells complete a study file.
func completeSpec(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
