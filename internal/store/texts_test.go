package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// holding lists the files of a folder that hold a text.
func holding(t *testing.T, dir, text string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(text)) {
			found = append(found, e.Name())
		}
	}
	return found
}

// What is rewritten is afterwards in no file of the folder: not in rows, in what earlier versions of a row freed, or in a log.
func TestRewriteLeavesNothing(t *testing.T) {
	const token = "tok-en-of-the-test"
	ctx, db := t.Context(), rich(t)
	path, dir := db.Path(), filepath.Dir(db.Path())
	long := strings.Repeat(token+" ", 3000) // over many pages
	for _, id := range []string{"aa01", "aa02"} {
		run, err := db.Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		claim, err := db.Claim(ctx, run, Owner{Host: "h"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 { // rows that are replaced leave free pages behind
			raw, err := json.Marshal(map[string]string{"command": fmt.Sprint(i) + long})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Start(ctx, claim, Start{Environment: raw}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Fail(ctx, claim, "crash", "at "+token+" and more"); err != nil {
			t.Fatal(err)
		}
	}
	if found := holding(t, dir, token); len(found) == 0 {
		t.Fatal("the token was never written")
	}
	seen := map[string]int{}
	change := func(text Text) string {
		seen[text.Column]++
		return strings.ReplaceAll(text.Value, token, "-")
	}

	patience = 50 * time.Millisecond
	defer func() { patience = 30 * time.Second }()
	if err := Rewrite(ctx, path, nil, change); !errors.Is(err, ErrLocked) {
		t.Errorf("while it is open: %v", err)
	}
	if _, err := db.Seal(ctx); err != nil { // hashes that hold before hold afterwards
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 0 {
		t.Errorf("texts were read: %v", seen)
	}
	if err := Rewrite(ctx, path, []string{"no such study"}, change); err != nil || len(seen) != 0 {
		t.Errorf("of no run: %v, %v", err, seen)
	}
	if err := Rewrite(ctx, path, []string{"x'; DROP TABLE runs; --", "s"}, change); err != nil {
		t.Fatal(err)
	}
	if found := holding(t, dir, token); len(found) > 0 {
		t.Errorf("the token is left in %v", found)
	}
	if seen["environment"] != 2 || seen["error"] < 4 {
		t.Errorf("texts seen: %v", seen)
	}
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}
	found, err := db.Findings(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found.List { // the runs of the test lack other things
		if strings.Contains(f.Problem, "hashed") {
			t.Errorf("%+v", f)
		}
	}
	if len(found.Unsealed) > 0 {
		t.Errorf("%v were never hashed: this test tests nothing", found.Unsealed)
	}
	run, err := db.Run(ctx, "aa01")
	if err != nil || run.Error != "at - and more" || !strings.HasPrefix(string(run.Environment), `{"command":"2- - -`) {
		t.Errorf("%v, %q, %.30s", err, run.Error, run.Environment)
	}
	attempts, err := db.Attempts(ctx, "aa01")
	if err != nil || attempts[len(attempts)-1].Error != "at - and more" {
		t.Errorf("%v, %+v", err, attempts)
	}
	var texts []Text
	if err := db.Texts(ctx, nil, func(text Text) { texts = append(texts, text) }); err != nil || len(texts) < 7 {
		t.Errorf("%v, %d texts", err, len(texts))
	}
}
