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

// otherwise is what to do about a study that is another one in each database.
const otherwise = "use another database, or give one of the studies another name"

// contentHashes name what a data set holds, as settings and environments have it.
var contentHashes = []string{"captions", "splits", "pictures"}

// otherData says which hash of their data differs between two runs, "" where
// none does that is known of both.
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

// studyData is what is known of the data of a study's runs: settings of data without
// their content → name of a hash → the hashes.
type studyData map[string]map[string]map[string]bool

// add notes what a run says of its data: the content that it was planned for and,
// of a completed one, the content and the field data of its signature that it recorded.
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

// dataSettings are a run's settings of its data and, apart from them, the content
// that it was planned for; nil where there is none.
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

// conflict says which hash there is not one of those here, "" where none is.
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

// holds tells whether every hash there is one of those here.
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

// queryStudyData gives the data of those runs of a study that more of a condition choose.
func queryStudyData(ctx context.Context, tx *sql.Tx, study, more string) (studyData, error) {
	runs, err := queryRuns(ctx, tx, "FROM runs r JOIN study_runs m ON m.run = r.id WHERE m.study = ?"+more, study)
	known := studyData{}
	for _, run := range runs {
		known.add(run)
	}
	return known, err
}

// foreignData says why a run there may not take the place of the one that is planned
// here: a study that holds it here has results on other data. One completed run of the study
// knows, as a rule, all that is to be known: only where it does not are all of them read, so that
// the cost of thousands of runs is in proportion.
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
			return fmt.Sprintf("it is planned here for study %s, but was made on other data there: %s", study, hash), nil
		}
	}
	return "", nil
}

// otherStudies finds the studies that are in both databases and are not the same
// study: why, by name.
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

// compareStudies says why a study there is not the one here; "" where it is.
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
		return "it declares something else there: " + differing("sha256", declaredHere[0].SHA256, declaredThere[0].SHA256), nil
	case !bothDeclare && !sameJSON(here.Compare, there.Compare):
		return "it declares another comparison there", nil
	}
	return "", nil
}

// takeDeclarations adds what a study declared there and not here, behind what it
// declared here, and says so.
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

// sameDeclaration makes one of a declaration that both have: the one that was made first,
// frozen as of the earlier result. Of what was known the larger number counts, so that a
// merge makes no declaration look earlier than it was.
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
