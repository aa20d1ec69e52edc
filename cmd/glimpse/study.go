package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/models"
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
type datasets map[experiments.Data]*data.Dataset

func (sets datasets) load(s experiments.Settings) (*data.Dataset, error) {
	if d, loaded := sets[s.Data]; loaded {
		return d, nil
	}
	d, err := data.Load(runner.DataOptions(s, s.Data.Root))
	if err != nil {
		return nil, err
	}
	sets[s.Data] = d
	return d, nil
}

// plan gives the trials of a study with their parameters counted and, if it asks for that, matched.
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
		n, err := models.Parameters(s, len(d.Vocabulary.Words))
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
	return study.Plan()
}

// completeSpec makes shells complete a study file.
func completeSpec(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// settingsOf gives the settings that a run is recorded with.
func settingsOf(run store.Run) (settings experiments.Settings, err error) {
	if err = json.Unmarshal(run.Settings, &settings); err != nil {
		err = fmt.Errorf("run %s: its settings cannot be read: %w", run.ID, err)
	}
	return settings, err
}
