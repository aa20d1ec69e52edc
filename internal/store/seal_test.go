package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/metrics"
	"glimpse/metrics/audit"
	"glimpse/metrics/meteor"
)

// full is rich, with a declaration, pictures, maps and the record of a deleted run as well.
func full(t *testing.T) *DB {
	t.Helper()
	db, ctx := rich(t), t.Context()
	err := errors.Join(
		db.SaveStudy(ctx, Study{Name: "declared", Question: "q", Spec: "study: declared", Compare: json.RawMessage(`{"arms":"a"}`)},
			runs(1), Declaration{Text: json.RawMessage(`{"compare":"x"}`), SHA256: "x", Commit: "c"}, nil),
		db.SaveStudy(ctx, Study{Name: "declared"}, runs(1), Declaration{Text: json.RawMessage(`{"compare":"y"}`), SHA256: "y", Reason: "because"}, nil),
		db.SaveIllustration(ctx, "declared", Illustration{
			Pictures: []Picture{{Image: "a.jpg", Width: 1, Height: 1, JPEG: []byte("jpeg")}},
			Maps:     []AttentionMap{{Run: "aa00", Image: "a.jpg", Side: 1, First: 0.5, Step: 1, Alpha: [][]float64{{1}}}},
		}),
		db.SaveEnsemble(ctx, Ensemble{Study: "declared", Cell: "a", Split: "test", Members: []string{"aa00"}, Signature: "sig",
			Metrics: map[string]float64{"cider": 0.5}, Seconds: 2},
			[]Caption{{Image: "a.jpg", Words: "a dog", LogProb: -1, Scored: true,
				Score: metrics.ImageScore{Length: 2, RefLength: 3, MeteorStats: meteor.Stats{TestLength: 2}}}}))
	if err != nil {
		t.Fatal(err)
	}
	gone := Run{ID: "bb00", Arm: "none", Seed: 7, Settings: json.RawMessage("{}")}
	if err := db.SaveStudy(ctx, Study{Name: "lost"}, []Run{gone}, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	complete(t, db, "bb00")
	if _, err := db.Delete(ctx, nil, []string{"bb00"}, never); err != nil {
		t.Fatal(err)
	}
	return db
}

// problems are what is found of a database, a line each.
func problems(t *testing.T, db *DB) string {
	t.Helper()
	found, err := db.Findings(t.Context(), nil)
	if err = errors.Join(err, db.Check(t.Context())); err != nil {
		return err.Error() + "\n"
	}
	text := ""
	for _, f := range found.List {
		text += f.Subject + ": " + f.Problem + "\n"
	}
	for _, name := range found.Unsealed {
		text += name + " was never hashed\n"
	}
	return text
}

// TestEveryColumnIsHashed changes each column of each table, of one row, to another value
// that can be read as well.
func TestEveryColumnIsHashed(t *testing.T) {
	ctx := context.Background()
	db := full(t)
	if found := problems(t, db); found != "" {
		t.Fatalf("a sound database: %s", found)
	}
	pristine := filepath.Join(t.TempDir(), "results.db")
	if err := db.Backup(ctx, pristine); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, table := range tables {
		types, err := typesOf(ctx, db.reader, table.name)
		if err != nil || len(types) == 0 {
			t.Fatalf("%s: %v, %v", table.name, types, err)
		}
		for column, declared := range types {
			if column == "stop_attempt" {
				continue // a request, which may come at any time
			}
			path := filepath.Join(t.TempDir(), "results.db")
			write(t, path, read(t, pristine))
			other := map[string]string{
				"TEXT":             "COALESCE(%[1]s, '') || '0'",
				"BIGINT":           "COALESCE(%[1]s, 0) + 1",
				"DOUBLE PRECISION": "CASE TYPEOF(%[1]s) WHEN 'real' THEN %[1]s + 0.25 ELSE 0.25 END",
			}[declared]
			statement(t, path, fmt.Sprintf(`PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
				UPDATE %[1]s SET %[2]s = %[3]s WHERE (%[4]s) = (SELECT %[4]s FROM %[1]s ORDER BY %[5]s DESC LIMIT 1)`,
				table.name, column, fmt.Sprintf(other, column), strings.Join(table.key, ", "), strings.Join(table.key, " DESC, ")))
			tampered, err := OpenReadOnly(path)
			if err != nil {
				continue // which is found too
			}
			if found := problems(t, tampered); found == "" {
				t.Errorf("table %s, column %s: nothing is found", table.name, column)
			}
			changed++
			_ = tampered.Close()
		}
	}
	if changed < 100 {
		t.Errorf("only %d columns were changed", changed)
	}
}

// TestHashesSurvive does to a database whatever may be done to one: what was hashed is
// still as it was hashed.
func TestHashesSurvive(t *testing.T) {
	ctx := context.Background()
	reopened := func(t *testing.T, path string) *DB {
		t.Helper()
		db, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	for name, do := range map[string]func(t *testing.T, db *DB) (*DB, error){
		"backup": func(t *testing.T, db *DB) (*DB, error) {
			path := filepath.Join(t.TempDir(), "copy.db")
			err := db.Backup(ctx, path)
			return reopened(t, path), err
		},
		"export and import": func(t *testing.T, db *DB) (*DB, error) {
			dir := t.TempDir()
			_, exported := db.Export(ctx, filepath.Join(dir, "x"), JSONLines)
			_, imported := Import(ctx, filepath.Join(dir, "x"), filepath.Join(dir, "copy.db"))
			return reopened(t, filepath.Join(dir, "copy.db")), errors.Join(exported, imported)
		},
		"merge into a new database": func(t *testing.T, db *DB) (*DB, error) {
			other := open(t)
			_, err := other.Merge(ctx, db.Path(), never)
			return other, err
		},
		"merge over runs that were begun": func(t *testing.T, db *DB) (*DB, error) {
			other := open(t)
			claim := claimed(t, other)
			err := other.Interrupt(ctx, claim)
			for range 3 { // attempts only grow: those of the run that is taken are fewer
				run, _ := other.Run(ctx, claim.Run)
				claim, _ = other.Claim(ctx, run, Owner{})
				err = errors.Join(err, other.Interrupt(ctx, claim))
			}
			_, merged := other.Merge(ctx, db.Path(), never)
			if run, err := other.Run(ctx, claim.Run); err != nil || run.State != Completed || run.Attempt != 4 {
				t.Errorf("merged is %+v, %v", run, err)
			}
			return other, errors.Join(err, merged)
		},
		"merge of what is found later": func(t *testing.T, db *DB) (*DB, error) {
			path := filepath.Join(t.TempDir(), "copy.db")
			err := db.Backup(ctx, path)
			other := reopened(t, path)
			gone := other.write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, "DELETE FROM audits; DELETE FROM readings; DELETE FROM run_hashes WHERE part IN ('audits', 'readings')")
				return err
			})
			_, merged := other.Merge(ctx, db.Path(), never)
			return other, errors.Join(err, gone, merged)
		},
		"another audit": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "p"}})
		},
		"readings of another split": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.SaveReadings(ctx, "aa00", "val", []Reading{{Image: "a"}})
		},
		"readings anew": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.SaveReadings(ctx, "aa00", "test", []Reading{{Image: "a"}})
		},
		"other pictures": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.SaveIllustration(ctx, "declared", Illustration{})
		},
		"an amendment": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.SaveStudy(ctx, Study{Name: "declared"}, runs(2), Declaration{Text: json.RawMessage(`{"compare":"z"}`), SHA256: "z", Reason: "again"}, nil)
		},
		"the study again": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.SaveStudy(ctx, Study{Name: "s"}, runs(5), Declaration{}, nil)
		},
		"a request to stop": func(_ *testing.T, db *DB) (*DB, error) {
			_, err := db.Stop(ctx, []string{"aa01", "aa02"})
			return db, err
		},
		"another attempt": func(_ *testing.T, db *DB) (*DB, error) {
			run, err := db.Run(ctx, "aa01")
			claim, claimed := db.Claim(ctx, run, Owner{})
			if found := problems(t, db); found != "" {
				t.Errorf("a run at work: %s", found)
			}
			return db, errors.Join(err, claimed, db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &Epoch{Epoch: 1}, BestEpoch: 1}), db.Prune(ctx, claim, "rule"))
		},
		"texts rewritten": func(t *testing.T, db *DB) (*DB, error) {
			err := db.Close()
			rewritten := Rewrite(ctx, db.Path(), nil, func(text Text) string {
				return strings.NewReplacer("-a", "", "line 2", "").Replace(text.Value)
			})
			return reopened(t, db.Path()), errors.Join(err, rewritten)
		},
		"differences taken out": func(_ *testing.T, db *DB) (*DB, error) {
			return db, db.write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE runs SET environment = '{ "changes": {"bytes": 3, "sha256": "s"}, "host": "h" }' WHERE id = 'aa00'`)
				return err
			})
		},
		"a later schema": func(t *testing.T, db *DB) (*DB, error) {
			known := migrations
			t.Cleanup(func() {
				delete(made, newest())
				migrations = known
			})
			migrations = append(slices.Clone(known), migration{newest() + 1, "later",
				"ALTER TABLE captions ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; ALTER TABLE runs ADD COLUMN later BIGINT NOT NULL DEFAULT 1"})
			err := db.Close()
			later := reopened(t, db.Path())
			run, _ := later.Run(ctx, "aa01")
			claim, claimed := later.Claim(ctx, run, Owner{}) // what is hashed now covers its columns
			err = errors.Join(err, claimed, later.Interrupt(ctx, claim))
			forged := filepath.Join(t.TempDir(), "forged.db")
			err = errors.Join(err, later.Backup(ctx, forged))
			statement(t, forged, "UPDATE runs SET later = 2")
			if found := problems(t, reopened(t, forged)); strings.Count(found, "\n") != 1 || !strings.HasPrefix(found, "run aa01: table runs: ") {
				t.Errorf("columns of a later schema: %s", found)
			}
			return later, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := full(t)
			withDiff(t, db)
			after, err := do(t, db)
			if err != nil {
				t.Fatal(err)
			}
			if found := problems(t, after); found != "" {
				t.Errorf("found is\n%s", found)
			}
		})
	}
}

// withDiff gives the completed run differences of its working directory.
func withDiff(t *testing.T, db *DB) {
	t.Helper()
	err := db.write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE runs SET environment = '{"host":"h","changes":{"sha256":"s","bytes":3,"diff":"-a\n"}}' WHERE id = 'aa00'`)
		return errors.Join(err, theRun("aa00").seal(t.Context(), tx))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLaterWritesHideNoDamage damages rows that a later write does not replace: they do not
