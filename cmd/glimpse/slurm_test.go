package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"glimpse/internal/cli"
)

var (
	slurmFaults = flag.Int("slurm-faults", 10, "how many faults TestSlurm makes")
	slurmTrials = flag.Int("slurm-trials", chaosArms*chaosSeeds, "how many trials TestSlurm's study has, a multiple of its three arms")
	slurmSeed   = flag.Uint64("slurm-seed", 1, "seed of their moments and kinds")
)

// placeSettings is the cluster.yaml for scripts/slurm.py's Slurm, with a time limit that no task
// reaches.
const placeSettings = "poll: 1\ntime: 30:00\n"

// TestSlurm runs a study on a Slurm of two nodes (scripts/slurm.py), while tasks are cancelled,
// killed and requeued, nodes go down, and daemons and the runner die. The results must be those of
// a local run, with each run completed once.
func TestSlurm(t *testing.T) {
	base := os.Getenv("GLIMPSE_TEST_SLURM")
	if base == "" {
		t.Skip("needs a Slurm, which `just test-slurm` has")
	}
	needEngine(t)
	home := newChaos(t, "home", *slurmTrials/chaosArms)
	if code := home.runner(t).wait(); code != cli.ExitDone {
		t.Fatalf("at home: exit code %d\n%s", code, home.said())
	}
	want := home.results(t)
	c := newChaos(t, "slurm", *slurmTrials/chaosArms)
	c.twice = true
	if err := os.WriteFile(filepath.Join(c.dir, "cluster.yaml"), []byte(placeSettings), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &slurmChaos{chaos: c, base: base, random: rand.New(rand.NewPCG(*slurmSeed, 0)), made: map[string]int{}}
	began := time.Now()
	f.run(t, *slurmFaults)
	if total := f.total(); total < *slurmFaults {
		t.Logf("only %d of %d faults were made before the study ended", total, *slurmFaults)
	}
	t.Logf("%d faults in %.0f s: %v", f.total(), time.Since(began).Seconds(), f.made)
	got := c.results(t)
	for id, text := range want {
		if got[id] != text {
			t.Errorf("run %s ended with\n%sat home\n%s", id, got[id], text)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(c.dir, "jobs", "*", "[0-9]*")); len(left) > 0 && f.total() == 0 {
		t.Errorf("jobs stay: %v", left)
	}
	if t.Failed() {
		t.Logf("the runner said:\n%s", c.said())
	}
}

// slurmChaos is a study on Slurm that is disturbed.
type slurmChaos struct {
	*chaos
	base   string // of Slurm
	random *rand.Rand
	made   map[string]int
}

func (f *slurmChaos) total() (n int) {
	for _, made := range f.made {
		n += made
	}
	return n
}

// start starts the study's runner.
func (f *slurmChaos) start(t *testing.T) *chaosRunner {
	t.Helper()
	cmd := exec.Command("glimpse", "run", f.spec, "--db", f.database(), "--threads", "1", "--on", "slurm")
	cmd.Stdout, cmd.Stderr = f, f
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

// run runs the study until it is complete, and causes faults meanwhile.
func (f *slurmChaos) run(t *testing.T, faults int) {
	t.Helper()
	runner := f.start(t)
	for deadline := time.Now().Add(30 * time.Minute); ; {
		select {
		case code := <-runner.ended:
			switch code {
			case cli.ExitDone:
				return
			case cli.ExitSomeFailed, cli.ExitInterrupted, -1:
				runner = f.start(t)
			default:
				t.Fatalf("the runner ended with exit code %d:\n%s", code, f.said())
			}
		case <-time.After(time.Duration(300+f.random.IntN(1500)) * time.Millisecond):
			if f.total() < faults {
				f.disturb(runner)
			}
		}
		if time.Now().After(deadline) {
			_ = runner.cmd.Process.Kill()
			t.Fatalf("not complete after 30 minutes:\n%s", f.said())
		}
	}
}

// disturb causes a fault of some kind, if possible.
func (f *slurmChaos) disturb(runner *chaosRunner) {
	tasks := strings.Fields(f.slurm("squeue", "--noheader", "--array", "--states=RUNNING", "--format=%F_%K"))
	kinds := []string{"cancel", "kill", "kill", "requeue", "down", "slurmctld", "slurmd-n1", "slurmd-n2", "runner", "twice"}
	kind := kinds[f.random.IntN(len(kinds))]
	switch kind {
	case "runner":
		if runner.cmd.Process.Kill() != nil {
			return
		}
	case "slurmctld", "slurmd-n1", "slurmd-n2":
		pid, err := os.ReadFile(filepath.Join(f.base, kind+".pid"))
		number, wrong := strconv.Atoi(strings.TrimSpace(string(pid)))
		if err != nil || wrong != nil || syscall.Kill(number, syscall.SIGKILL) != nil {
			return
		}
	case "down":
		node := []string{"NodeName=n1", "NodeName=n2"}[f.random.IntN(2)]
		f.slurm("scontrol", "update", node, "State=DOWN", "Reason=test")
		time.Sleep(200 * time.Millisecond)
		f.slurm("scontrol", "update", node, "State=RESUME")
	default:
		if len(tasks) == 0 {
			return
		}
		task := tasks[f.random.IntN(len(tasks))]
		switch kind {
		case "cancel":
			f.slurm("scancel", task)
		case "requeue":
			f.slurm("scontrol", "requeue", task)
		case "kill":
			if !f.kill() {
				return
			}
		case "twice": // as where a node is cut off
			if !f.again() {
				return
			}
		}
	}
	f.made[kind]++
}

// engines returns the processes that run jobs.
func (f *slurmChaos) engines() (pids []int) {
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range entries {
		pid, err := strconv.Atoi(filepath.Base(dir))
		command := commandOf(pid)
		if err == nil && strings.Contains(command, "\x00trial\x00--job\x00"+f.dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill kills the process of a trial.
func (f *slurmChaos) kill() bool {
	pids := f.engines()
	return len(pids) > 0 && syscall.Kill(pids[f.random.IntN(len(pids))], syscall.SIGKILL) == nil
}

// again starts a second process of a running job.
func (f *slurmChaos) again() bool {
	pids := f.engines()
	if len(pids) == 0 {
		return false
	}
	words := strings.Split(strings.TrimRight(commandOf(pids[f.random.IntN(len(pids))]), "\x00"), "\x00")
	if len(words) < 4 {
		return false // it has ended
	}
	cmd := exec.Command(words[0], words[1:]...)
	if cmd.Start() != nil {
		return false
	}
	go func() { _ = cmd.Wait() }()
	return true
}

// slurm runs a Slurm command, which may fail: the controller may be dead.
func (f *slurmChaos) slurm(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		_, _ = fmt.Fprintf(f, "(%s %s: %v)\n", name, strings.Join(args, " "), err)
	}
	return string(out)
}
