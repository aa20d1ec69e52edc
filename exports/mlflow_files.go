package exports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"glimpse/internal/atomicfile"
)

// fileStore is a folder in the layout of MLflow's file store:
//
//	EXPERIMENT/meta.yaml
//	EXPERIMENT/RUN/meta.yaml
//	EXPERIMENT/RUN/params/KEY    the value
//	EXPERIMENT/RUN/tags/KEY      the value
//	EXPERIMENT/RUN/metrics/KEY   lines of milliseconds, value, step
//	EXPERIMENT/RUN/artifacts/…
//
// Ids are made from names, so that a second export finds what the first one wrote.
type fileStore struct{ dir string }

// runStatus numbers the states of a run in meta.yaml.
var runStatus = map[string]int{"RUNNING": 1, "FINISHED": 3, "FAILED": 4, "KILLED": 5}

func (s *fileStore) put(_ context.Context, r *mlRun) (bool, error) {
	experiment, err := s.experiment(r)
	if err != nil {
		return false, err
	}
	id := digest("run", r.Experiment, tagOf(r.Tags, runTag))[:32]
	folder := filepath.Join(experiment, id)
	switch old, err := os.ReadFile(filepath.Join(folder, "tags", contentTag)); {
	case err == nil && string(old) == r.fingerprint:
		return false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	if err := os.RemoveAll(folder); err != nil {
		return false, err
	}
	return true, atomicfile.Create(folder, func(temporary string) error { return r.write(temporary, folder, filepath.Base(experiment), id) })
}

// experiment gives the folder of a run's experiment, found by its name or made.
func (s *fileStore) experiment(r *mlRun) (string, error) {
	all, err := filepath.Glob(filepath.Join(s.dir, "*", "meta.yaml"))
	if err != nil {
		return "", err
	}
	for _, path := range all {
		var meta struct {
			Name  string `yaml:"name"`
			Stage string `yaml:"lifecycle_stage"`
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = yaml.Unmarshal(text, &meta)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		if meta.Name == r.Experiment && meta.Stage == "active" {
			return filepath.Dir(path), nil
		}
	}
	number, _ := new(big.Int).SetString(digest("experiment", r.Experiment)[:14], 16)
	id := fmt.Sprintf("%018d", number)
	folder := filepath.Join(s.dir, id)
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return "", err
	}
	return folder, atomicfile.Create(folder, func(temporary string) error {
		if err := os.Mkdir(temporary, 0o777); err != nil {
			return err
		}
		return writeYAML(filepath.Join(temporary, "meta.yaml"), map[string]any{
			"artifact_location": fileURL(folder), "creation_time": r.Start, "experiment_id": id, "last_update_time": r.Start,
			"lifecycle_stage": "active", "name": r.Experiment,
		})
	})
}

// write makes the folder of a run, which is to stand at place.
func (r *mlRun) write(folder, place, experiment, id string) error {
	files := map[string]string{"tags/mlflow.runName": r.Name, "tags/" + contentTag: r.fingerprint}
	for _, p := range r.Params {
		files["params/"+p.Key] = p.Value
	}
	for _, t := range r.Tags {
		files["tags/"+t.Key] = t.Value
	}
	for _, m := range r.Metrics {
		files["metrics/"+m.Key] += fmt.Sprintf("%d %s %d\n", m.Timestamp, strconv.FormatFloat(float64(m.Value), 'g', -1, 64), m.Step)
	}
	for _, a := range r.Artifacts {
		files["artifacts/"+a.Path] = string(a.Text)
	}
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return err
		}
	}
	var end any
	if r.End != 0 {
		end = r.End
	}
	return writeYAML(filepath.Join(folder, "meta.yaml"), map[string]any{
		"artifact_uri": fileURL(filepath.Join(place, "artifacts")), "start_time": r.Start, "end_time": end, "entry_point_name": "",
		"experiment_id": experiment, "lifecycle_stage": "active", "run_id": id, "run_uuid": id, "run_name": r.Name, "source_name": "",
		"source_type": 4, "source_version": "", "status": runStatus[r.Status], "tags": []string{}, "user_id": "",
	})
}

func writeYAML(path string, content map[string]any) error {
	text, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o666)
}

func fileURL(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return "file://" + filepath.ToSlash(path)
}

// digest makes an id from names.
func digest(names ...string) string {
	sum := sha256.Sum256([]byte("glimpse\x00" + strings.Join(names, "\x00")))
	return hex.EncodeToString(sum[:])
}
