package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// otherwise is the advice for a study that differs between the databases.
const otherwise = "use another database, or rename one of the studies"

// contentHashes name what a data set holds, as settings and environments have it.
var contentHashes = []string{"captions", "splits", "pictures"}

// otherData returns which hash of their data differs between two runs; "" if none that both have
// does.
func otherData(ours, theirs Run) string {
	here, there := ours.Hashes(), theirs.Hashes()
	for _, name := range append([]string{"data"}, contentHashes...) {
		if a, b := here[name], there[name]; a != "" && b != "" && a != b {
			return differing(name, a, b)
		}
	}
	return ""
}

func differing(name, here, there string) string {
	return fmt.Sprintf("%s %.8s here, %.8s there", name, here, there)
}

// studyData is what is known about the data of a study's runs: data settings without their
// content → name of a hash → the hashes.
type studyData map[string]map[string]map[string]bool

// add adds what a run records about its data: the content it was planned for and, if it is
// completed, the content it recorded and the field "data" of its signature.
func (s studyData) add(run Run) {
	settings, content := dataSettings(run)
	if settings == nil {
		return
	}
	key, _ := json.Marshal(settings) // what was JSON is JSON; keys are sorted
	put := func(name, hash string) {
		if hash == "" {
			return
		}
		if s[string(key)] == nil {
			s[string(key)] = map[string]map[string]bool{}
		}
		if s[string(key)][name] == nil {
			s[string(key)][name] = map[string]bool{}
		}
		s[string(key)][name][hash] = true
	}
	for name, hash := range content {
		text, _ := hash.(string)
		put(name, text)
	}
	if run.State != Completed {
		return
	}
	recorded := run.Hashes()
	for _, name := range contentHashes {
		put(name, recorded[name])
	}
	for _, field := range strings.Fields(run.Signature) {
		if value, found := strings.CutPrefix(field, "data="); found {
			put("data", value[strings.LastIndexByte(value, '@')+1:])
		}
	}
}

// dataSettings returns a run's data settings and, separately, the content it was planned for; nil
// if there are none.
func dataSettings(run Run) (settings, content map[string]any) {
	var all struct {
		Data map[string]any `json:"data"`
	}
	if json.Unmarshal(run.Settings, &all) != nil || all.Data == nil {
		return nil, nil
	}
	content, _ = all.Data["content"].(map[string]any)
	delete(all.Data, "content")
	delete(all.Data, "root")
	return all.Data, content
}

// conflict returns which hash there is unknown here; "" if none is.
func (s studyData) conflict(there studyData) string {
	for _, key := range slices.Sorted(maps.Keys(there)) {
		for _, name := range slices.Sorted(maps.Keys(there[key])) {
			here := s[key][name]
			if len(here) == 0 {
				continue
			}
			for _, hash := range slices.Sorted(maps.Keys(there[key][name])) {
				if !here[hash] {
					return differing(name, slices.Min(slices.Collect(maps.Keys(here))), hash)
				}
			}
		}
	}
	return ""
}

// holds reports whether every hash there is known here.
func (s studyData) holds(there studyData) bool {
	for key, names := range there {
		for name, hashes := range names {
			for hash := range hashes {
				if !s[key][name][hash] {
					return false
				}
			}
		}
	}
	return true
}

// queryStudyData returns the data of a study's runs; more is appended to the query to select
// some.
func queryStudyData(ctx context.Context, tx *sql.Tx, study, more string) (studyData, error) {
	runs, err := queryRuns(ctx, tx, "FROM runs r JOIN study_runs m ON m.run = r.id WHERE m.study = ?"+more, study)
	known := studyData{}
	for _, run := range runs {
		known.add(run)
	}
	return known, err
}

