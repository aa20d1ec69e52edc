package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// call runs a command line in this process.
func call(t *testing.T, line string) (code int, stdout, stderr string) {
	t.Helper()
	return clitest.Call(t, newRoot(), strings.Fields(line)...)
}

// storedRun is a made-up run.
type storedRun struct {
	id, arm, signature string
	hidden             string // its value of model.hidden, which was swept
	queued             bool   // otherwise completed, with one test caption
}

// storeRuns writes results.db with one study of made-up runs.
func storeRuns(t *testing.T, study store.Study, settings string, runs []storedRun) {
	t.Helper()
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open("results.db")
	ok(err)
	defer db.Close()
	var planned []store.Run
	for _, r := range runs {
		planned = append(planned, store.Run{ID: r.id, Arm: r.arm, Seed: 1, Swept: map[string]string{"model.hidden": r.hidden}, Settings: json.RawMessage(settings)})
	}
	ok(db.SaveStudy(ctx, study, planned, store.Declaration{}, nil))
	for _, r := range runs {
		if r.queued {
			continue
		}
		run, err := db.Run(ctx, r.id)
		ok(err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		ok(err)
		ok(db.Start(ctx, claim, store.Start{Parameters: 1, Signature: r.signature}))
		ok(db.SaveCaptions(ctx, claim, "test", []store.Caption{{Image: "1.jpg", Words: "a dog"}}))
		ok(db.Complete(ctx, claim, store.Result{
			BestEpoch: 1, Scores: map[string][]metrics.ImageScore{"test": {{ID: "1.jpg", Length: 2, RefLength: 2}}},
			Metrics: map[string]map[string]float64{"test": {"cider": 0.5}},
		}))
	}
}

// TestRefusals checks the message and exit code of wrong command lines, and that they print no
// result and write no files.
func TestRefusals(t *testing.T) {
	const misspelt = "study: bad\nquestion: Is a misspelt key refused?\ndata: {name: shapes}\nmodel: {hiden: 64}\n"
	const joint = "study: joint\nquestion: Has it features?\ndata: {name: shapes, images: 60}\nencoder: {name: cnn}\nmodel: {attention: none}\n"
	clitest.Sandbox(t, map[string]string{"misspelt.yaml": misspelt, "joint.yaml": joint, "notes.txt": "no picture"})
	for _, c := range []struct {
		args string
		code int
		want []string // in standard error
	}{
		{"features misspelt.yaml", 2, []string{"misspelt.yaml:4: "}},
		{"features", 2, []string{"missing argument: STUDY.yaml"}},
		{"bench trian", 2, []string{`unknown command "bench trian"; did you mean train?`}},
		{"bench train misspelt.yaml", 2, []string{"misspelt.yaml:4: "}},
		{"bench train --set train.epocs=3", 2, []string{"--set train.epocs=3: ", `"epochs"`}},
		{"bench train --arm sft", 2, []string{"--arm sft", "none, soft"}},
		{"bench train --steps 0", 2, []string{"--steps 0: must be at least 1"}},
		{"bench train --warm-up -1", 2, []string{"--warm-up -1: must be at least 0"}},
		{"bench train --device tpu", 2, []string{`device "tpu"`}},
		{"bench features joint.yaml", 2, []string{"study joint has no features to compute: encoder cnn is trained with the captioner"}},
		{"bench scaling", 2, []string{"-o DIR is missing"}},
		{"bench scaling -o scaling --axis hiden", 2, []string{"--axis hiden", "hidden, regions, beam"}},
		{"bench decode --images 0", 2, []string{"--images 0"}},
		{"bench decode joint.yaml --run 3f2a", 2, []string{"leave out the study, --set and --arm"}},
		{"bench decode --run 3f2a", 1, []string{"no results database results.db"}},
		{"bench score --images 1", 2, []string{"--images 1: must be at least 2"}},
		{"bench store --epochs 0", 2, []string{"--epochs 0"}},
		{"caption notes.txt", 2, []string{"no captioner found: choose a run with --run"}},
		{"caption notes.txt --run 3f2a --captioner c", 2, []string{"--run and --captioner exclude each other"}},
		{"pack 3f2a", 2, []string{"-o FILE is missing"}},
		{"caption notes.txt --run 3f2a --beam 0", 2, []string{"--beam must be at least 1"}},
		{"caption notes.txt --run 3f2a --json --jsonl", 2, []string{"--json and --jsonl exclude each other"}},
		{"caption notes.txt --run 3f2a", 1, []string{"no results database results.db"}},
		{"illustrate demo --images 21", 2, []string{"--images must be 0 to 20"}},
		{"reproduce 3f2a --threads -1", 2, []string{"--threads must not be negative"}},
		{"trial 3f2a --db other.db", 1, []string{"no results database other.db"}},
	} {
		code, stdout, stderr := call(t, c.args)
		if code != c.code || stdout != "" {
			t.Errorf("glimpse %s: exit code %d, want %d; on standard output %q; on standard error %q", c.args, code, c.code, stdout, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("glimpse %s: standard error lacks %q:\n%s", c.args, want, stderr)
			}
		}
	}
	for _, made := range []string{"results.db", "other.db", "scaling", "runs"} {
		if _, err := os.Stat(made); err == nil {
			t.Errorf("a rejected command made %s", made)
		}
	}
}

// TestHelp checks that the help of every verb has examples.
func TestHelp(t *testing.T) {
	clitest.Sandbox(t, nil)
	for _, verb := range []string{"features", "caption", "pack", "swap", "ensemble", "illustrate", "reproduce", "audit",
		"bench", "bench train", "bench features", "bench decode", "bench score", "bench store", "bench limits", "bench scaling"} {
		if code, help, _ := call(t, verb+" --help"); code != 0 || !strings.Contains(help, "Examples:\n  ") {
			t.Errorf("glimpse %s --help: exit code %d, no example in\n%s", verb, code, help)
		}
	}
}

// TestHelpFits checks that help fits a terminal of 80 columns.
func TestHelpFits(t *testing.T) {
	for _, line := range clitest.WideHelp(newRoot()) {
		t.Error(line)
	}
}
