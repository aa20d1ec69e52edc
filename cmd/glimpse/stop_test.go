package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
)

// TestStopOfTheSilent checks that stop warns if a trial shows no sign of life.
func TestStopOfTheSilent(t *testing.T) {
	clitest.Sandbox(t, nil)
	db, err := store.Open("results.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs := []store.Run{
		{ID: "aaaaaaaaaaaa", Arm: "none", Seed: 1, Settings: json.RawMessage(`{"seed":1}`)},
		{ID: "bbbbbbbbbbbb", Arm: "none", Seed: 2, Settings: json.RawMessage(`{"seed":2}`)},
	}
	study := store.Study{Name: "s", Compare: json.RawMessage(`{"arms":"a"}`)}
	if err := db.SaveStudy(t.Context(), study, runs, store.Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	for i, lease := range []time.Duration{time.Millisecond, time.Hour} {
		run, err := db.Run(t.Context(), runs[i].ID)
		if err == nil {
			_, err = db.Claim(t.Context(), run, store.Owner{Host: "gone", PID: 7, Lease: lease})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(3 * time.Millisecond) // longer than the first one's lease
	code, out, said := call(t, "stop", "s")
	if code != cli.ExitDone || !strings.Contains(out, "running, no sign of life since") || !strings.Contains(out, "1 running trial asked") ||
		!strings.Contains(said, "note: no sign of life from 1 running trial, which may not notice") {
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
}
