package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
	"glimpse/results/view"
)

// crashStudy has a trial for each way to crash, one that diverges, and one that completes.
const crashStudy = `
study: crash
question: Does one trial's end cost another?
data: {name: shapes, images: 60, min_count: 1}
encoder: {name: cnn, image_size: 32, channels: 4}
model: {embedding: 16, attention: soft, attention_size: 16, dropout: 0}
train: {epochs: 2, batch_images: 4, optimizer: {name: sgd, clip_norm: 0}, select: {metric: val.cider, beam: 1}}
decode: {beam: 1, max_length: 12}
sweep: {method: zip, over: {model.hidden: [8, 9, 10, 11, 12, 13], train.optimizer.lr: [0.1, 0.1, 0.1, 0.1, 1000, 0.1]}}
`

// TestCrashes has trials crash inside libtorch, run by the program itself. Each is recorded as
// failed with cause and place, the others are not affected, and running again retries those that
// may succeed.
func TestCrashes(t *testing.T) {
	needEngine(t)
	compiler := os.Getenv("CXX")
	if compiler == "" {
		compiler = "c++"
	}
	if _, err := exec.LookPath(compiler); err != nil || runtime.GOOS != "linux" {
		t.Skip("needs a C++ compiler, and a loader that preloads")
	}
	source, err := filepath.Abs(filepath.Join("testdata", "strike.cpp"))
	if err != nil {
		t.Fatal(err)
	}
	clitest.Sandbox(t, map[string]string{"crash.yaml": crashStudy})
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-o", "strike.so", source, "-ldl", "-pthread").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, stdout, _ := call(t, "plan", "crash.yaml", "--json")
	ids := regexp.MustCompile(`"id": "([0-9a-f]{12})"`).FindAllStringSubmatch(stdout, -1)
	if len(ids) != 6 {
		t.Fatalf("the plan has %d trials:\n%s", len(ids), stdout)
	}
	deaths := []struct {
		kind    string   // see strike.cpp
		failure string   // "" for none
		want    []string // in the recorded error, in this order
		again   bool     // does the same command mend it?
	}{
		{"fault", "crash", []string{"killed by signal 6, aborted: SIGSEGV: segmentation violation (last message: epoch 1, step ", "of 12)\n", "last lines of runs/", "signal arrived during cgo execution"}, true},
		{"kill", "crash", []string{"killed by signal 9, killed (perhaps out of memory) (last message: epoch 1, step "}, true},
		{"exception", "error", []string{": training: epoch 1, step 5 of 12: torch: ", ": struck"}, false},
		{"terminate", "crash", []string{"terminate called after throwing an instance of 'std::runtime_error' (last message: epoch 1, step ", "what():  struck in a thread of its own"}, true},
		{"", "loss", []string{": training: epoch 1, step ", "of 12: training diverged: the loss is ", "try a smaller train.optimizer.lr"}, false},
		{"", "", nil, true},
	}
	strikes := ""
	for i, death := range deaths {
		if death.kind != "" {
			strikes += fmt.Sprintf("%s=%s ", ids[i][1], death.kind)
		}
	}
	study := func(want int, environment []string, flags ...string) (stderr string) {
		t.Helper()
		cmd := exec.Command("glimpse", append([]string{"run", "crash.yaml", "--threads", "1", "--jobs", "2", "--pictures", "0"}, flags...)...)
		cmd.Env = append(os.Environ(), environment...)
		var said strings.Builder
		cmd.Stderr = &said
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("run %v: exit code %d, want %d:\n%s", flags, code, want, said.String())
		}
		return said.String()
	}
	run := func(i int) (r view.Run) {
		t.Helper()
		code, stdout, stderr := call(t, "show", ids[i][1], "--json")
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v: %s", code, err, stderr)
		}
		return r
	}
	said := study(cli.ExitSomeFailed, []string{"LD_PRELOAD=./strike.so", "STRIKE_AT=5", "STRIKE=" + strikes})
	if want := "5 of 6 trials failed: `glimpse show RUN` says why; `glimpse run` retries 3 of them, --retry-failed all"; !strings.Contains(said, want) {
		t.Errorf("%q is not said:\n%s", want, said)
	}
	for i, death := range deaths {
		r := run(i)
		if r.Failure != death.failure || (r.State == "failed") != (death.failure != "") {
			t.Errorf("%s: run is %s by %q, want %q: %s", death.kind, r.State, r.Failure, death.failure, r.Error)
		}
		_, shown, _ := call(t, "show", ids[i][1])
		for rest := r.Error; len(death.want) > 0; death.want = death.want[1:] {
			var found bool
			if _, rest, found = strings.Cut(rest, death.want[0]); !found {
				t.Errorf("%s: the error lacks %q, or has it too early:\n%s", death.kind, death.want[0], r.Error)
			}
			if line := strings.TrimSpace(death.want[0]); !strings.Contains(shown, line) {
				t.Errorf("%s: show lacks %q:\n%s", death.kind, line, shown)
			}
		}
	}
	said = study(cli.ExitSomeFailed, nil)
	if want := "2 of 6 trials failed: `glimpse show RUN` says why; fix the cause, then `glimpse run --retry-failed` retries them"; !strings.Contains(said, want) {
		t.Errorf("%q is not said:\n%s", want, said)
	}
	for i, death := range deaths {
		attempts := int64(1)
		if death.again && death.failure != "" {
			attempts = 2
		}
		if r := run(i); (r.State == "completed") != death.again || r.Attempt != attempts {
			t.Errorf("%s, run again: %s after %d attempts", death.kind, r.State, r.Attempt)
		}
	}
	study(cli.ExitSomeFailed, nil, "--retry-failed")
	for i, death := range deaths {
		if r := run(i); (r.State == "completed") != (death.failure != "loss") {
			t.Errorf("%s, with --retry-failed: %s", death.kind, r.State)
		}
	}
}
