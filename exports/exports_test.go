package exports

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"glimpse/internal/store"
	"glimpse/metrics"
)

// fixture is a database with a study of three runs: a completed one, whose second epoch diverged, a failed one, and one that
// was never begun.
func fixture(t *testing.T) (*store.DB, []Run) {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	settings := json.RawMessage(`{"seed":1,"data":{"root":""},"model":{"hidden":96,"attention":"none"}}`)
	planned := []store.Run{{ID: "a1", Arm: "none", Seed: 1, Settings: settings}, {ID: "b2", Arm: "soft", Seed: 1, Settings: settings},
		{ID: "c3", Arm: "soft", Seed: 2, Settings: settings}}
	if err := db.SaveStudy(ctx, store.Study{Name: "s"}, planned, store.Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := func(id string) store.Claim {
		run, err := db.Run(ctx, id)
		must(err)
		c, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1})
		must(err)
		return c
	}
	c := claim("a1")
	must(db.Start(ctx, c, store.Start{Parameters: 1234, Signature: "sig", Environment: json.RawMessage(`{"host":"h"}`)}))
	for i, loss := range []float64{2.5, math.NaN()} {
		must(db.SaveCheckpoint(ctx, c, store.Checkpoint{Progress: json.RawMessage(`{}`), Seconds: float64(i + 1), BestEpoch: 1,
			Epoch: &store.Epoch{Epoch: i + 1, Loss: loss, LR: 0.001, Seconds: 1, CaptionsPerSecond: 100, Val: map[string]float64{"cider": 0.25 + float64(i)/4}}}))
	}
	must(db.SaveCaptions(ctx, c, "test", []store.Caption{{Image: "1.jpg", Words: "a \"red\" cat", LogProb: -2}, {Image: "2.jpg", LogProb: -9}}))
	must(db.Complete(ctx, c, store.Result{BestEpoch: 1, Seconds: 3, CaptionsSHA256: "cc", WeightsSHA256: "ww", Environment: json.RawMessage(`{"host":"h"}`),
		Metrics: map[string]map[string]float64{"test": {"cider": 0.5, "bleu4": 0.125}, "val": {"cider": 0.25}},
		Scores:  map[string][]metrics.ImageScore{"test": {{ID: "1.jpg", Length: 3, CIDEr: 1}}}}))
	must(db.Fail(ctx, claim("b2"), "diverged", "the loss is not finite"))
	must(db.SaveNotes(ctx, []store.Note{{Run: "a1", Text: "odd captions"}, {Run: "a1", Tag: true, Text: "best"}, {Study: "s", Tag: true, Text: "paper"}}, nil))
	runs, err := Gather(ctx, db, []string{"s"})
	must(err)
	if len(runs) != 2 {
		t.Fatalf("%d runs were gathered, want 2", len(runs))
	}
	return db, runs
}

