package experiments

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// ID returns the trial's identity: the first 12 hex digits of the SHA-256 of the settings as JSON
// with sorted keys, without data.root. It does not depend on the order, comments, spelling and
// omitted defaults of a study file.
func (s Settings) ID() string {
	sum := sha256.Sum256(s.canonical())
	return hex.EncodeToString(sum[:])[:12]
}

// canonical returns the JSON that ID hashes. Numbers have the text of Go's shortest formatting.
func (s Settings) canonical() []byte {
	text, err := json.Marshal(s)
	if err != nil { // a number that is not finite, which Check rejects
		return []byte(err.Error())
	}
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return text
	}
	if folder, ok := tree["data"].(map[string]any); ok {
		delete(folder, "root")
	}
	if encoder, ok := tree["encoder"].(map[string]any); ok && encoder["content"] != nil { // otherwise the path identifies the content
		delete(encoder, "path")
		delete(encoder, "names")
	}
	sorted, err := json.Marshal(tree) // maps are written with sorted keys
	if err != nil {
		return text
	}
	return sorted
}

// Plan lists the trials of the study, equal ones once, in the order in which to run them: all
// arms with the first seed, then all with the second, so that a stopped study has equally many
// seeds of each arm. If the study was modified after Load, it returns the error that Load would.
func (s *Study) Plan() ([]Trial, error) {
	found := &problems{}
	trials, _ := s.expand(found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return trials, nil
}

// checkTrials checks each trial of the sweep.
func (s *Study) checkTrials(found *problems) {
	if trials, _ := s.expand(found); len(found.list) == 0 && s.Compare.Compares() {
		s.checkContrasts(trials, found)
	}
}

// expand returns the trials, and how many points of the sweep were equal to an earlier one.
func (s *Study) expand(found *problems) (trials []Trial, equal int) {
	seen := map[string]int{} // id → index in trials
	var named []string
	if len(s.Compare.Named) > 0 {
		named = s.Compare.ArmPaths()
	}
	for _, p := range s.points() {
		t, err := s.trial(p, named)
		if err != nil {
			wrong := s.at("data").wrong("cannot identify the content of the data: %v", err)
			wrong.Err = err
			found.report(wrong)
			break
		}
		for _, f := range t.Settings.faults() {
			found.add(s.place(f, t.Arm), "%s", f.msg)
		}
		first, known := seen[t.ID]
		switch {
		case !known:
			seen[t.ID] = len(trials)
			trials = append(trials, t)
		case s.Compare.Compares() && trials[first].Arm != t.Arm:
			found.add(s.at("compare.arms"), "arms %s and %s are the same trial: %s makes no difference there",
				trials[first].Arm, t.Arm, cmp.Or(s.Compare.Arms, "what they set"))
		default:
			equal++
		}
	}
	rank := s.seedRanks()
	slices.SortStableFunc(trials, func(a, b Trial) int { return cmp.Compare(rank[a.Settings.Seed], rank[b.Settings.Seed]) })
	return trials, equal
}

// trial returns the trial of a point; named are the paths that named arms set. An error is from
// reading its data.
func (s *Study) trial(p point, named []string) (Trial, error) {
	whole := Study{Settings: s.Settings}
	swept := map[string]string{}
	for path, text := range p {
		if path == armKey {
			continue
		}
		whole.set(path, text)
		if path != "seed" {
			swept[path] = text
		}
	}
	whole.settle()
	for _, path := range named { // including those that only other arms set
		if _, set := swept[path]; !set {
			swept[path] = whole.get(path)
		}
	}
	t := Trial{Arm: s.armOf(p), Settings: whole.Settings, Swept: swept}
	if s.counts != nil {
		kin := t.Settings.kin()
		t.Parameters = s.counts[kin]
		if width, widened := s.widths[kin]; widened {
			t.Settings.Model.Hidden = width
		}
	}
	var err error
	t.Settings.Data.Content, err = s.content(t.Settings.Data)
	if err == nil {
		t.Settings.Encoder.Content, err = s.featureContent(t.Settings)
	}
	t.ID = t.Settings.ID()
	return t, err
}

// armOf returns the name of a point's arm: its name or the value of compare.arms, else all swept
// values except the seed, else the study's name.
func (s *Study) armOf(p point) string {
	if name, named := p[armKey]; named {
		return name
	}
	if s.Compare.Arms != "" {
		return p[s.Compare.Arms]
	}
	var parts []string
	for _, path := range slices.Sorted(maps.Keys(p)) { // whatever their order in the file
		if path != "seed" {
			parts = append(parts, path+"="+p[path])
		}
	}
	if len(parts) == 0 {
		return s.Name
	}
	return strings.Join(parts, " ")
}

// kin identifies settings, ignoring their seed and the content of their data. Feature files are
// identified by their path.
func (s Settings) kin() string {
	bare := s.Bare()
	bare.Seed, bare.Encoder = 0, s.Encoder
	bare.Encoder.Content = FeatureContent{}
	return bare.ID()
}
