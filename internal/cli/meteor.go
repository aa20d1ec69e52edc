package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/internal/meteordata"
	"glimpse/metrics/meteor"
)

// NoMeteor is the value of --meteor that ignores METEOR's data in the cache.
const NoMeteor = "none"

// MeteorDir returns the folder of the cache for METEOR's data, which may not exist yet.
func MeteorDir() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	return meteordata.Dir(cache), nil
}

// AddMeteor adds the flag --meteor to a verb.
func AddMeteor(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "meteor", "",
		"METEOR's data: a `folder`, jar, or none (default: what glimpse data fetch meteor downloaded, else none)")
}

// MeteorPath returns the path of METEOR's data: what the flag names, else the cache's copy, or ""
// for none.
func MeteorPath(flag string) (string, error) {
	switch flag {
	case NoMeteor:
		return "", nil
	case "":
		own, shared, err := cacheDirs(mayWrite)
		if err != nil {
			return "", err
		}
		for _, cache := range []string{own, shared} {
			if dir := meteordata.Dir(cache); cache != "" && meteordata.Complete(dir) {
				return dir, nil
			}
		}
		return "", nil
	default:
		return filepath.Abs(flag)
	}
}

// LoadMeteor loads METEOR's data from [MeteorPath]. It returns nil if there are none.
func LoadMeteor(flag string) (*meteor.Data, error) {
	path, err := MeteorPath(flag)
	if err != nil || path == "" {
		return nil, err
	}
	m, err := meteor.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag != "":
		return nil, fmt.Errorf("--meteor %s: %w; download it with `glimpse data fetch meteor`", flag, err)
	case err != nil && flag == "":
		return nil, fmt.Errorf("%w; remove that folder and run `glimpse data fetch meteor`", err)
	case err != nil:
		return nil, fmt.Errorf("--meteor %s: %w", flag, err)
	}
	return m, nil
}

// TrialMeteor loads METEOR's data for a study and returns the value of --meteor for its trials,
// so that all are scored with the same data.
func TrialMeteor(flag string) (m *meteor.Data, value string, err error) {
	if m, err = LoadMeteor(flag); err != nil {
		return nil, "", err
	}
	value, err = MeteorPath(flag)
	if value == "" {
		value = NoMeteor
	}
	return m, value, err
}
