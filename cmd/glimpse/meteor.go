package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// noMeteor as the value of --meteor leaves METEOR's data out where the cache has them.
const noMeteor = "none"

// meteorDir gives the folder of the cache where METEOR's data are, once fetched. Its name holds the hash of what they
// come from: a new pin is a new folder.
func meteorDir() (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "meteor-1.5-"+meteorWheel.sha256[:12]), nil
}

func addMeteorFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "meteor", "",
		"METEOR's data: their `folder`, jar, or none (default what glimpse data fetch meteor got, else none)")
}

// meteorPath says where METEOR's data are: what the flag names, else the cache, or "" for none.
func meteorPath(flag string) (string, error) {
	switch flag {
	case noMeteor:
		return "", nil
	case "":
		dir, err := meteorDir()
		if err != nil {
			return "", err
		}
		if !meteorComplete(dir) {
			return "", nil
		}
		return dir, nil
	default:
		return filepath.Abs(flag)
	}
}

// trialMeteor gives the value of --meteor for a study's trials. It is decided once, so that all trials are scored alike;
// what would be found out only after training, or could not be compared with what is done, is an error here.
func trialMeteor(ctx context.Context, db *store.DB, study *experiments.Study, trials []experiments.Trial, flag string) (string, error) {
	data, err := loadMeteor(flag) // also a look at whether they can be read
	if err != nil {
		return "", err
	}
	goesBy := []string{study.Compare.Primary.Metric}
	for _, trial := range trials {
		goesBy = append(goesBy, trial.Settings.Train.Select.Metric)
	}
	asked := slices.ContainsFunc(goesBy, func(name string) bool {
		_, key, _ := metrics.ParseKey(name)
		return key == metrics.METEORKey
	})
	if asked && data == nil {
		return "", fmt.Errorf("study %s goes by METEOR, whose data are not there: `glimpse data fetch meteor` gets them, or --meteor names them", study.Name)
	}
	known, err := db.Runs(ctx, "")
	if err != nil {
		return "", err
	}
	if err := sameMetrics(known, trials, (&metrics.Scorer{Meteor: data}).Version()); err != nil {
		return "", err
	}
	path, err := meteorPath(flag)
	if path == "" {
		path = noMeteor
	}
	return path, err
}

// sameMetrics refuses to add trials to completed ones that were scored by another version of the metrics.
func sameMetrics(known []store.Run, trials []experiments.Trial, version string) error {
	completed := map[string]string{}
	for _, run := range known {
		if run.State == store.Completed {
			completed[run.ID] = run.Signature
		}
	}
	other, remaining := "", 0
	for _, trial := range trials {
		signature, ok := completed[trial.ID]
		switch {
		case !ok:
			remaining++
		case !slices.Contains(strings.Fields(signature), "metrics="+version):
			other = trial.ID
		}
	}
	if other == "" || remaining == 0 {
		return nil
	}
	return fmt.Errorf("run %s was scored under %q, and the remaining %s would be under metrics=%s, with which it cannot be compared: "+
		"go on with or without METEOR's data as before (--meteor), or begin anew with another --db",
		other, completed[other], term.Plural(remaining, "trial"), version)
}

// loadMeteor loads METEOR's data from where meteorPath says, nil for none.
func loadMeteor(flag string) (*meteor.Data, error) {
	path, err := meteorPath(flag)
	if err != nil || path == "" {
		return nil, err
	}
	m, err := meteor.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag != "":
		return nil, fmt.Errorf("--meteor %s: %w; `glimpse data fetch meteor` gets them", flag, err)
	case err != nil && flag == "":
		return nil, fmt.Errorf("%w; remove that folder and run `glimpse data fetch meteor`", err)
	case err != nil:
		return nil, fmt.Errorf("--meteor %s: %w", flag, err)
	}
	return m, nil
}
