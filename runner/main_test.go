package runner

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// The test binary is also the binary whose children run trials, and, where a
// runner is to be killed, the runner.
const (
	trialVariable  = "GLIMPSE_TEST_TRIAL"  // run a trial, which standard input tells
	jobVariable    = "GLIMPSE_TEST_JOB"    // make the attempt of a job's folder
	faultVariable  = "GLIMPSE_TEST_FAULT"  // a fault
	runnerVariable = "GLIMPSE_TEST_RUNNER" // a bench
)

func TestMain(m *testing.M) {
	var code int
	switch {
	case os.Getenv(trialVariable) != "":
		code = trialMain()
	case os.Getenv(jobVariable) != "":
		code = jobMain(os.Getenv(jobVariable))
	case os.Getenv(runnerVariable) != "":
		code = runnerMain(os.Getenv(runnerVariable))
	default:
		// These tests wait for processes more than they compute.
		flag.Parse()
		_ = flag.Set("test.parallel", "6")
		code = m.Run()
	}
	os.Exit(code)
}

// trialMain is the verb that runs one trial.
func trialMain() int {
	var f fault
	launch, control, err := ReadLaunch(os.Stdin)
	if err := errors.Join(err, json.Unmarshal([]byte(os.Getenv(faultVariable)), &f)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if f.Kind == "mute" {
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, err := store.OpenExisting(launch.Database)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = db.Close() }()
	checkpoint := make(chan os.Signal, 1)
	signal.Notify(checkpoint, syscall.SIGUSR1)
	if f.Kind == "often" {
		launch.SaveEvery = 5 * time.Millisecond
	}
	err = RunTrial(ctx, TrialConfig{
		Launch: launch, DB: db, Events: os.Stdout, Control: control, Checkpoint: checkpoint,
	}, &fakeEngine{fault: f, attempt: launch.Attempt})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// bench is a study to run, and where.
type bench struct {
	Dir    string
	Seeds  int
	Epochs int
	Jobs   int
	Fault  fault
	Lease  time.Duration
	Select string
	Retry  bool

	Silence time.Duration

	Reinforce int // epochs of it
	Patience  int
}

// runnerMain runs a study in this process, until SIGTERM.
func runnerMain(text string) int {
	var b bench
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	summary, err := b.run(ctx, nil)
	fmt.Printf("%+v %v\n", summary, err)
	if err != nil {
		return 1
	}
	return 0
}

// trials are soft and none, each with every seed.
func (b bench) trials() []experiments.Trial {
	var trials []experiments.Trial
	for i := range 2 * b.Seeds {
		arm := []string{"soft", "none"}[i%2]
		s := experiments.Settings{
			Data:   experiments.Data{Name: "shapes", Split: "official", MinCount: 1, CaptionsPerImage: 5, MaxLength: 24, Images: 60, Seed: 1, Vocabulary: "train"},
			Model:  experiments.Model{Attention: arm, Hidden: 16},
			Train:  experiments.Train{Epochs: b.Epochs, BatchImages: 4, Select: experiments.Select{Metric: "val.cider", Beam: 3}},
			Decode: experiments.Decode{Beam: 5, LengthPenalty: 0.7, MaxLength: 24},
			Seed:   int64(i/2 + 1),
		}
		s.Train.Select.Patience = b.Patience
		if b.Reinforce > 0 {
			s.Train.Reinforce = experiments.Reinforce{Epochs: b.Reinforce, LR: 2e-5, Metric: "cider_d", Samples: 1, Baseline: "greedy"}
		}
		if b.Select != "" {
			s.Train.Select.Metric = b.Select
		}
		trials = append(trials, experiments.Trial{
			ID: fmt.Sprintf("%s%08x", arm, s.Seed), Arm: arm, Settings: s, Swept: map[string]string{"model.attention": arm},
		})
	}
	return trials
}

func (b bench) database() string { return filepath.Join(b.Dir, "results.db") }

// run runs the study with trial processes of this binary.
func (b bench) run(ctx context.Context, change func(*Config)) (Summary, error) {
	db, err := store.Open(b.database())
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = db.Close() }()
	fault, err := json.Marshal(b.Fault)
	if err != nil {
		return Summary{}, err
	}
	cfg := Config{
		Study: &experiments.Study{Name: "bench", Question: "Does it run?"}, Trials: b.trials(), Spec: "study: bench",
		DB: db, Features: (&fakeEngine{}).Features, Jobs: b.Jobs, Lease: b.Lease, Poll: 20 * time.Millisecond, RetryFailed: b.Retry, Silence: b.Silence,
		Command: func(string) *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), runnerVariable+"=", trialVariable+"=yes", faultVariable+"="+string(fault))
			return cmd
		},
	}
	if change != nil {
		change(&cfg)
	}
	return Run(ctx, cfg)
}

// start runs the study in a process of its own.
func (b bench) start(t *testing.T) *exec.Cmd {
	t.Helper()
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), runnerVariable+"="+string(raw))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// runs reads what the database says of the study.
func (b bench) runs(t *testing.T) []store.Run {
	t.Helper()
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Check(context.Background()); err != nil {
		t.Error(err)
	}
	runs, err := db.Runs(context.Background(), "bench")
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// outcome is what must not depend on how a trial was disturbed.
func outcome(t *testing.T, b bench) map[string]string {
	t.Helper()
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	results := map[string]string{}
	for _, run := range b.runs(t) {
		epochs, err := db.Epochs(context.Background(), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintln(run.State, run.CaptionsSHA256, run.WeightsSHA256, run.Signature, run.BestEpoch, run.Metrics)
		for _, e := range epochs {
			text += fmt.Sprintln(e.Epoch, e.Loss, e.LR, e.Val, e.Sampled, e.Selected)
		}
		results[run.ID] = text
	}
	return results
}

// wait polls until a condition holds.
func wait(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
