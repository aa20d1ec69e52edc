package runner

import (
	"fmt"
	"strings"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

// DataError is returned for a run whose data differ from those it was planned for, or an earlier
// attempt used.
type DataError struct {
	Run         string
	Differences []string // such as "pictures 3fa2c0d1 against 9b07aa12", the run's first
}

// Error lists the differences and says what to do.
func (e *DataError) Error() string {
	return fmt.Sprintf("run %s was planned for other data (planned against found: %s); "+
		"point --data at the study's data set, or use another --db",
		e.Run, strings.Join(e.Differences, ", "))
}

// CheckData returns a *DataError unless d is the data set of a stored run, as far as the run
// recorded it: in the content it was planned for, its hashes, and its signature. Runs of versions
// that did not hash pictures did not record them.
func CheckData(run store.Run, d *data.Dataset) error {
	settings, err := results.Settings(run)
	if err != nil {
		return err
	}
	var found experiments.Content
	if results.ContentOf(run) != found { // otherwise no pictures need to be read
		if found, err = ContentOf(d); err != nil {
			return err
		}
	}
	return checkData(run, settings, d, found)
}

// checkData compares a data set and its content with what a trial with these settings was planned
// for, and with what its run recorded, if known.
func checkData(run store.Run, s experiments.Settings, d *data.Dataset, found experiments.Content) error {
	if len(run.Settings) == 0 { // the run is not recorded yet
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

// FeaturesError is returned for a run whose earlier attempt used other features than those found
// now, though computed from the same pictures with the same weights. Resuming it would give
// weights that could not be reproduced.
type FeaturesError struct {
	Run             string
	Recorded, Found string // see [data.Features.Content]
}

// Error says why features can differ, and what to do.
func (e *FeaturesError) Error() string {
	return fmt.Sprintf("run %s was trained so far on features with hash %.8s, but these have %.8s: "+
		"they were computed on another kind of CPU, device or libtorch; use the cache it started with, "+
		"or start over (`glimpse prune --unfinished %s`, then --retry-failed)", e.Run, e.Recorded, e.Found, e.Run)
}

// checkFeatures compares a captioner's features with those of an earlier attempt. They identify
// the pictures of runs of versions that did not hash pictures.
func checkFeatures(run store.Run, hashes map[string]string) error {
	recorded, found := run.Hashes()["features"], hashes["features"]
	if recorded == "" || found == "" || recorded == found {
		return nil
	}
	return &DataError{Run: run.ID, Differences: []string{fmt.Sprintf("features %.8s against %.8s", recorded, found)}}
}

// checkFeaturesContent compares the bytes of the features with those that the checkpoint was
// trained on.
func checkFeaturesContent(run store.Run, hashes map[string]string) error {
	recorded, found := run.Hashes()["features_content"], hashes["features_content"]
	if recorded == "" || found == "" || recorded == found {
		return nil
	}
	return &FeaturesError{Run: run.ID, Recorded: recorded, Found: found}
}

// load loads the trial's data set, checks that it is the one the trial was planned for, and
// returns its content.
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

// ContentOf returns the content of a data set in the form of settings.
func ContentOf(d *data.Dataset) (experiments.Content, error) {
	content, err := d.Content()
	if err != nil {
		return experiments.Content{}, fmt.Errorf("hash data set %s: %w", d.Name, err)
	}
	return experiments.Content(content), nil
}