// look right afterwards. What it replaces is right again.
func TestLaterWritesHideNoDamage(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		damage string
		do     func(db *DB) error
		found  string // "" is nothing
	}{
		"readings of another split": {"UPDATE readings SET other = 'c.jpg'",
			func(db *DB) error { return db.SaveReadings(ctx, "aa00", "val", []Reading{{Image: "a"}}) }, "run aa00: table readings"},
		"readings anew": {"UPDATE readings SET other = 'c.jpg'",
			func(db *DB) error { return db.SaveReadings(ctx, "aa00", "test", []Reading{{Image: "a"}}) }, ""},
		"an audit anew": {"UPDATE audits SET bleu1 = 0.9",
			func(db *DB) error { return db.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "p"}}) }, ""},
		"pictures anew": {"UPDATE pictures SET width = 2",
			func(db *DB) error {
				return db.SaveIllustration(ctx, "declared", Illustration{Pictures: []Picture{{Image: "b"}}})
			}, ""},
		"an amendment": {"UPDATE declarations SET known = 7 WHERE number = 0", func(db *DB) error {
			return db.SaveStudy(ctx, Study{Name: "declared"}, runs(2), Declaration{Text: json.RawMessage(`{"compare":"z"}`), SHA256: "z", Reason: "again"}, nil)
		}, "study declared: table declarations"},
		"texts rewritten": {`UPDATE runs SET environment = replace(environment, '"h"', '"g"') WHERE id = 'aa00'`, func(db *DB) error {
			return db.write(ctx, func(tx *sql.Tx) error { return rewrite(ctx, tx, nil, func(Text) string { return "{}" }) })
		}, "run aa00: table runs"},
		"the differences": {`UPDATE runs SET environment = replace(environment, '-a', '-b') WHERE id = 'aa00'`,
			func(*DB) error { return nil }, "run aa00: table diff"},
		"seal": {"UPDATE captions SET words = 'other words here' WHERE words <> ''",
			func(db *DB) error { _, err := db.Seal(ctx); return err }, "run aa00: table captions"},
	} {
		t.Run(name, func(t *testing.T) {
			db := full(t)
			withDiff(t, db)
			statement(t, db.Path(), c.damage)
			if err := c.do(db); err != nil {
				t.Fatal(err)
			}
			found := problems(t, db)
			if c.found == "" && found != "" || !strings.HasPrefix(found, c.found) || strings.Count(found, "\n") > 1 {
				t.Errorf("found is %q, want %q", found, c.found)
			}
		})
	}
}

