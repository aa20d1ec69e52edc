package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/metrics"
	"glimpse/metrics/audit"
)

// rich makes a database that holds what is hard to carry: numbers that are not
// finite, NULLs, text that is not UTF-8, a failure, an audit, readings.
func rich(t *testing.T) *DB {
	t.Helper()
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(db.Start(ctx, claim, Start{Parameters: 1 << 60, Signature: "sig", Environment: json.RawMessage(`{"a": [1,  2]}`)}))
	check(db.SaveCheckpoint(ctx, claim, Checkpoint{
		Progress: json.RawMessage(`{}`), Seconds: 1e21, BestEpoch: 1,
		Epoch: &Epoch{Epoch: 1, Loss: math.NaN(), LR: 5e-324, Val: map[string]float64{"cider": math.Inf(1)}},
	}))
	check(db.SaveCaptions(ctx, claim, "test", []Caption{
		{Image: "a\xff.jpg", Words: "<unk> & \u2028 \"x\"", LogProb: math.Inf(-1), Beta: []float64{0.1, 1, math.NaN()}},
		{Image: "b.jpg", Words: "", LogProb: -1.0 / 3},
	}))
	check(db.Complete(ctx, claim, Result{
		Metrics:   map[string]map[string]float64{"test": {"cider": math.NaN(), "bleu1": 3}},
		Scores:    map[string][]metrics.ImageScore{"test": {{ID: "a\xff.jpg", CIDEr: math.NaN()}, {ID: "b.jpg"}}},
		BestEpoch: 1, Seconds: 2, CaptionsSHA256: "c", WeightsSHA256: "w",
	}))
	check(db.SaveAudit(ctx, claim.Run, []audit.Row{{Split: "test", Protocol: "coco", BLEU: [4]float64{0.5}}}))
	check(db.SaveReadings(ctx, claim.Run, "test", []Reading{
		{Image: "a\xff.jpg", Other: "b.jpg", LogProb: []float64{-0.5, math.Inf(-1)}, LogProbOther: []float64{-1, -2}, BetaOther: []float64{0.1, 1}},
		{Image: "b.jpg", Other: "a\xff.jpg"},
	}))
	check(db.SaveStudy(ctx, Study{Name: "x'; DROP TABLE runs; --", Compare: json.RawMessage(`{"arms": "a"}`)}, runs(3), Declaration{}, nil))
	run, err := db.Run(ctx, "aa01")
	check(err)
	failed, err := db.Claim(ctx, run, Owner{Host: "h"})
	check(err)
	check(db.Fail(ctx, failed, "crash", "line 1\nline 2\r\n"))
	check(db.SaveNotes(ctx, []Note{{Study: "s", Text: "the first"}, {Run: "aa00", Text: "odd\n<captions>"}, {Run: "aa00", Tag: true, Text: "odd"}}, nil))
	return db
}

// contents reads all files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		files[entry.Name()] = string(read(t, filepath.Join(dir, entry.Name())))
	}
	return files
}

func TestTablesAreAllTables(t *testing.T) {
	db := open(t)
	rows, err := db.reader.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	there := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		there[name] = true
	}
	for _, table := range tables {
		if !there[table.name] {
			t.Errorf("there is no table %s", table.name)
		}
		delete(there, table.name)
	}
	delete(there, "stop_requests") // between processes of now; no result
	if len(there) > 0 {
		t.Errorf("neither exported nor merged: %v", there)
	}
}

