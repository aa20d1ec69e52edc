package main

import (
	"os"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/cli/clitest"
	"glimpse/internal/term"
)

// call runs a command line in this process.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return clitest.Call(t, newRoot(), args...)
}

const goodSpec = `study: good
question: Is it planned?
data: {name: shapes, images: 60}
encoder: {name: cnn}
model: {attention: none}
`

const misspeltSpec = `study: bad
question: Is a misspelt key refused?
data: {name: shapes}
model: {hiden: 64}
`

// TestRefusals checks the message and exit code of wrong command lines, and that they print no
// result.
func TestRefusals(t *testing.T) {
	clitest.Sandbox(t, map[string]string{"good.yaml": goodSpec, "misspelt.yaml": misspeltSpec, "text.db": "This is no database."})
	for _, c := range []struct {
		args string
		code int
		want []string // in standard error
	}{
		{"pln", 2, []string{`unknown command "pln"; did you mean plan?`, "run `glimpse --help` for a list of commands"}},
		{"help pln", 2, []string{"glimpse: unknown command \"pln\"; did you mean plan?\n"}},
		{"help data infos", 2, []string{`unknown command "data infos"; did you mean info?`}},
		{"data infos", 2, []string{`unknown command "data infos"; did you mean info?`, "usage: glimpse data COMMAND"}},
		{"runs --jsn", 2, []string{"unknown flag --jsn; did you mean --json?", "usage: glimpse runs [STUDY] [flags] (details: `glimpse runs --help`)"}},
		{"new bad/name", 2, []string{`the name "bad/name"`}},
		{"new good --sweep model.hiden=1,2 -o -", 2, []string{`did you mean "model.hidden"?`}},
		{"new good --seeds -1", 2, []string{"--seeds -1: must be from 1 to 1000"}},
		{"new good -o good.yaml", 2, []string{"good.yaml already exists and is not overwritten"}},
		{"new good -o - --db text.db", 1, []string{"text.db", "not a results database"}},
		{"plan", 2, []string{"glimpse: missing argument: STUDY.yaml\n"}},
		{"plan good.yaml --jobs two", 2, []string{"glimpse: --jobs two: must be a whole number\n"}},
		{"tokenize lines.txt", 2, []string{"lines.txt"}},
		{"plan absent.yaml", 2, []string{"absent.yaml: cannot be read: no such file; give a study file"}},
		{"plan misspelt.yaml", 2, []string{`misspelt.yaml:4: unknown key "hiden"`, `did you mean "hidden"?`}},
		{"run misspelt.yaml", 2, []string{"misspelt.yaml:4: "}},
		{"data info misspelt.yaml", 2, []string{"misspelt.yaml:4: "}},
		{"plan good.yaml --set train.epocs=3", 2, []string{"--set train.epocs=3: ", `"epochs"`}},
		{"plan good.yaml --set train.epochs=many", 2, []string{"--set train.epochs=many: "}},
		{"run good.yaml --jobs -1", 2, []string{"--jobs -1: must be at least 0"}},
		{"run good.yaml --threads -1", 2, []string{"--threads must not be negative"}},
		{"run good.yaml --device tpu", 2, []string{`device "tpu": expected auto, cpu, cuda or cuda:N`}},
		{"data info shapes --set train.epochs=3", 2, []string{"shapes is the name of a data set"}},
		{"data info good.yaml --split seed", 2, []string{"--set data.split=seed"}},
		{"data export shapes", 2, []string{"-o DIR is missing"}},
		{"data export misspelt.yaml -o scenes", 2, []string{"misspelt.yaml:4: "}},
		{"data info flickr9k", 2, []string{`unknown data set "flickr9k"; did you mean "flickr8k"?`, "no folder or file has that name"}},
		{"data export photos -o refs", 2, []string{`unknown data set "photos"`, "no folder or file has that name"}},
		{"data info flickr8k --data nowhere", 1, []string{"nowhere"}},
		{"plan good.yaml --set data.name=flickr8k --set encoder.name=efficientnet_lite0 --data nowhere", 1, []string{"nowhere"}},
		{"runs", 1, []string{"no results database results.db: create one with `glimpse run STUDY.yaml`"}},
		{"runs --state done --db text.db", 2, []string{`"done"`, "queued, running, completed, failed, interrupted"}},
		{"show 3f2a --db other.db", 1, []string{"no results database other.db"}},
		{"report demo -o report", 1, []string{"no results database"}},
		{"runs --db text.db", 1, []string{"text.db", "not a results database"}},
		{"run good.yaml --db text.db", 1, []string{"text.db", "not a results database"}},
	} {
		code, stdout, stderr := call(t, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("glimpse %s: exit code %d, want %d", c.args, code, c.code)
		}
		if stdout != "" {
			t.Errorf("glimpse %s printed a result:\n%s", c.args, stdout)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("glimpse %s: standard error lacks %q:\n%s", c.args, want, stderr)
			}
		}
	}
	if text, err := os.ReadFile("text.db"); err != nil || string(text) != "This is no database." {
		t.Errorf("a file that is no database was changed: %q, %v", text, err)
	}
	for _, made := range []string{"results.db", "other.db", "report", "runs"} {
		if _, err := os.Stat(made); err == nil {
			t.Errorf("a refused command made %s", made)
		}
	}
}