// TestOldRunsAreSealed: what an older version wrote was never hashed, which is told, and
// is hashed on request; what was hashed stays as it was.
func TestOldRunsAreSealed(t *testing.T) {
	ctx := context.Background()
	db := full(t)
	statement(t, db.Path(), "DELETE FROM run_hashes WHERE run <> 'aa01'; DELETE FROM study_hashes WHERE study = 's'")
	if found := problems(t, db); found != "run aa00 was never hashed\nrun aa02 was never hashed\nstudy s was never hashed\n" {
		t.Errorf("unhashed: %s", found)
	}
	if err := db.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "p"}}); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Seal(ctx); n != 3 || err != nil {
		t.Errorf("%d were hashed, %v", n, err)
	}
	if found := problems(t, db); found != "" {
		t.Errorf("hashed: %s", found)
	}
	if n, err := db.Seal(ctx); n != 0 || err != nil {
		t.Errorf("the second time %d were hashed, %v", n, err)
	}
}

// TestMergeTakesNoDamage: of a damaged database a merge takes the runs that are sound.
func TestMergeTakesNoDamage(t *testing.T) {
	ctx := context.Background()
	theirs := open(t)
	completedRun(t, theirs, 3, 0, "sound")
	completedRun(t, theirs, 3, 1, "damaged")
	if err := theirs.SaveStudy(ctx, Study{Name: "other"}, runs(1), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := theirs.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "p"}}); err != nil {
		t.Fatal(err)
	}
	statement(t, theirs.Path(), "UPDATE captions SET words = 'b' WHERE run = 'aa01'; UPDATE studies SET question = 'x' WHERE name = 'other'; UPDATE audits SET images = 7")
	ours := open(t)
	merged, err := ours.Merge(ctx, theirs.Path(), never)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"aa00": MergeAdded, "aa01": MergeDamaged, "aa02": MergeAdded, "s": MergeAdded, "other": MergeDamaged}
	if got := outcomes(merged); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("outcomes are %v, want %v", got, want)
	}
	for _, m := range merged {
		if m.Outcome == MergeDamaged && !strings.Contains(m.Detail, "rows no longer match their hashes, in ") {
			t.Errorf("%+v", m)
		}
	}
	if report := NewMergeReport("x", merged); report.Damaged() != 2 || report.Conflicts() != 0 {
		t.Errorf("report %+v", report)
	}
	list, err := ours.Runs(ctx, "s")
	if err != nil || len(list) != 2 || list[0].ID != "aa00" || list[1].ID != "aa02" {
		t.Errorf("taken were %+v, %v", list, err)
	}
	// An audit is taken as it is, and told of as before: it can be made anew.
	if found, err := ours.Findings(ctx, nil); err != nil || slices.ContainsFunc(found.List, func(f Finding) bool { return f.Table != "" && f.Table != "audits" }) {
		t.Errorf("found %+v, %v", found, err)
	}
	if err := ours.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "p"}}); err != nil {
		t.Fatal(err)
	}
	if found, err := ours.Findings(ctx, nil); err != nil || slices.ContainsFunc(found.List, func(f Finding) bool { return f.Table != "" }) {
		t.Errorf("found %+v, %v", found, err)
	}
	// The study is run again, and finds the damaged run to be done.
	if err := ours.SaveStudy(ctx, Study{Name: "s"}, runs(3), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	if run, err := ours.Run(ctx, "aa01"); err != nil || run.State != Queued {
		t.Errorf("the damaged run is %+v, %v", run, err)
	}
}
