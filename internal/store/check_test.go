package store

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFindings breaks one promise after the other behind the store's back. Each fault is
// told with run or study, table and column, and the rest is told all the same.
func TestFindings(t *testing.T) {
	ctx := context.Background()
	db := rich(t)
	if found, err := db.Findings(ctx, nil); err != nil || len(found.List) != 0 || len(found.Unsealed) != 0 || len(found.Foreign) != 0 {
		t.Fatalf("a sound database: %+v, %v", found, err)
	}
	const name = "study x'; DROP TABLE runs; --"
	for broken, want := range map[string][]Finding{
		"DELETE FROM captions":                                    {{Subject: "run aa00", Problem: "it is completed but has no captions"}},
		"UPDATE captions SET scored = 0":                          {{Subject: "run aa00", Problem: "it is completed, but captions are unscored: 2"}},
		"UPDATE captions SET match1 = NULL WHERE image = 'b.jpg'": {{Subject: "run aa00", Problem: "a scored caption has no statistics: b.jpg"}},
		"DELETE FROM metrics":                                     {{Subject: "run aa00", Problem: "it has captions of a split but no metrics of it: test"}},
		"UPDATE runs SET captions_sha256 = '' WHERE id = 'aa00'":  {{Subject: "run aa00", Problem: "it is completed but lacks a hash"}},
		"UPDATE runs SET epochs = 4 WHERE id = 'aa00'":            {{Subject: "run aa00", Problem: "its count of epochs differs from the epochs stored: 1"}},
		"UPDATE runs SET best_epoch = 4 WHERE id = 'aa00'":        {{Subject: "run aa00", Problem: "its best epoch does not exist: 4"}},
		"UPDATE runs SET attempt = 0 WHERE id = 'aa01'":           {{Subject: "run aa01", Problem: "it has more attempts than it counts: 1"}},
		"UPDATE attempts SET ended_ms = NULL WHERE run = 'aa01'":  {{Subject: "run aa01", Problem: "it has ended, but an attempt of it is still open: 1"}},
		"INSERT INTO declarations (study, number, declaration, sha256, declared_ms) VALUES ('s', 0, '{}', 'x', 1)": {
			{Subject: "run aa00", Problem: "it is completed, but its study's declaration is not frozen: s"}},
		"INSERT INTO declarations (study, number, declaration, sha256, declared_ms) VALUES ('s', 0, '{', 'x', 1)": {
			{Subject: "study s", Table: "declarations", Column: "declaration", Problem: "declaration 0 of study s: not valid JSON", Rows: 1}},
		"UPDATE runs SET settings = '{' WHERE id = 'aa02'":     {{Subject: "run aa02", Table: "runs", Column: "settings", Problem: "not valid JSON", Rows: 1}},
		"UPDATE study_runs SET swept = 'x' WHERE run = 'aa02'": {{Subject: name, Table: "study_runs", Column: "swept", Problem: "invalid character", Rows: 1}},
		"UPDATE epochs SET val = '[1]'":                        {{Subject: "run aa00", Table: "epochs", Column: "val", Problem: "epoch 1: json: cannot", Rows: 1}},
		"UPDATE captions SET beta = '1 2' WHERE beta IS NOT NULL": {
			{Subject: "run aa00", Table: "captions", Column: "beta", Problem: "split test, image a\xff.jpg: it has 2 values for 3 words", Rows: 1}},
		`UPDATE captions SET meteor_stats = '{"chunks": "two"}' WHERE image = 'b.jpg'`: {
			{Subject: "run aa00", Table: "captions", Column: "meteor_stats", Problem: "METEOR's counts: ", Rows: 1}},
		"UPDATE captions SET words = CAST(words AS BLOB) WHERE image = 'b.jpg'": {
			{Subject: "run aa00", Table: "captions", Column: "words", Problem: "a blob of ", Rows: 1}},
		"UPDATE study_runs SET position = 'first' WHERE run = 'aa02'": {
			{Subject: name, Table: "study_runs", Column: "position", Problem: `text "first" is not of type BIGINT`, Rows: 1}},
		"UPDATE schema_migrations SET name = 'initiaL' WHERE number = 1": {{Subject: "schema", Table: "schema_migrations", Problem: "1 initiaL"}},
		"DROP INDEX study_runs_by_run":                                   {{Subject: "schema", Problem: "index study_runs_by_run is missing"}},
		"CREATE UNIQUE INDEX mine ON runs (seed, id)":                    {{Subject: "schema", Problem: "index mine is not glimpse's, but belongs to its table runs"}},
		"ALTER TABLE audits ADD COLUMN note TEXT":                        {{Subject: "schema", Problem: "table audits differs from glimpse's: "}},
		// All faults are told, each once, with the rows that have it.
		"UPDATE captions SET ref_length = 'x', log_prob = 'y'; UPDATE epochs SET loss = 'many', lr = 'few'; UPDATE runs SET error = X'00' WHERE id = 'aa01'": {
			{Subject: "run aa00", Table: "captions", Column: "ref_length", Problem: "cannot read a whole number from text", Rows: 2},
			{Subject: "run aa00", Table: "captions", Column: "log_prob", Problem: `cannot read a number from "y"`, Rows: 2},
			{Subject: "run aa00", Table: "epochs", Column: "loss", Problem: `cannot read a number from "many"`, Rows: 1},
			{Subject: "run aa00", Table: "epochs", Column: "lr", Problem: `cannot read a number from "few"`, Rows: 1},
			{Subject: "run aa01", Table: "runs", Column: "error", Problem: "table runs, column error: cannot read text from a blob of 1 bytes", Rows: 1},
		},
	} {
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := db.Backup(ctx, copied); err != nil {
			t.Fatal(err)
		}
		statement(t, copied, broken)
		other, err := OpenReadOnly(copied)
		if err != nil {
			t.Fatal(err)
		}
		found, err := other.Findings(ctx, nil)
		if err != nil {
			t.Errorf("%s: %v", broken, err)
		}
		for _, w := range want {
			if !slices.ContainsFunc(found.List, func(f Finding) bool {
				return f.Subject == w.Subject && f.Table == w.Table && f.Column == w.Column && f.Rows == w.Rows &&
					strings.Contains(f.Problem, w.Problem) && f.Fix != ""
			}) {
				t.Errorf("%s: found %+v; want %+v", broken, found.List, w)
			}
		}
		_ = other.Close()
	}
}

