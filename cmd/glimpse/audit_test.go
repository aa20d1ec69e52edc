package main

import (
	"context"
	"strings"
	"testing"

	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
)

// TestAuditRefusals checks what cannot be audited, and that nothing is stored then.
// testdata/engine/run.txtar audits runs.
func TestAuditRefusals(t *testing.T) {
	clitest.Sandbox(t, nil)
	t.Setenv("GLIMPSE_ENGINE", "")
	const settings = `{"data": {"name": "shapes", "split": "official", "min_count": 1, "captions_per_image": 5, "images": 60, "vocabulary": "train"}}`
	makeResults(t, store.Study{Name: "made-up", Spec: "data: {name: shapes}"}, settings, []made{
		{id: "aaaa", arm: "none", seed: 1, signature: "data=shapes/official@0 tokenizer=ptb metrics=1", captions: scoredCaptions(0.4, 1)},
		{id: "bbbb", arm: "none", seed: 2, state: store.Queued},
	})
	for _, c := range []struct {
		args string
		code int
		want string // in standard error
	}{
		{"audit", 2, "missing argument: RUN"},
		{"audit aaaa --train -1", 2, "--train must not be negative"},
		{"audit aaaa --device tpu", 2, `device "tpu"`},
		{"audit zzzz", 1, "zzzz"},
		{"audit aaaa --db other.db", 1, "no results database other.db"},
		{"audit bbbb", 1, "run bbbb is queued: only completed runs can be audited"},
		{"audit aaaa", 1, "run aaaa was planned for other data "},
	} {
		code, stdout, stderr := call(t, strings.Fields(c.args)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("glimpse %s: exit code %d, want %d; %q on standard output; standard error lacks %q:\n%s",
				c.args, code, c.code, stdout, c.want, stderr)
		}
	}
	db, err := store.OpenReadOnly("results.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if rows, err := db.Audit(context.Background(), "aaaa"); err != nil || len(rows) > 0 {
		t.Errorf("a refused audit was stored: %v, %v", rows, err)
	}
}
