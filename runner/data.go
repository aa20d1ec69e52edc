package runner

import (
	"fmt"
	"strings"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

// DataError is returned for a run whose data are not those that it was planned
// for, or that an earlier attempt of it was made on.
type DataError struct {
	Run         string
	Differences []string // such as "pictures 3fa2c0d1 against 9b07aa12": the run's first
}

// Error lists the differences and says what to do.
func (e *DataError) Error() string {
	return fmt.Sprintf("run %s was planned for other data (planned against found: %s); "+
		"point --data at the study's data set, or use another --db",
		e.Run, strings.Join(e.Differences, ", "))
}

// CheckData returns a *DataError unless d is the data set of a stored run, as far
// as the run recorded it: by the content that it was planned for, by the hashes that it
// recorded, and by its signature. A run made before pictures were hashed did
// not record them.
func CheckData(run store.Run, d *data.Dataset) error {
	settings, err := results.Settings(run)
	if err != nil {
		return err
	}
	var found experiments.Content
	if results.ContentOf(run) != found { // else no picture need be read
		if found, err = ContentOf(d); err != nil {
			return err
		}
	}
	return checkData(run, settings, d, found)
}

// checkData compares a data set and its content with what a trial of these
// settings was planned for and with what its run recorded, if it is known.
func checkData(run store.Run, s experiments.Settings, d *data.Dataset, found experiments.Content) error {
	if len(run.Settings) == 0 { // it has not been recorded yet
		if differences := s.Data.Content.Differences(found); len(differences) > 0 {
			return &DataError{Run: run.ID, Differences: differences}
		}
		return nil
	}
	here := results.Present{Content: found, Data: "data=" + DataField(d)}
	differences, err := here.Differences(run, s)
	if err == nil && len(differences) > 0 {
		err = &DataError{Run: run.ID, Differences: differences}
	}
	return err
}

// FeaturesError is returned for a run whose earlier attempt was trained on other features than are found now, though
// computed from the same pictures by the same weights. To go on with it would give weights that nobody could train again.
type FeaturesError struct {
	Run             string
	Recorded, Found string // see [data.Features.Content]
}

// Error says how features can differ, and what to do.
func (e *FeaturesError) Error() string {
	return fmt.Sprintf("run %s was trained so far on features with hash %.8s, but those found have %.8s: "+
		"they were computed on another kind of CPU, device or libtorch; use the cache it started with, "+
		"or start over (`glimpse prune --unfinished %s`, then --retry-failed)", e.Run, e.Recorded, e.Found, e.Run)
}

// checkFeatures compares the features that a captioner looks at with those of an
// earlier attempt: they identify the pictures of a run made before pictures were hashed.
func checkFeatures(run store.Run, hashes map[string]string) error {
	recorded, found := run.Hashes()["features"], hashes["features"]
	if recorded == "" || found == "" || recorded == found {
		return nil
	}
	return &DataError{Run: run.ID, Differences: []string{fmt.Sprintf("features %.8s against %.8s", recorded, found)}}
}

// checkFeaturesContent compares the bytes of those features with what the checkpoint that a trial resumes from was trained on.
func checkFeaturesContent(run store.Run, hashes map[string]string) error {
	recorded, found := run.Hashes()["features_content"], hashes["features_content"]
	if recorded == "" || found == "" || recorded == found {
		return nil
	}
	return &FeaturesError{Run: run.ID, Recorded: recorded, Found: found}
}

// load loads the trial's data set, which must be the one that it was planned for,
// and returns what it holds.
func (t *trial) load() (content experiments.Content, err error) {
	if t.data, err = data.Load(DataOptions(t.settings, t.cfg.Root, t.cfg.Cache)); err != nil {
		return content, err
	}
	if err := CheckSplits(t.settings, t.data); err != nil {
		return content, err
	}
	if content, err = ContentOf(t.data); err != nil {
		return content, err
	}
	return content, checkData(t.run, t.settings, t.data, content)
}

// ContentOf is what a data set holds, as settings have it.
func ContentOf(d *data.Dataset) (experiments.Content, error) {
	content, err := d.Content()
	if err != nil {
		return experiments.Content{}, fmt.Errorf("hashing data set %s: %w", d.Name, err)
	}
	return experiments.Content(content), nil
}
