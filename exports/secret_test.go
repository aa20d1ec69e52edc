package exports

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The password of a tracking server is in no error and in nothing that an export says, whatever is wrong with the
// address, the server or what it answers.
func TestPasswordOfServerIsNotShown(t *testing.T) {
	db, runs := fixture(t)
	const password = "hunter2-pass"
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), "Bearer ")
		_, pass, _ := r.BasicAuth()
		_ = json.NewEncoder(w).Encode(map[string]string{"error_code": "NO", "message": "not with " + pass + token})
	}))
	defer echo.Close()
	host := strings.TrimPrefix(echo.URL, "http://")
	shown := func(to string) {
		t.Helper()
		done, err := Write(t.Context(), db, runs, Targets{MLflow: to})
		if err == nil || strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "MLflow at ") {
			t.Errorf("%s: %+v, %v", to, done, err)
		}
	}
	for _, to := range []string{
		"http://me:" + password + "@" + host, "http://" + password + "@127.0.0.1:1", "http://me:" + password + "@" + host + ":port",
		"http://me:" + password + "/x@" + host, "http://me: " + password + "@" + host, "ftp://me:" + password + "@" + host,
	} {
		shown(to)
	}
	t.Setenv("MLFLOW_TRACKING_TOKEN", password)
	shown(echo.URL)
	t.Setenv("MLFLOW_TRACKING_USERNAME", "me")
	t.Setenv("MLFLOW_TRACKING_PASSWORD", password)
	shown(echo.URL)

	s := &mlServer{runs: map[string]*mlServed{}}
	web := httptest.NewServer(s)
	defer web.Close()
	done, err := Write(t.Context(), db, runs, Targets{MLflow: strings.Replace(web.URL, "http://", "http://me:secret@", 1) + "/prefix"})
	if err != nil || done[0].To != web.URL+"/prefix" {
		t.Errorf("%+v, %v", done, err)
	}
}

// Of what a run differed in, and of what looks like a secret, an export hands nothing on.
func TestExportsHoldNoSecrets(t *testing.T) {
	db, runs := fixture(t)
	runs[0].Environment = json.RawMessage(`{"host":"h","command":"glimpse run x --data http://me:hunter2-pass@h",
		"changes":{"sha256":"00ff","diff":"+x=hunter2-pass","files":{"../../../../../odd":"hunter2-pass"}},"../../../../../../../odd":"h"}`)
	runs[0].Metrics["val"]["../../../../../../odd"] = 1
	runs[0].Settings = json.RawMessage(`{"model":{"hidden":96},"../../../../../odd":"x"}`)
	runs[1].Error = "last lines of log.txt:\nDB_PASSWORD=hunter2-pass"
	dir := t.TempDir()
	_, err := Write(t.Context(), db, runs, Targets{MLflow: filepath.Join(dir, "a", "b"), CSV: filepath.Join(dir, "csv"), JSONL: filepath.Join(dir, "jsonl"),
		COCO: filepath.Join(dir, "coco"), TensorBoard: filepath.Join(dir, "events")})
	if err != nil {
		t.Fatal(err)
	}
	hashes := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "hunter2-pass") {
			t.Errorf("%s: %s", path, text)
		}
		if strings.HasSuffix(path, "environment.changes.sha256") {
			hashes++
		}
		if name, _ := filepath.Rel(dir, path); strings.Contains(name, "odd") && !strings.HasPrefix(name, "a/b/") {
			t.Errorf("a key of the environment leads to %s", path)
		}
		return err
	})
	if err != nil || hashes != 1 {
		t.Errorf("%v, %d hashes of differences", err, hashes)
	}
}
