package exports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"
	"unicode"

	"glimpse/internal/secret"
	"glimpse/internal/store"
)

// The tags by which an exported run is known again.
const (
	runTag     = "glimpse.run"
	contentTag = "glimpse.sha256" // of all that was exported; set last
)

// Sent says what an export to MLflow did.
type Sent struct {
	Runs    int `json:"runs"`
	Written int `json:"written"` // new, or changed since the last export
	Same    int `json:"same"`    // there already, as they are
}

// MLflow hands runs over to a tracking server (an http or https URL) or to a
// folder in the layout of MLflow's file store. A study is an experiment, and a
// run a run with parameters, tags, metrics and its captions as artifacts. What
// is there already stays as it is; a run that has changed since is replaced.
//
// $MLFLOW_TRACKING_USERNAME and _PASSWORD, or $MLFLOW_TRACKING_TOKEN, are the
// server's, as for MLflow itself. No error holds them, nor those of the URL.
func MLflow(ctx context.Context, db *store.DB, runs []Run, to string) (Sent, error) {
	var target interface {
		// put stores a run unless it is there with the same content.
		put(ctx context.Context, r *mlRun) (written bool, err error)
	}
	shown := secret.URL(to)
	if u, err := url.Parse(to); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		target = newServer(u)
	} else if dir, ok := localDir(to); ok {
		target = &fileStore{dir: dir}
	} else {
		return Sent{}, fmt.Errorf("MLflow at %s: expected http://HOST:PORT, https://HOST, or a folder", shown)
	}
	sent := Sent{}
	for i := range runs {
		r, err := newMLRun(ctx, db, &runs[i])
		if err != nil {
			return sent, err
		}
		written, err := target.put(ctx, r)
		if err != nil {
			return sent, fmt.Errorf("MLflow at %s: run %s of %s (%d of %d runs exported): %w", shown, runs[i].ID, runs[i].Study, sent.Runs, len(runs), err)
		}
		sent.Runs++
		if written {
			sent.Written++
		} else {
			sent.Same++
		}
	}
	return sent, nil
}

func localDir(to string) (string, bool) {
	if path, ok := strings.CutPrefix(to, "file://"); ok {
		return path, path != ""
	}
	return to, to != "" && !strings.Contains(to, "://")
}

// mlRun is a run in MLflow's terms.
type mlRun struct {
	Experiment  string
	Name        string
	Status      string // RUNNING, FINISHED, FAILED, KILLED
	Start, End  int64  // milliseconds; End is 0 while it runs
	Params      []mlPair
	Tags        []mlPair
	Metrics     []mlMetric
	Artifacts   []artifact
	fingerprint string
}

type mlPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type mlMetric struct {
	Key       string   `json:"key"`
	Value     mlNumber `json:"value"`
	Timestamp int64    `json:"timestamp"` // milliseconds
	Step      int      `json:"step"`
}

type artifact struct {
	Path string // below the run's artifacts
	Text []byte
}

// mlNumber is a number in MLflow's JSON, which is that of protocol buffers.
type mlNumber float64

func (n mlNumber) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(v)
	}
}

func newMLRun(ctx context.Context, db *store.DB, r *Run) (*mlRun, error) {
	m := &mlRun{
		Experiment: r.Study, Name: r.name(), Start: millis(r.Started), End: millis(r.Finished),
		Status: map[string]string{store.Completed: "FINISHED", store.Failed: "FAILED", store.Pruned: "FINISHED", store.Interrupted: "KILLED"}[r.State],
	}
	if m.Status == "" {
		m.Status, m.End = "RUNNING", 0
	}
	settings := r.settings()
	settings["arm"] = r.Arm
	params := make(map[string]string, len(settings))
	for path, value := range settings {
		params[tagName(path)] = value
	}
	m.Params = pairs(params)
	tags := map[string]string{
		runTag: r.ID, "glimpse.study": r.Study, "glimpse.state": r.State, "glimpse.signature": r.Signature, "glimpse.parameters": fmt.Sprint(r.Parameters),
		"glimpse.captions_sha256": r.CaptionsSHA256, "glimpse.weights_sha256": r.WeightsSHA256, "glimpse.error": r.Error,
		"glimpse.tags": strings.Join(r.Tags, " "), "mlflow.note.content": strings.Join(r.Notes, "\n"), // which MLflow shows as the description
	}
	for path, v := range store.Flatten(r.Environment) {
		if path != "changes.diff" && !strings.HasPrefix(path, "changes.files.") { // their hash says whether they are the same
			tags["glimpse.environment."+tagName(path)] = fmt.Sprint(v)
		}
	}
	for key, value := range tags {
		tags[key] = secret.Redact(value)
	}
	m.Tags = pairs(tags)
	for _, p := range r.points() {
		kind, key, _ := strings.Cut(p.name, "/")
		m.Metrics = append(m.Metrics, mlMetric{kind + "/" + tagName(key), mlNumber(p.value), millis(p.at), p.step})
	}
	for _, split := range splits {
		text, err := cocoResults(ctx, db, r.ID, split)
		if err != nil {
			return nil, err
		}
		if text != nil {
			m.Artifacts = append(m.Artifacts, artifact{"captions/" + split + ".json", text})
		}
	}
	all, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(all)
	m.fingerprint = hex.EncodeToString(sum[:])
	return m, nil
}

// tagName keeps of a name what a tag's may hold. The file store makes a file of it, and the name may be another's.
func tagName(text string) string {
	name := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("_-. ", c) {
			return c
		}
		return '_'
	}, text)
	if strings.Trim(name, ".") == "" {
		return "_"
	}
	return name
}

func millis(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// longestValue is what every version of MLflow takes as a parameter or a tag.
const longestValue = 500

// pairs gives what is not empty, by key.
func pairs(values map[string]string) []mlPair {
	out := []mlPair{}
	for _, key := range keysOf(func(yield func(map[string]string)) { yield(values) }) {
		value := values[key]
		if runes := []rune(value); len(runes) > longestValue {
			value = string(runes[:longestValue-1]) + "…"
		}
		if value != "" {
			out = append(out, mlPair{key, value})
		}
	}
	return out
}
