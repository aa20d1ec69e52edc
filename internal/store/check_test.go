package store

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFindings breaks one promise after the other behind the store's back.
func TestFindings(t *testing.T) {
	ctx := context.Background()
	db := rich(t)
	if findings, err := db.Findings(ctx); err != nil || len(findings) != 0 {
		t.Fatalf("a sound database: %+v, %v", findings, err)
	}
	for broken, want := range map[string]string{
		"DELETE FROM captions":                                    "run aa00: it is completed and has no captions",
		"UPDATE captions SET scored = 0":                          "run aa00: it is completed, and captions are not scored: 2",
		"UPDATE captions SET match1 = NULL WHERE image = 'b.jpg'": "run aa00: a scored caption has no statistics: b.jpg",
		"DELETE FROM metrics":                                     "run aa00: its captions have no metrics of their split: test",
		"UPDATE runs SET captions_sha256 = '' WHERE id = 'aa00'":  "run aa00: it is completed and lacks a hash",
		"UPDATE runs SET epochs = 4 WHERE id = 'aa00'":            "run aa00: it says how many epochs it has, and holds another number: 1",
		"UPDATE runs SET best_epoch = 4 WHERE id = 'aa00'":        "run aa00: its best epoch is none of its epochs: 4",
		"UPDATE runs SET attempt = 0 WHERE id = 'aa01'":           "run aa01: it was attempted more often than it says: 1",
		"UPDATE attempts SET ended_ms = NULL WHERE run = 'aa01'":  "run aa01: it has ended, and an attempt has not: 1",
		"UPDATE runs SET settings = '{' WHERE id = 'aa02'":        "run aa02: runs, column settings: it is not JSON",
		"INSERT INTO declarations (study, number, declaration, sha256, declared_ms) VALUES ('s', 0, '{}', 'x', 1)": "run aa00: it is completed, but its study's declaration is not frozen: s",
		"INSERT INTO declarations (study, number, declaration, sha256, declared_ms) VALUES ('s', 0, '{', 'x', 1)":  "study s, 0: declarations, column declaration: it is not JSON",
		"UPDATE study_runs SET swept = 'x' WHERE run = 'aa02'":                                                     "column swept: it is not JSON",
		"UPDATE epochs SET val = '[1]'":                                "run aa00, 1: epochs, column val: ",
		"UPDATE epochs SET loss = 'many'":                              "run aa00, 1: epochs, column loss: ",
		"UPDATE captions SET beta = '1 2' WHERE beta IS NOT NULL":      "captions, column beta: it has 2 values, and the caption 3 words",
		"UPDATE captions SET entropy = '1 x' WHERE image = 'b.jpg'":    "run aa00, test, b.jpg: captions, column entropy: ",
		"UPDATE captions SET meteor_stats = '{' WHERE image = 'b.jpg'": "meteor_stats: it is not JSON",
		"UPDATE captions SET ref_length = 'x' WHERE image = 'b.jpg'":   "column ref_length: ",
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
		findings, err := other.Findings(ctx)
		text := ""
		for _, f := range findings {
			text += f.Subject + ": " + f.Problem + "\n"
		}
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: found %v\n%s", broken, err, text)
		}
		_ = other.Close()
	}
}

func TestBackupWhileOthersWrite(t *testing.T) {
	db, ctx, dir := open(t), context.Background(), t.TempDir()
	claim := claimed(t, db)
	done := make(chan error)
	stop := make(chan struct{})
	go func() {
		for epoch := 1; ; epoch++ {
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
		findings, err := copied.Findings(ctx)
		if err = errors.Join(err, copied.Check(ctx)); err != nil || len(findings) > 0 {
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
