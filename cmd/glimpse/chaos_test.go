package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"glimpse/internal/cli"
	"glimpse/internal/store"
)

var (
	chaosKills = flag.Int("chaos", 20, "how many signals TestChaos sends")
	chaosSeed  = flag.Uint64("chaos-seed", 1, "seed of their moments and victims")
)

// chaosStudy has epochs of tens of milliseconds, so an attempt that lives for a second makes
// progress.
const chaosStudy = `
study: chaos
question: Does anything get lost?
data: {name: shapes, images: 100, min_count: 1}
encoder: {name: cnn, image_size: 32, channels: 4}
model: {embedding: 16, hidden: 16, attention: soft, attention_size: 16, dropout: 0.2}
train: {epochs: 20, batch_images: 4, select: {metric: val.cider, beam: 1}}
decode: {beam: 2, max_length: 12}
sweep: {over: {model.attention: [none, soft, adaptive], seed: %s}}
`

const (
	chaosArms, chaosSeeds, chaosEpochs = 3, 2, 20
	chaosRunners                       = 2
)

// TestChaos has two runners share a study, and kills, ends or suspends them and their trials at
// random. A runner that ends is restarted. After all signals are sent, in as many rounds of the
// study as that takes, everything must be as in an undisturbed study. `just chaos` sends 200.
func TestChaos(t *testing.T) {
	needEngine(t)
	if runtime.GOOS != "linux" {
		t.Skip("its victims are found in /proc")
	}
	t.Parallel()
	reference := newChaos(t, "reference", chaosSeeds)
	if code := reference.runner(t).wait(); code != cli.ExitDone {
		t.Fatalf("undisturbed: exit code %d\n%s", code, reference.said())
	}
	want := reference.results(t)
	random := rand.New(rand.NewPCG(*chaosSeed, 0))
	sent, began := map[string]int{}, time.Now()
	left, rounds := *chaosKills, 0
	for ; left > 0; rounds++ {
		if rounds > *chaosKills {
			t.Fatalf("%d signals are left after %d rounds", left, rounds)
		}
		c := newChaos(t, fmt.Sprint("round", rounds), chaosSeeds)
		left = c.disturb(t, random, left, sent)
		got := c.results(t)
		for id, text := range want {
			if got[id] != text {
				t.Errorf("round %d: run %s ended with\n%swant\n%s", rounds, id, got[id], text)
			}
		}
		if t.Failed() {
			t.Fatalf("the runners said:\n%s", c.said())
		}
	}
	if sent["trial KILL"]+sent["trial TERM"]+sent["trial STOP"] == 0 {
		t.Errorf("no trial was sent any of %d signals: %v", *chaosKills, sent)
	}
	t.Logf("%d signals in %d rounds and %.0f s: %v", *chaosKills, rounds, time.Since(began).Seconds(), sent)
}

// chaos is a study that is disturbed.
type chaos struct {
	dir, spec string
	trials    int
	twice     bool // an attempt may have ended while a later one was at work
	mu        sync.Mutex
	output    strings.Builder
}

// newChaos makes a folder for the study, with the given number of seeds per arm.
func newChaos(t *testing.T, name string, seeds int) *chaos {
	c := &chaos{dir: filepath.Join(t.TempDir(), name), trials: chaosArms * seeds}
	list := make([]int, seeds)
	for i := range list {
		list[i] = i + 1
	}
	numbers, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	c.spec = filepath.Join(c.dir, "chaos.yaml")
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.spec, fmt.Appendf(nil, chaosStudy, numbers), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *chaos) database() string { return filepath.Join(c.dir, "results.db") }

// Write collects the output of runners.
func (c *chaos) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output.Write(p)
}

// said returns the end of the output.
func (c *chaos) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.output.String()
	return text[max(0, len(text)-8000):]
}

// chaosRunner is a process of `glimpse run`.
type chaosRunner struct {
	cmd   *exec.Cmd
	ended chan int // exit code, -1 after a signal
}

func (c *chaos) runner(t *testing.T) *chaosRunner {
	t.Helper()
	cmd := exec.Command("glimpse", "run", c.spec, "--db", c.database(), "--threads", "1", "--jobs", "2", "--lease", "2s")
	cmd.Stdout, cmd.Stderr = c, c
	cmd.WaitDelay = time.Second // children of a killed runner hold no pipe for long
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &chaosRunner{cmd, make(chan int, 1)}
	go func() {
		_ = cmd.Wait()
		r.ended <- cmd.ProcessState.ExitCode()
	}()
	return r
}

func (r *chaosRunner) wait() int { return <-r.ended }

