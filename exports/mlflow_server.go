package exports

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"glimpse/internal/secret"
)

// server is an MLflow tracking server, by its REST API 2.0, which MLflow 2 and 3 share.
type server struct {
	url         string // without the last slash
	user, pass  string
	token       string
	client      *http.Client
	experiments map[string]string // name → id
}

func newServer(u *url.URL) *server {
	s := &server{
		client: &http.Client{Timeout: time.Minute}, experiments: map[string]string{},
		user: os.Getenv("MLFLOW_TRACKING_USERNAME"), pass: os.Getenv("MLFLOW_TRACKING_PASSWORD"), token: os.Getenv("MLFLOW_TRACKING_TOKEN"),
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.pass, _ = u.User.Password()
	}
	bare := *u
	bare.User = nil
	s.url = strings.TrimRight(bare.String(), "/")
	return s
}

// refusal is what the server says is wrong.
type refusal struct {
	status  int
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// hidden is an error whose text had the server's password taken out of it.
type hidden struct {
	error
	text string
}

func (e *hidden) Error() string { return e.text }
func (e *hidden) Unwrap() error { return e.error }

// hide takes what opens the server out of an error's text: a server, or a proxy, may say it back.
func (s *server) hide(err error) error {
	if err == nil {
		return nil
	}
	if text := secret.Redact(secret.Values(err.Error(), s.pass, s.token)); text != err.Error() {
		return &hidden{err, text}
	}
	return err
}

func (r *refusal) Error() string {
	if r.Message == "" {
		return fmt.Sprintf("the server answered %d %s: is it an MLflow server?", r.status, http.StatusText(r.status))
	}
	return fmt.Sprintf("the server answered %d: %s", r.status, strings.TrimSpace(r.Message))
}

// call sends a request and reads the answer into out.
func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return s.send(ctx, method, "/api/2.0/mlflow/"+path, body, out)
}

func (s *server) send(ctx context.Context, method, path string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	switch {
	case s.user != "":
		request.SetBasicAuth(s.user, s.pass)
	case s.token != "":
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		r := &refusal{status: response.StatusCode}
		_ = json.Unmarshal(text, r) // without a message, the status says what there is to say
		return r
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s: not an answer of MLflow: %w", path, err)
	}
	return nil
}

// experiment gives the id of an experiment, which it makes if there is none.
func (s *server) experiment(ctx context.Context, name string) (string, error) {
	if id := s.experiments[name]; id != "" {
		return id, nil
	}
	var found struct {
		Experiment struct {
			ID    string `json:"experiment_id"`
			Stage string `json:"lifecycle_stage"`
		} `json:"experiment"`
	}
	err := s.call(ctx, http.MethodGet, "experiments/get-by-name?experiment_name="+url.QueryEscape(name), nil, &found)
	var no *refusal
	switch {
	case errors.As(err, &no) && no.Code == "RESOURCE_DOES_NOT_EXIST":
		var made struct {
			ID string `json:"experiment_id"`
		}
		err = s.call(ctx, http.MethodPost, "experiments/create", map[string]any{"name": name}, &made)
		found.Experiment.ID = made.ID
	case err == nil && found.Experiment.Stage == "deleted":
		err = fmt.Errorf("experiment %s is deleted: restore it, or delete it permanently", name)
	}
	s.experiments[name] = found.Experiment.ID
	return found.Experiment.ID, err
}

// batch is how much of each kind one request holds; all of them are at most 1,000.
const (
	metricBatch = 800
	pairBatch   = 100
)

func (s *server) put(ctx context.Context, r *mlRun) (written bool, err error) {
	written, err = s.replace(ctx, r)
	return written, s.hide(err)
}

// replace is put, but for what its errors say.
func (s *server) replace(ctx context.Context, r *mlRun) (bool, error) {
	experiment, err := s.experiment(ctx, r.Experiment)
	if err != nil {
		return false, err
	}
	same, err := s.clear(ctx, experiment, r)
	if err != nil || same {
		return false, err
	}
	var made struct {
		Run struct {
			Info struct {
				ID        string `json:"run_id"`
				Artifacts string `json:"artifact_uri"`
			} `json:"info"`
		} `json:"run"`
	}
	err = s.call(ctx, http.MethodPost, "runs/create", map[string]any{"experiment_id": experiment, "run_name": r.Name, "start_time": r.Start}, &made)
	if err != nil {
		return false, err
	}
	id := made.Run.Info.ID
	for params, tags, metrics := r.Params, r.Tags, r.Metrics; len(params)+len(tags)+len(metrics) > 0; {
		err := s.call(ctx, http.MethodPost, "runs/log-batch", map[string]any{
			"run_id": id, "params": take(&params, pairBatch), "tags": take(&tags, pairBatch), "metrics": take(&metrics, metricBatch),
		}, nil)
		if err != nil {
			return false, err
		}
	}
	// Where the server keeps artifacts elsewhere, that place has keys of its own.
	if root, ok := strings.CutPrefix(made.Run.Info.Artifacts, "mlflow-artifacts:/"); ok {
		for _, a := range r.Artifacts {
			path := "/api/2.0/mlflow-artifacts/artifacts/" + strings.Trim(root, "/") + "/" + a.Path
			if err := s.send(ctx, http.MethodPut, path, a.Text, nil); err != nil {
				return false, fmt.Errorf("artifact %s: %w", a.Path, err)
			}
		}
	}
	end := map[string]any{"run_id": id, "status": r.Status}
	if r.End != 0 {
		end["end_time"] = r.End
	}
	if err := s.call(ctx, http.MethodPost, "runs/update", end, nil); err != nil {
		return false, err
	}
	return true, s.call(ctx, http.MethodPost, "runs/set-tag", map[string]any{"run_id": id, "key": contentTag, "value": r.fingerprint}, nil)
}

// clear removes what an earlier export left of a run, unless it is the same.
func (s *server) clear(ctx context.Context, experiment string, r *mlRun) (same bool, err error) {
	var found struct {
		Runs []struct {
			Info struct {
				ID string `json:"run_id"`
			} `json:"info"`
			Data struct {
				Tags []mlPair `json:"tags"`
			} `json:"data"`
		} `json:"runs"`
	}
	query := map[string]any{"experiment_ids": []string{experiment}, "max_results": 100, "filter": fmt.Sprintf("tags.`%s` = '%s'", runTag, tagOf(r.Tags, runTag))}
	if err := s.call(ctx, http.MethodPost, "runs/search", query, &found); err != nil {
		return false, err
	}
	for _, old := range found.Runs {
		if !same && tagOf(old.Data.Tags, contentTag) == r.fingerprint {
			same = true
			continue
		}
		if err := s.call(ctx, http.MethodPost, "runs/delete", map[string]any{"run_id": old.Info.ID}, nil); err != nil {
			return false, err
		}
	}
	return same, nil
}

func tagOf(tags []mlPair, key string) string {
	for _, t := range tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// take cuts at most n from the front of a list.
func take[T any](list *[]T, n int) []T {
	n = min(n, len(*list))
	front := (*list)[:n]
	*list = (*list)[n:]
	return front
}
