package results

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// Present is the part of the data set at hand that matters to a trial's identity.
type Present struct {
	Content experiments.Content
	// Data is the field of a protocol signature that names it, such as
	// data=flickr8k/official@89373504e1bf.
	Data string
	// Features gives the hash of an encoder's features of its pictures, by which
	// runs made before pictures were hashed can be checked; nil if it is unknown.
	Features func(s experiments.Settings, weightsSHA256 string) (string, error)
}

// A Foreign run has the settings of a trial and other data.
type Foreign struct {
	Run         store.Run
	Differences []string // what differs: there against here
}

// Adopt gives trials the ids of stored runs that were made before data were part
// of a trial's identity, with the same settings and the same data. It also gives
// the runs that have a trial's settings but other data; these are not used.
// present gives the data set of a trial.
func Adopt(
	trials []experiments.Trial, known []store.Run, present func(experiments.Settings) (Present, error),
) ([]experiments.Trial, []Foreign, error) {
	alike := map[string][]store.Run{} // id without data → runs
	for _, r := range known {
		if s, err := Settings(r); err == nil {
			id := s.Bare().ID()
			alike[id] = append(alike[id], r)
		}
	}
	adopted := slices.Clone(trials)
	var (
		foreign []Foreign
		held    []string              // studies of adopted runs
		waiting = map[int]store.Run{} // trial → the run that would be its, had it begun
	)
	for i, t := range trials {
		bare := t.Settings.Bare()
		if slices.ContainsFunc(alike[bare.ID()], func(r store.Run) bool { return r.ID == t.ID }) {
			continue // it is known as what it is
		}
		for _, r := range alike[bare.ID()] {
			here, err := present(t.Settings)
			if err != nil {
				return nil, nil, err
			}
			differ, err := here.Differences(r, t.Settings)
			switch {
			case err != nil:
				return nil, nil, err
			case len(differ) > 0:
				foreign = append(foreign, Foreign{r, differ})
			case r.ID != bare.ID():
			case r.Signature != "": // it has begun, so its data are known
				adopt(&adopted[i], r)
				held = append(held, r.Studies...)
			default:
				waiting[i] = r
			}
		}
	}
	// A run that has not begun goes with the others of its study.
	for i, r := range waiting {
		if slices.ContainsFunc(r.Studies, func(study string) bool { return slices.Contains(held, study) }) {
			adopt(&adopted[i], r)
		}
	}
	return adopted, foreign, nil
}

// adopt makes a trial the one that a run made before data were part of the
// identity is of.
func adopt(t *experiments.Trial, r store.Run) {
	t.ID, t.Settings.Data.Content = r.ID, experiments.Content{}
}

// Differences lists how a run's data differ from those at hand, the run's side
// first; s are its settings. What the run did not record of its data is not a
// difference.
func (here Present) Differences(r store.Run, s experiments.Settings) ([]string, error) {
	if differ := ContentOf(r).Differences(here.Content); len(differ) > 0 {
		return differ, nil
	}
	for field := range strings.FieldsSeq(r.Signature) {
		if strings.HasPrefix(field, "data=") && field != here.Data {
			return []string{fmt.Sprintf("captions and splits %s against %s",
				strings.TrimPrefix(field, "data="), strings.TrimPrefix(here.Data, "data="))}, nil
		}
	}
	hashes := r.Hashes()
	if hashes["pictures"] != "" || hashes["features"] == "" || hashes["encoder_weights"] == "" || here.Features == nil {
		return nil, nil
	}
	features, err := here.Features(s, hashes["encoder_weights"])
	if err != nil || features == "" || features == hashes["features"] {
		return nil, err
	}
	return []string{featureDifference(hashes["features"], features)}, nil
}

// Describe says in a sentence what the foreign runs are, and what to do. It is
// empty where there are none.
func Describe(foreign []Foreign, path string) string {
	if len(foreign) == 0 {
		return ""
	}
	first := foreign[0]
	where := "run " + first.Run.ID
	if first.Run.Study != "" {
		where += " of study " + first.Run.Study
	}
	more := ""
	if n := len(foreign) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s has the same settings on other data (%s%s): %s (there against here); those results are not used. "+
		"Point --data at that data set, or keep the new results apart: use another --db, or name the study with --set study=NAME",
		path, where, more, strings.Join(first.Differences, "; "))
}