// TestExamplesOfHelp loads the studies in examples, with their overrides.
func TestExamplesOfHelp(t *testing.T) {
	t.Chdir("../..")
	loaded := 0
	for _, verb := range newRoot().Commands() {
		for line := range strings.Lines(verb.Example) {
			words := strings.Fields(strings.ReplaceAll(line, "'", ""))
			if len(words) < 3 || words[0] != "glimpse" || !strings.HasPrefix(words[2], "experiments/") || words[1] == "new" {
				continue
			}
			var sets []string
			for i, word := range words {
				if word == "--set" {
					sets = append(sets, words[i+1])
				}
			}
			if _, err := experiments.Load(words[2], sets); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
			loaded++
		}
	}
	if loaded < 5 {
		t.Errorf("%d examples name a study", loaded)
	}
}

// TestHelp checks that every public verb is listed and has examples, and that results go to
// standard output.
func TestHelp(t *testing.T) {
	clitest.Sandbox(t, nil)
	code, root, stderr := call(t, "--help")
	if code != 0 || stderr != "" || !strings.Contains(root, "Exit codes: 0 done; 1 failed; 2 wrong usage") {
		t.Errorf("glimpse --help: exit code %d, %q, %q", code, root, stderr)
	}
	if code, next, stderr := call(t); code != 0 || stderr != "" || !strings.Contains(next, "\n  glimpse new mine ") {
		t.Errorf("glimpse alone: exit code %d, %q, %q", code, next, stderr)
	}
	if strings.Contains(root, "\n  trial ") {
		t.Error("the child's verb is listed")
	}
	for _, verb := range []string{"new", "plan", "run", "watch", "runs", "show", "report", "export", "data", "data info", "data fetch", "data export", "score", "compare", "audit", "doctor", "tokenize",
		"db", "db check", "db seal", "db backup", "db export", "db import", "db merge"} {
		code, help, _ := call(t, append(strings.Fields(verb), "--help")...)
		if code != 0 || !strings.Contains(help, "Examples:\n  ") {
			t.Errorf("glimpse %s --help: exit code %d, no example in\n%s", verb, code, help)
		}
		if first := strings.Fields(verb)[0]; !strings.Contains(root, "\n  "+first+" ") {
			t.Errorf("%s is not listed by glimpse --help", verb)
		}
	}
	for _, verb := range []string{"features", "caption", "pack", "swap", "ensemble", "illustrate", "reproduce", "bench"} {
		if !strings.Contains(root, "\n  "+verb+" ") {
			t.Errorf("the engine's %s is not listed by glimpse --help", verb)
		}
	}
	if code, script, _ := call(t, "completion", "bash"); code != 0 || !strings.Contains(script, "bash completion") {
		t.Errorf("completion bash: exit code %d", code)
	}
	_, help, _ := call(t, "completion", "bash", "--help")
	for line := range strings.SplitSeq(help, "\n") {
		if len(line) > term.UsualWidth {
			t.Errorf("help of completion bash does not fit: %q", line)
		}
	}
	if _, words, _ := call(t, "__complete", ""); !strings.Contains(words, "tokenize") || strings.Contains(words, "trial\t") {
		t.Errorf("completed verbs: %q", words)
	}
}