func TestExportAndImportLoseNothing(t *testing.T) {
	db, ctx, dir := rich(t), context.Background(), t.TempDir()
	first, second, copied := filepath.Join(dir, "1"), filepath.Join(dir, "2"), filepath.Join(dir, "copy.db")
	rows, err := db.Export(ctx, first, JSONLines)
	if err != nil || rows["runs"] != 3 || rows["captions"] != 2 || rows["audits"] != 1 || rows["readings"] != 2 {
		t.Fatalf("rows %v, %v", rows, err)
	}
	if rows, err := Import(ctx, first, copied); err != nil || rows["runs"] != 3 {
		t.Fatalf("rows %v, %v", rows, err)
	}
	again, err := OpenReadOnly(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if _, err := again.Export(ctx, second, JSONLines); err != nil {
		t.Fatal(err)
	}
	want, got := contents(t, first), contents(t, second)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s differs:\n%s\n%s", name, text, got[name])
		}
	}
	if len(want) != len(tables)+1 || len(got) != len(want) {
		t.Errorf("%d files, then %d", len(want), len(got))
	}
	captions, err := again.Captions(ctx, "aa00", "test")
	if err != nil || captions[0].Image != "a\xff.jpg" || !math.IsNaN(captions[0].Score.CIDEr) {
		t.Errorf("captions are %+v, %v", captions, err)
	}
	if files, _ := filepath.Glob(copied + "*"); len(files) != 1 {
		t.Errorf("import left %v", files)
	}
	for path, f := range map[string]func(path string) error{
		first:  func(path string) error { _, err := db.Export(ctx, path, CSV); return err },
		copied: func(path string) error { _, err := Import(ctx, first, path); return err },
	} {
		if err := f(path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("over what is there: %v", err)
		}
	}
}

func TestExportAsCSV(t *testing.T) {
	db, dir := rich(t), filepath.Join(t.TempDir(), "csv")
	if _, err := db.writer.Exec("UPDATE studies SET question = '=1+1'"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Export(context.Background(), dir, CSV); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	if want := "run,split,key,value\naa00,test,bleu1,3\naa00,test,cider,nan\n"; files["metrics.csv"] != want || len(files) != len(tables) {
		t.Errorf("%d files, metrics are\n%s", len(files), files["metrics.csv"])
	}
	if !strings.Contains(files["studies.csv"], ",'=1+1,") {
		t.Errorf("a question that begins like a formula is one:\n%s", files["studies.csv"])
	}
	if _, err := db.Export(context.Background(), dir+"2", "parquet"); err == nil || !strings.Contains(err.Error(), "jsonl or csv") {
		t.Errorf("an unknown form: %v", err)
	}
}

func TestImportRefusesNamesThatLeadElsewhere(t *testing.T) {
	db, ctx := rich(t), context.Background()
	if _, err := db.writer.Exec("INSERT INTO studies (name, question, spec, created_ms) VALUES ('a/../../b', '', '', 0)"); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bad")
	if _, err := db.Export(ctx, dir, JSONLines); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new.db")
	if _, err := Import(ctx, dir, path); err == nil || !strings.Contains(err.Error(), `the name "a/../../b" of a run or study leads out of its folder`) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was left: %v", err)
	}
}