// disturb runs the study until it is complete, and sends at most n signals meanwhile. It returns
// how many it did not send.
func (c *chaos) disturb(t *testing.T, random *rand.Rand, n int, sent map[string]int) int {
	var runners [chaosRunners]*chaosRunner
	for i := range runners {
		runners[i] = c.runner(t)
	}
	deadline := time.Now().Add(10 * time.Minute)
	for {
		pause := time.After(time.Duration(50+random.IntN(450)) * time.Millisecond)
		running := 0
		for i, r := range runners {
			if r == nil {
				continue
			}
			running++
			select {
			case code := <-r.ended:
				switch code {
				case cli.ExitDone:
					runners[i] = nil
				case cli.ExitSomeFailed, cli.ExitInterrupted, -1:
					runners[i] = c.runner(t)
				default:
					t.Errorf("a runner ended with exit code %d", code)
					runners[i] = nil
				}
			default:
			}
		}
		if running == 0 {
			return n
		}
		if time.Now().After(deadline) {
			t.Errorf("not complete after 10 minutes")
			for _, r := range runners {
				if r != nil {
					_ = r.cmd.Process.Kill()
				}
			}
			return n
		}
		<-pause
		if n == 0 {
			continue
		}
		victim, pid := "trial", 0
		if r := runners[random.IntN(chaosRunners)]; random.IntN(3) == 0 && r != nil {
			victim, pid = "runner", r.cmd.Process.Pid
		} else if trials := c.working(); len(trials) > 0 {
			pid = trials[random.IntN(len(trials))]
		}
		command := commandOf(pid)
		if pid == 0 || command == "" {
			continue
		}
		kind := []string{"KILL", "KILL", "TERM", "STOP"}[random.IntN(4)]
		asleep := time.Duration(100+random.IntN(3500)) * time.Millisecond
		number := map[string]syscall.Signal{"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM, "STOP": syscall.SIGSTOP}[kind]
		if syscall.Kill(pid, number) != nil {
			continue
		}
		if kind == "STOP" {
			time.AfterFunc(asleep, func() {
				if commandOf(pid) == command {
					_ = syscall.Kill(pid, syscall.SIGCONT)
				}
			})
		}
		sent[victim+" "+kind]++
		n--
	}
}

// working returns the processes that work on a run.
func (c *chaos) working() []int {
	db, err := store.OpenReadOnly(c.database())
	if err != nil {
		return nil // not made yet
	}
	defer db.Close()
	runs, err := db.Runs(context.Background(), "chaos")
	if err != nil {
		return nil
	}
	var pids []int
	for _, run := range runs {
		if run.State == store.Running && strings.Contains(commandOf(run.Owner.PID), "\x00trial\x00"+run.ID+"\x00") {
			pids = append(pids, run.Owner.PID)
		}
	}
	return pids
}

// owns reports whether a process belongs to this study: a runner by its command line, a trial by
// its open files.
func (c *chaos) owns(pid int) bool {
	if strings.Contains(commandOf(pid), c.database()) {
		return true
	}
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(open, func(fd string) bool {
		file, err := os.Readlink(fd)
		return err == nil && strings.HasPrefix(file, c.dir+string(filepath.Separator))
	})
}

// commandOf returns a process's command line; "" if there is none.
func commandOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(text)
}

// results checks the records of a finished study, and returns the results of each run.
func (c *chaos) results(t *testing.T) map[string]string {
	t.Helper()
	ctx := context.Background()
	for patience := 0; ; patience++ { // a trial that lost its claim may be on its way out
		entries, _ := filepath.Glob("/proc/[0-9]*")
		alive := slices.ContainsFunc(entries, func(dir string) bool {
			var pid int
			_, err := fmt.Sscanf(filepath.Base(dir), "%d", &pid)
			return err == nil && c.owns(pid)
		})
		if !alive {
			break
		}
		if patience > 300 {
			t.Error("a process of the study lives on")
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	db, err := store.OpenReadOnly(c.database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}
	if found, err := db.Findings(ctx, nil); err != nil || len(found.List) > 0 {
		t.Errorf("%+v, %v", found.List, err)
	}
	runs, err := db.Runs(ctx, "chaos")
	if err != nil || len(runs) != c.trials {
		t.Errorf("%d runs, %v; want %d", len(runs), err, c.trials)
	}
	results := map[string]string{}
	for _, run := range runs {
		attempts, err := db.Attempts(ctx, run.ID)
		if err != nil || int64(len(attempts)) != run.Attempt {
			t.Errorf("run %s: %d attempts are recorded, it counts %d (%v)", run.ID, len(attempts), run.Attempt, err)
		}
		completed := 0
		for i, a := range attempts {
			if a.Outcome == store.Completed {
				completed++
			}
			if last := i == len(attempts)-1; a.Number != int64(i+1) || a.Ended.IsZero() || !c.twice && (a.Outcome == store.Completed) != last {
				t.Errorf("run %s, attempt %d of %d: %+v", run.ID, i+1, len(attempts), a)
			}
		}
		if completed != 1 {
			t.Errorf("run %s: %d attempts completed it", run.ID, completed)
		}
		text := fmt.Sprintln(run.State, run.CaptionsSHA256, run.WeightsSHA256, run.Signature, run.BestEpoch, run.Metrics)
		epochs, err := db.Epochs(ctx, run.ID)
		if err != nil || len(epochs) != chaosEpochs || run.Epochs != chaosEpochs {
			t.Errorf("run %s: %d epochs, %v; want %d", run.ID, len(epochs), err, chaosEpochs)
		}
		for _, e := range epochs {
			text += fmt.Sprintln(e.Epoch, e.Loss, e.LR, e.Val, e.Selected)
		}
		results[run.ID] = text
		files, _ := filepath.Glob(filepath.Join(c.dir, "runs", run.ID, "*"))
		names := map[string]bool{} // of checkpoints
		for _, file := range files {
			stem, _, _ := strings.Cut(filepath.Base(file), ".")
			if stem != "log" {
				names[stem] = true
			}
		}
		if len(names) != 1 {
			t.Errorf("run %s leaves the checkpoints %v, want the best alone", run.ID, slices.Sorted(maps.Keys(names)))
		}
	}
	return results
}