// Help lists every public verb in a group, and groups have no others.
func TestVerbGroups(t *testing.T) {
	root := newRoot()
	for _, c := range root.Commands() {
		if c.GroupID == "" && c.IsAvailableCommand() {
			t.Errorf("%s is in no group", c.Name())
		}
	}
	for _, group := range verbGroups {
		for _, verb := range group.verbs {
			if c, _, err := root.Find([]string{verb}); err != nil || c.Name() != verb {
				t.Errorf("the group %q names %s, which is no verb", group.title, verb)
			}
		}
	}
}

// TestHelpFits checks that help fits a terminal of 80 columns. The engine tests its own verbs.
func TestHelpFits(t *testing.T) {
	root := newRoot()
	for _, c := range root.Commands() {
		if c.DisableFlagParsing {
			root.RemoveCommand(c)
		}
	}
	for _, line := range clitest.WideHelp(root) {
		t.Error(line)
	}
}

// TestPlanOutput checks the parts of a plan that people and scripts look for.
func TestPlanOutput(t *testing.T) {
	clitest.Sandbox(t, map[string]string{"good.yaml": goodSpec})
	code, text, stderr := call(t, "plan", "good.yaml")
	if code != 0 || !strings.Contains(text, "good: Is it planned?") || !strings.Contains(text, "1 trial, 0 complete") {
		t.Errorf("exit code %d:\n%s%s", code, text, stderr)
	}
	if _, err := os.Stat("results.db"); err == nil {
		t.Error("planning made a database")
	}
	code, text, _ = call(t, "plan", "good.yaml", "--json")
	for _, want := range []string{`"study": "good"`, `"state": "queued"`, `"remaining": 1`, `"estimated_seconds": null`} {
		if !strings.Contains(text, want) {
			t.Errorf("plan --json, exit code %d, lacks %s:\n%s", code, want, text)
		}
	}
}

func TestDataInfo(t *testing.T) {
	clitest.Sandbox(t, map[string]string{"good.yaml": goodSpec})
	if code, text, stderr := call(t, "data", "info", "shapes"); code != 0 || !strings.Contains(text, "\ntrain ") {
		t.Errorf("data info shapes: exit code %d:\n%s%s", code, text, stderr)
	}
	if code, text, _ := call(t, "data", "info", "good.yaml", "--json"); code != 0 || !strings.Contains(text, `"images": 60`) {
		t.Errorf("data info good.yaml --json: exit code %d:\n%s", code, text)
	}
}

func TestDoctor(t *testing.T) {
	clitest.Sandbox(t, nil)
	t.Setenv("GLIMPSE_ENGINE", "")
	code, text, stderr := call(t, "doctor")
	if code != 0 {
		t.Errorf("exit code %d:\n%s%s", code, text, stderr)
	}
	for _, want := range []string{"absent  engine", "absent  flickr8k", "ok      database"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if err := os.WriteFile("broken.db", []byte("no database"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, text, stderr = call(t, "doctor", "--db", "broken.db", "--json")
	if code != 1 || !strings.Contains(text, `"state": "missing"`) || !strings.Contains(stderr, "database: ") {
		t.Errorf("with a broken database: exit code %d:\n%s%s", code, text, stderr)
	}
}
