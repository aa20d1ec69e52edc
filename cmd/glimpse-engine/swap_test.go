package main

import (
	"strings"
	"testing"

	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
)

// TestSwapRefusals checks which runs swap and ensemble reject.
// cmd/glimpse/testdata/engine/run.txtar checks what they do otherwise.
func TestSwapRefusals(t *testing.T) {
	clitest.Sandbox(t, nil)
	const signature = "data=shapes/official@0 tokenizer=ptb metrics=1"
	const settings = `{"data": {"name": "shapes", "split": "official", "min_count": 1, "captions_per_image": 5, "images": 60, "vocabulary": "train"}}`
	storeRuns(t, store.Study{Name: "made-up", Spec: "data: {name: shapes}"}, settings, []storedRun{
		{id: "aaaa", arm: "none", signature: signature, hidden: "1"},
		{id: "bbbb", arm: "none", queued: true, hidden: "3"},
		{id: "cccc", arm: "none", signature: signature, hidden: "2"},
		{id: "dddd", arm: "soft", signature: "data=shapes/official@1 tokenizer=ptb metrics=1", hidden: "1"},
	})
	for _, c := range []struct {
		args string
		code int
		want string // in standard error
	}{
		{"swap", 2, "missing argument: STUDY|RUN"},
		{"swap aaaa --device tpu", 2, `device "tpu"`},
		{"swap zzzz", 1, "and no run ID starts with that"},
		{"swap aaaa --db other.db", 1, "no results database other.db"},
		{"swap bbbb", 1, "no run is completed"},
		{"swap made-up", 1, "runs aaaa and cccc of arm none differ in more than their seed"},
		{"swap aaaa dddd", 1, "under different protocols"},
		{"swap aaaa aaaa", 2, "run aaaa is named twice"},
		{"swap aaaa", 1, "run aaaa was planned for other data "},
		{"ensemble aaaa dddd", 1, "under different protocols"},
		{"ensemble aaaa cccc --arm soft", 1, "at least two completed runs, but 0 runs of arm soft can take part"},
		{"ensemble aaaa", 1, "at least two completed runs, but 1 run can take part"},
		{"ensemble aaaa cccc --split train", 2, `--split "train": expected val or test`},
		{"ensemble aaaa cccc", 1, "run aaaa was planned for other data "},
	} {
		code, stdout, stderr := call(t, c.args)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("glimpse %s: exit code %d, want %d; %q on standard output; standard error lacks %q:\n%s",
				c.args, code, c.code, stdout, c.want, stderr)
		}
	}
}