// foreignData returns why a run there must not replace the one planned here: a study that holds
// it here has results on other data. Usually one completed run of the study settles it; all runs
// are read only if it does not, which keeps merging thousands of runs fast.
func foreignData(ctx context.Context, tx *sql.Tx, ours, theirs Run) (string, error) {
	there := studyData{}
	there.add(theirs)
	for _, study := range ours.Studies {
		here, err := queryStudyData(ctx, tx, study, " AND r.state = 'completed' LIMIT 1")
		if err != nil {
			return "", err
		}
		if here.add(ours); here.holds(there) {
			continue
		}
		if here, err = queryStudyData(ctx, tx, study, ""); err != nil {
			return "", err
		}
		if hash := here.conflict(there); hash != "" {
			return fmt.Sprintf("study %s plans it here on different data than it was trained on there: %s", study, hash), nil
		}
	}
	return "", nil
}

// otherStudies returns the studies of both databases that differ: the reason, by name.
func otherStudies(ctx context.Context, from, to *sql.Tx) (map[string]string, error) {
	theirs, err := queryStudies(ctx, from)
	if err != nil {
		return nil, err
	}
	ours, err := queryStudies(ctx, to)
	if err != nil {
		return nil, err
	}
	others := map[string]string{}
	for _, there := range theirs {
		i := slices.IndexFunc(ours, func(here Study) bool { return here.Name == there.Name })
		if i < 0 {
			continue
		}
		reason, err := compareStudies(ctx, from, to, ours[i], there)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			others[there.Name] = reason
		}
	}
	return others, nil
}

// compareStudies returns how a study differs between the databases; "" if it does not.
func compareStudies(ctx context.Context, from, to *sql.Tx, here, there Study) (string, error) {
	dataHere, err := queryStudyData(ctx, to, here.Name, "")
	if err != nil {
		return "", err
	}
	dataThere, err := queryStudyData(ctx, from, there.Name, "")
	if err != nil {
		return "", err
	}
	if hash := dataHere.conflict(dataThere); hash != "" {
		return "its data differ there: " + hash, nil
	}
	declaredHere, err := queryDeclarations(ctx, to, here.Name)
	if err != nil {
		return "", err
	}
	declaredThere, err := queryDeclarations(ctx, from, there.Name)
	if err != nil {
		return "", err
	}
	switch bothDeclare := len(declaredHere) > 0 && len(declaredThere) > 0; {
	case bothDeclare && declaredHere[0].SHA256 != declaredThere[0].SHA256:
		return "its declaration differs there: " + differing("sha256", declaredHere[0].SHA256, declaredThere[0].SHA256), nil
	case !bothDeclare && !sameJSON(here.Compare, there.Compare):
		return "its comparison differs there", nil
	}
	return "", nil
}

// takeDeclarations appends the declarations that a study has there and lacks here, and returns a
// description of what it added.
func takeDeclarations(ctx context.Context, from, to *sql.Tx, study string) (detail string, err error) {
	here, err := queryDeclarations(ctx, to, study)
	if err != nil {
		return "", err
	}
	there, err := queryDeclarations(ctx, from, study)
	if err != nil {
		return "", err
	}
	next, taken := 0, 0
	if len(here) > 0 {
		next = here[len(here)-1].Number + 1
	}
	for _, d := range there {
		i := slices.IndexFunc(here, func(known Declaration) bool { return known.SHA256 == d.SHA256 })
		if i < 0 {
			d.Number = next
			next++
			taken++
		} else {
			d = sameDeclaration(here[i], d)
		}
		if err := putDeclaration(ctx, to, d); err != nil {
			return "", err
		}
	}
	switch {
	case taken == 0:
		return "", nil
	case len(here) == 0:
		return "its declaration there was added", nil
	case taken == 1:
		return "an amendment of its declaration was added", nil
	}
	return fmt.Sprintf("%d amendments of its declaration were added", taken), nil
}

// sameDeclaration merges a declaration that both have: the one made first, frozen as of the
// earlier result, with the larger number of known results, so that no declaration looks earlier
// than it was.
func sameDeclaration(here, there Declaration) Declaration {
	one := here
	if there.Declared.Before(here.Declared) {
		one = there
		one.Number = here.Number
	}
	one.Known = max(here.Known, there.Known)
	one.Frozen = here.Frozen
	if !there.Frozen.IsZero() && (one.Frozen.IsZero() || there.Frozen.Before(one.Frozen)) {
		one.Frozen = there.Frozen
	}
	return one
}