func TestImportRefusesWhatWasChanged(t *testing.T) {
	db, ctx := rich(t), context.Background()
	dir := filepath.Join(t.TempDir(), "good")
	if _, err := db.Export(ctx, dir, JSONLines); err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) func(string) string {
		return func(text string) string { return strings.Replace(text, old, new, 1) }
	}
	for name, c := range map[string]struct {
		file string
		edit func(string) string
		want string
	}{
		"no manifest":       {manifestName, nil, "give the folder of an export"},
		"other format":      {manifestName, replace("results 1", "results 9"), `"glimpse results 9"`},
		"newer schema":      {manifestName, replace(`"schema": `, `"schema": 9`), "upgrade glimpse"},
		"not a manifest":    {manifestName, replace("{", "["), "not the manifest"},
		"unknown table":     {manifestName, replace(`"metrics"`, `"secrets"`), `unknown table "secrets"`},
		"no schema":         {manifestName, replace(`"schema": `, `"schema": -`), "does not exist"},
		"file gone":         {"metrics.jsonl", nil, "metrics.jsonl"},
		"row changed":       {"metrics.jsonl", replace(`"value":3`, `"value":4`), "metrics.jsonl: changed or truncated"},
		"row cut off":       {"metrics.jsonl", func(s string) string { return s[:len(s)-9] }, "metrics.jsonl:2: not a row"},
		"rows gone":         {"metrics.jsonl", func(string) string { return "" }, "0 rows, 2 were exported"},
		"row twice":         {"metrics.jsonl", func(s string) string { return s + s }, "metrics.jsonl:3: UNIQUE"},
		"column missing":    {"metrics.jsonl", replace(`"split":"test",`, ""), "metrics.jsonl:1: column split is missing"},
		"column unknown":    {"metrics.jsonl", replace(`"split"`, `"x":1,"split"`), `metrics.jsonl:1: unknown column "x"`},
		"wrong kind":        {"metrics.jsonl", replace(`:3`, `:[3]`), "metrics.jsonl:1: column value: [3] is not a column value"},
		"number too large":  {"metrics.jsonl", replace(`:3`, `:1e999`), "metrics.jsonl:1: column value"},
		"unknown run":       {"metrics.jsonl", replace(`aa00`, `bb00`), "FOREIGN KEY"},
		"impossible state":  {"runs.jsonl", replace(`"completed"`, `"done"`), "runs.jsonl:1: CHECK"},
		"an object instead": {"runs.jsonl", replace(`"completed"`, `{"base65":""}`), "runs.jsonl:1: column state"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := t.TempDir()
			for file, text := range contents(t, dir) {
				if file == c.file && c.edit == nil {
					continue
				}
				if file == c.file {
					text = c.edit(text)
				}
				write(t, filepath.Join(bad, file), []byte(text))
			}
			path := filepath.Join(t.TempDir(), "new.db")
			if _, err := Import(ctx, bad, path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if files, _ := filepath.Glob(path + "*"); files != nil {
				t.Errorf("left %v", files)
			}
		})
	}
}

// TestImportOfAnOlderSchema brings an export of the first schema up to date.
func TestImportOfAnOlderSchema(t *testing.T) {
	all, dir := migrations, t.TempDir()
	defer func() { migrations = all }()
	old, ctx := filepath.Join(dir, "old"), context.Background()
	tablesNow := tables
	tables, migrations = slices.DeleteFunc(slices.Clone(tables), func(t table) bool {
		return slices.Contains([]string{"audits", "readings", "pictures", "attention_maps", "declarations"}, t.name) // came later
	}), all[:1]
	db, err := Open(filepath.Join(dir, "old.db"))
	if err == nil {
		err = errors.Join(planned(db, 2), func() error { _, err := db.Export(ctx, old, JSONLines); return err }(), db.Close())
	}
	tables, migrations = tablesNow, all
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "new.db")
	if _, err := Import(ctx, old, path); err != nil {
		t.Fatal(err)
	}
	if db, err = OpenReadOnly(path); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if list, err := db.Runs(ctx, "s"); err != nil || len(list) != 2 {
		t.Errorf("%d runs, %v", len(list), err)
	}
}

func FuzzImportRow(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":"nan","c":null}`))
	f.Add([]byte(`{"a":-0.5,"b":{"base64":"/w=="},"c":1e400}`))
	f.Add([]byte(`{"a":[[[[]]]],"b":true,"c":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		columns := []string{"a", "b", "c"}
		values, err := parseRow(line, columns)
		if err != nil {
			return
		}
		var out strings.Builder
		if err := jsonRows(&out)(columns, values); err != nil {
			t.Fatal(err)
		}
		again, err := parseRow([]byte(out.String()), columns)
		if err != nil {
			t.Fatalf("%s became %s: %v", line, out.String(), err)
		}
		for i := range values {
			a, isNumber := values[i].(float64)
			b, wasWhole := again[i].(int64)
			if again[i] != values[i] && !(isNumber && wasWhole && float64(b) == a) {
				t.Fatalf("%s: %#v became %#v", line, values[i], again[i])
			}
		}
	})
}