// TestForeignTablesAreTold: what reads nothing of ours is none of our faults.
func TestForeignTablesAreTold(t *testing.T) {
	path := filled(t, 1)
	statement(t, path, "CREATE TABLE notes (text TEXT); CREATE VIEW best AS SELECT * FROM runs")
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, err := db.Findings(t.Context(), nil)
	if err != nil || len(found.List) != 0 || !slices.Equal(found.Foreign, []string{"view best", "table notes"}) {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestFindingsAreBounded: however much is wrong, the list stays short, and says so.
func TestFindingsAreBounded(t *testing.T) {
	path := filled(t, 1)
	statement(t, path, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
		INSERT INTO runs (id, seed, settings, state, created_ms) SELECT 'x' || i, i, '{', 'queued', i FROM n`)
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, err := db.Findings(t.Context(), nil)
	if err != nil || len(found.List) != MostFindings || found.More != 200 {
		t.Errorf("%d findings, %d more, %v", len(found.List), found.More, err)
	}
}

func TestBackupWhileOthersWrite(t *testing.T) {
	db, ctx, dir := open(t), context.Background(), t.TempDir()
	claim := claimed(t, db)
	if err := db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &Epoch{Epoch: 1}}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	stop := make(chan struct{})
	go func() {
		for epoch := 2; ; epoch++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &Epoch{Epoch: epoch}}); err != nil {
				done <- err
				return
			}
		}
	}()
	for i := range 5 {
		time.Sleep(20 * time.Millisecond)
		path := filepath.Join(dir, string(rune('a'+i)))
		if err := db.Backup(ctx, path); err != nil {
			t.Fatal(err)
		}
		copied, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		run, err := copied.Run(ctx, "aa00")
		if err != nil || run.Epochs == 0 {
			t.Errorf("%d epochs, %v", run.Epochs, err)
		}
		findings, err := copied.Findings(ctx, nil)
		if err = errors.Join(err, copied.Check(ctx)); err != nil || len(findings.List) > 0 {
			t.Errorf("%v, %v", findings, err)
		}
		a, _ := db.Created(ctx)
		if b, err := copied.Created(ctx); err != nil || !b.After(a) {
			t.Errorf("the copy is taken for the original: %v, %v, %v", a, b, err)
		}
		_ = copied.Close()
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	before := read(t, filepath.Join(dir, "a"))
	if err := db.Backup(ctx, filepath.Join(dir, "a")); !errors.Is(err, fs.ErrExist) || string(before) != string(read(t, filepath.Join(dir, "a"))) {
		t.Errorf("over a file that is there: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 5 {
		t.Errorf("left %v", files)
	}
}