func TestTables(t *testing.T) {
	db, runs := fixture(t)
	dir := t.TempDir()
	for range 2 { // the second time replaces
		if err := CSV(t.Context(), db, runs, dir); err != nil {
			t.Fatal(err)
		}
		if err := JSONL(t.Context(), db, runs, dir); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []map[string]string {
		f, err := os.Open(filepath.Join(dir, name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var rows []map[string]string
		for _, line := range lines[1:] {
			row := map[string]string{}
			for i, column := range lines[0] {
				row[column] = line[i]
			}
			rows = append(rows, row)
		}
		return rows
	}
	all, epochs, captions := read("runs"), read("epochs"), read("captions")
	if len(all) != 2 || len(epochs) != 2 || len(captions) != 2 {
		t.Fatalf("%d runs, %d epochs, %d captions, want 2 of each", len(all), len(epochs), len(captions))
	}
	for _, c := range []struct{ got, want string }{
		{all[0]["run"], "a1"}, {all[0]["test.cider"], "0.5"}, {all[0]["model.hidden"], "96"}, {all[0]["parameters"], "1234"},
		{all[1]["test.cider"], ""}, {all[1]["error"], "the loss is not finite"}, {all[1]["state"], "failed"},
		{epochs[0]["loss"], "2.5"}, {epochs[0]["selected"], "true"}, {epochs[1]["loss"], "nan"}, {epochs[1]["val.cider"], "0.5"},
		{captions[0]["caption"], `a "red" cat`}, {captions[0]["length"], "3"}, {captions[1]["caption"], ""}, {captions[0]["split"], "test"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "epochs.jsonl"))
	if err != nil || !strings.Contains(string(text), `"loss":"nan"`) || strings.Count(string(text), "\n") != 2 {
		t.Errorf("epochs.jsonl: %v\n%s", err, text)
	}
}

func TestCOCO(t *testing.T) {
	db, runs := fixture(t)
	files, err := COCO(t.Context(), db, runs, t.TempDir())
	if err != nil || len(files) != 1 || !strings.HasSuffix(filepath.ToSlash(files[0]), "/s/a1.test.json") {
		t.Fatalf("%v, %v", files, err)
	}
	var results []map[string]string
	text, err := os.ReadFile(files[0])
	if err != nil || json.Unmarshal(text, &results) != nil || len(results) != 2 || results[0]["image_id"] != "1.jpg" || results[0]["caption"] != `a "red" cat` {
		t.Errorf("%v\n%s", err, text)
	}
}

// The scalars of an event file, read by the rules of the format. scripts/check_exports.py has TensorBoard read them.
func TestTensorBoard(t *testing.T) {
	_, runs := fixture(t)
	folders, err := TensorBoard(runs, t.TempDir())
	if err != nil || len(folders) != 2 || filepath.Base(folders[0]) != "none seed 1 a1" {
		t.Fatalf("%v, %v", folders, err)
	}
	file, err := os.ReadFile(filepath.Join(folders[0], "events.out.tfevents.0.glimpse"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	for n := 0; len(file) > 0; n++ {
		length := binary.LittleEndian.Uint64(file)
		data := file[12 : 12+length]
		if binary.LittleEndian.Uint32(file[8:]) != masked(file[:8]) || binary.LittleEndian.Uint32(file[12+length:]) != masked(data) {
			t.Fatalf("record %d: wrong checksum", n)
		}
		file = file[16+length:]
		summary := bytesOf(t, data, 5)
		if n == 0 && string(bytesOf(t, data, 3)) != "brain.Event:2" {
			t.Error("the file does not begin with its version")
		}
		if value := bytesOf(t, summary, 1); value != nil {
			if v := bytesOf(t, value, 2); v != nil {
				tag := string(bytesOf(t, value, 1))
				got[tag] = append(got[tag], math.Float32frombits(binary.LittleEndian.Uint32(v)))
			}
		}
	}
	if v := got["train/loss"]; len(v) != 2 || v[0] != 2.5 || v[1] == v[1] {
		t.Errorf("train/loss is %v", v)
	}
	if !slices.Equal(got["val/cider"], []float32{0.25, 0.5}) || !slices.Equal(got["test/cider"], []float32{0.5}) || !slices.Equal(got["best_val/cider"], []float32{0.25}) {
		t.Errorf("scores: %v", got)
	}
	// RFC 3720 B.4: the CRC-32C of 32 zeros is 0x8a9136aa.
	if sum := masked(make([]byte, 32)) - 0xa282ead8; sum>>17|sum<<15 != 0x8a9136aa {
		t.Errorf("the checksum of 32 zeros is %#x", sum>>17|sum<<15)
	}
}

// bytesOf gives a field of a message, nil if it has none.
func bytesOf(t *testing.T, message []byte, field protowire.Number) []byte {
	t.Helper()
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		message = message[n:]
		n = protowire.ConsumeFieldValue(number, kind, message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		if number == field && kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(message)
			return content
		}
		if number == field {
			return message[:n]
		}
		message = message[n:]
	}
	return nil
}

func TestMLflowFolder(t *testing.T) {
	db, runs := fixture(t)
	dir := t.TempDir()
	for i, want := range []Sent{{2, 2, 0}, {2, 0, 2}} {
		if sent, err := MLflow(t.Context(), db, runs, dir); err != nil || sent != want {
			t.Fatalf("export %d: %+v, %v; want %+v", i+1, sent, err, want)
		}
	}
	runs[1].Error = "something else"
	if sent, err := MLflow(t.Context(), db, runs, "file://"+dir); err != nil || sent != (Sent{2, 1, 1}) {
		t.Fatalf("after a change: %+v, %v", sent, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "*", "tags", runTag))
	if err != nil || len(found) != 2 {
		t.Fatalf("%d runs lie there (%v), want 2", len(found), err)
	}
	for _, tag := range found {
		if id, _ := os.ReadFile(tag); string(id) != "a1" {
			continue
		}
		run := filepath.Dir(filepath.Dir(tag))
		for name, want := range map[string]string{
			"params/model.hidden": "96", "params/arm": "none", "tags/mlflow.runName": "none seed 1 a1", "metrics/train/loss": " NaN 2\n",
			"metrics/test/cider": " 0.5 1\n", "meta.yaml": "status: 3\n",
			"tags/mlflow.note.content": "odd captions", "tags/glimpse.tags": "best paper", "artifacts/captions/test.json": "2.jpg",
		} {
			if text, err := os.ReadFile(filepath.Join(run, name)); err != nil || !strings.Contains(string(text), want) {
				t.Errorf("%s is %q, %v; want %q in it", name, text, err, want)
			}
		}
	}
	for _, to := range []string{"ftp://x", "sqlite:///ml.db", "file://"} {
		if _, err := MLflow(t.Context(), db, runs, to); err == nil || !strings.Contains(err.Error(), "expected http://HOST:PORT") {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// mlServer answers as MLflow does, for the calls that an export makes.
type mlServer struct {
	experiments []string
	runs        map[string]*mlServed
	fail        string // path to answer 500 for
}

type mlServed struct {
	tags, params map[string]string
	metrics      []map[string]any
	status       string
	deleted      bool
	artifacts    []string
}

func (s *mlServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, pass, _ := r.BasicAuth(); user != "me" || pass != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/prefix/api/2.0/mlflow/")
	if path == s.fail {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"error_code":"INTERNAL_ERROR","message":"disk full"}`))
		return
	}
	var in struct {
		RunID, RunName, Name, Key, Value, Status, Filter string
		Params, Tags                                     []mlPair
		Metrics                                          []map[string]any
	}
	body := new(bytes.Buffer)
	_, _ = body.ReadFrom(r.Body)
	text := body.Bytes()
	for _, name := range []string{"run_id", "run_name"} { // this decoder takes RunID for runid
		text = bytes.ReplaceAll(text, []byte(`"`+name+`"`), []byte(`"`+strings.ReplaceAll(name, "_", "")+`"`))
	}
	_ = json.Unmarshal(text, &in)
	run := s.runs[in.RunID]
	reply := map[string]any{}
	switch {
	case path == "experiments/get-by-name":
		id := slices.Index(s.experiments, r.URL.Query().Get("experiment_name"))
		if id < 0 {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"No such experiment"}`))
			return
		}
		reply["experiment"] = map[string]string{"experiment_id": "7", "lifecycle_stage": "active"}
	case path == "experiments/create":
		s.experiments = append(s.experiments, in.Name)
		reply["experiment_id"] = "7"
	case path == "runs/search":
		var found []any
		for id, run := range s.runs {
			if !run.deleted && strings.HasSuffix(in.Filter, "= '"+run.tags[runTag]+"'") {
				tags := []mlPair{{contentTag, run.tags[contentTag]}}
				found = append(found, map[string]any{"info": map[string]string{"run_id": id}, "data": map[string]any{"tags": tags}})
			}
		}
		reply["runs"] = found
	case path == "runs/create":
		id := "run" + string(rune('0'+len(s.runs)))
		s.runs[id] = &mlServed{tags: map[string]string{}, params: map[string]string{}}
		reply["run"] = map[string]any{"info": map[string]string{"run_id": id, "artifact_uri": "mlflow-artifacts:/7/" + id + "/artifacts"}}
	case path == "runs/log-batch":
		for _, p := range in.Params {
			run.params[p.Key] = p.Value
		}
		for _, p := range in.Tags {
			run.tags[p.Key] = p.Value
		}
		run.metrics = append(run.metrics, in.Metrics...)
	case path == "runs/set-tag":
		run.tags[in.Key] = in.Value
	case path == "runs/update":
		run.status = in.Status
	case path == "runs/delete":
		run.deleted = true
	case strings.HasPrefix(path, "/prefix/api/2.0/mlflow-artifacts/artifacts/7/"):
		parts := strings.SplitN(path, "/", 9)
		s.runs[parts[7]].artifacts = append(s.runs[parts[7]].artifacts, parts[8])
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(reply)
}

func (s *mlServer) living() int {
	n := 0
	for _, run := range s.runs {
		if !run.deleted {
			n++
		}
	}
	return n
}

func TestMLflowServer(t *testing.T) {
	db, runs := fixture(t)
	s := &mlServer{runs: map[string]*mlServed{}}
	web := httptest.NewServer(s)
	defer web.Close()
	address := strings.Replace(web.URL, "http://", "http://me:secret@", 1) + "/prefix/"
	send := func(want Sent, living int, trouble string) {
		t.Helper()
		sent, err := MLflow(context.Background(), db, runs, address)
		if trouble == "" && err != nil || trouble != "" && (err == nil || !strings.Contains(err.Error(), trouble)) {
			t.Fatalf("error %v, want %q", err, trouble)
		}
		if sent != want || s.living() != living {
			t.Errorf("%+v and %d runs there, want %+v and %d", sent, s.living(), want, living)
		}
	}
	s.fail = "runs/update" // breaks off: what was begun has no fingerprint, and is replaced
	send(Sent{}, 1, "disk full")
	s.fail = ""
	send(Sent{2, 2, 0}, 2, "")
	send(Sent{2, 0, 2}, 2, "")
	runs[1].Error = "something else"
	send(Sent{2, 1, 1}, 2, "")

	for _, run := range s.runs {
		if run.deleted || run.tags[runTag] != "a1" {
			continue
		}
		if run.status != "FINISHED" || run.params["model.hidden"] != "96" || run.tags["glimpse.environment.host"] != "h" || len(run.metrics) != 11 ||
			!slices.Equal(run.artifacts, []string{"artifacts/captions/test.json"}) {
			t.Errorf("%+v", run)
		}
		for _, m := range run.metrics {
			if m["key"] == "train/loss" && m["step"] == 2.0 && m["value"] != "NaN" {
				t.Errorf("a loss that is not a number arrives as %v", m["value"])
			}
		}
	}
	address = web.URL
	if _, err := MLflow(context.Background(), db, runs, address); err == nil || !strings.Contains(err.Error(), "401 Unauthorized: is it an MLflow server?") {
		t.Errorf("without a password: %v", err)
	}
}
