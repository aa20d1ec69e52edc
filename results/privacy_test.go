package results

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"glimpse/internal/store"
)

const oldDiff = `diff --git a/deploy.env b/deploy.env
index 1..2 100644
--- a/deploy.env
+++ b/deploy.env
@@ -1 +1 @@
-TOKEN=
+TOKEN=hunter2-pass
diff --git "a/n\303\244m\te" "b/n\303\244m\te"
--- x
diff --git a/old name b/new name
rename from old name
diff --git a/a b/c b/a b/c
 diff --git a/no b/no
diff --git a/cut of`

func TestRedactText(t *testing.T) {
	escaped, err := json.Marshal(oldDiff)
	if err != nil {
		t.Fatal(err)
	}
	old := `{"z":1.50,"n":12345678901234567890,"changes":{"sha256":"00ff","bytes":9,"diff":` + string(escaped) + `},"command":"glimpse run --data http://me:hunter2-pass@h"}`
	for _, c := range []struct {
		name           string
		text           store.Text
		want           string
		diffs, secrets int
	}{
		{"nothing", store.Text{Column: "environment", Value: `{"b": 1,  "a":"x"}`}, `{"b": 1,  "a":"x"}`, 0, 0},
		{"old", store.Text{Column: "environment", Value: old},
			`{"changes":{"bytes":9,"diff":"","files":{"a b/c":"","deploy.env":"","new name":"","näm\te":""},"sha256":"00ff"},"command":"glimpse run --data http://h","n":12345678901234567890,"z":1.50}`, 1, 1},
		{"new", store.Text{Column: "environment", Value: `{"changes":{"diff":"+seed: 2","files":{"a":""}}}`}, `{"changes":{"diff":"+seed: 2","files":{"a":""}}}`, 0, 0},
		{"clean", store.Text{Column: "environment", Value: `{"changes":{"diff":"","sha256":""}}`}, `{"changes":{"diff":"","sha256":""}}`, 0, 0},
		{"no JSON", store.Text{Column: "environment", Value: `{"x": TOKEN=hunter2-pass`}, `{"x": TOKEN=[redacted]`, 0, 1},
		{"error", store.Text{Column: "error", Value: "it said\nDB_PASSWORD=hunter2-pass"}, "it said\nDB_PASSWORD=[redacted]", 0, 1},
	} {
		got, diffs, secrets := redact(c.text)
		if got != c.want || diffs != c.diffs || secrets != c.secrets {
			t.Errorf("%s: %d and %d\n got %s\nwant %s", c.name, diffs, secrets, got, c.want)
		}
		if again, diffs, secrets := redact(store.Text{Column: c.text.Column, Value: got}); again != got || diffs+secrets != 0 {
			t.Errorf("%s: again %d and %d, %s", c.name, diffs, secrets, again)
		}
	}
}

func TestRedact(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "results.db")
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs := []store.Run{{ID: "aa", Settings: json.RawMessage(`{}`)}, {ID: "bb", Settings: json.RawMessage(`{}`)}}
	for name, runs := range map[string][]store.Run{"clean": runs[:1], "both": runs} {
		study := store.Study{Name: name, Question: "Is it so?"}
		if name == "both" {
			study.Question = "Is it so at http://me:hunter2-pass@h?"
		}
		if err := db.SaveStudy(ctx, study, runs, store.Declaration{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for id, environment := range map[string]string{"aa": `{"host":"h"}`, "bb": `{"changes":{"diff":"diff --git a/x b/x\n+hunter2-pass"},"command":"--token hunter2-pass"}`} {
		run, err := db.Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h"})
		if err == nil {
			err = db.Start(ctx, claim, store.Start{Environment: json.RawMessage(environment)})
		}
		if err == nil && id == "bb" {
			err = db.Fail(ctx, claim, "error", "PASSWORD=hunter2-pass")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SaveNotes(ctx, []store.Note{{Study: "both", Text: "at token=hunter2-pass"}, {Study: "clean", Text: "a note"}}, nil); err != nil {
		t.Fatal(err)
	}
	look := func(want Exposure, studies ...string) {
		t.Helper()
		got, err := Exposed(ctx, db, studies...)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, %v, want %+v", studies, got, err, want)
		}
	}
	all := Exposure{Runs: 1, Noted: 1, Diffs: 1, Secrets: 4, Studies: []string{"both"}} // the error stands with the run and with its attempt
	none := Exposure{Studies: []string{}}
	look(all)
	look(all, "clean", "both")
	look(none, "clean")
	if remark := all.Remark("x.db", "glimpse db redact"); !strings.HasPrefix(remark, "x.db contains the uncommitted changes of a whole checkout (1 run) and 4 values that look like secrets: "+
		"remove it with `glimpse db redact`; the text of both contains what looks like a secret") || none.Remark("x.db", "") != "" {
		t.Error(remark)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	taken, err := Redact(ctx, path, []string{"both"})
	if err != nil || taken.Runs != 1 || taken.Noted != 1 || taken.Diffs != 1 || taken.Secrets != 4 || taken.Holders() != "1 run and the notes of 1 study" {
		t.Errorf("%+v, %v", taken, err)
	}
	if db, err = store.OpenReadOnly(path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	look(Exposure{Studies: []string{"both"}})
	content, err := os.ReadFile(path)
	if err != nil || strings.Count(string(content), "hunter2-pass") != 1 {
		t.Errorf("%v: the password is left %d times, once as declared", err, strings.Count(string(content), "hunter2-pass"))
	}
}
