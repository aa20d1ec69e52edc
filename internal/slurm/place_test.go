package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/runner"
)

// recorded answers in Slurm's place, and keeps what was asked.
type recorded struct {
	asked   []string
	answers map[string]string // program → what it says
	refuse  map[string]error
}

func (r *recorded) ask(_ context.Context, program string, args ...string) (string, error) {
	r.asked = append(r.asked, program+" "+strings.Join(args, " "))
	return r.answers[program], r.refuse[program]
}

func (r *recorded) count(program string) (n int) {
	for _, asked := range r.asked {
		if strings.HasPrefix(asked, program+" ") {
			n++
		}
	}
	return n
}

func newPlace(t *testing.T, change func(*Settings)) (*Place, *recorded) {
	t.Helper()
	s := Defaults()
	if change != nil {
		change(&s)
	}
	p, err := New(s, filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	p.Study, p.Engine, p.Device, p.Spec = "demo", "/opt/glimpse engine", "auto", "study: demo\n"
	p.Environment = []string{"GLIMPSE_CACHE=/cache of mine"}
	r := &recorded{answers: map[string]string{"sbatch": "7\n", "scontrol": "MaxArraySize = 3\n"}, refuse: map[string]error{}}
	p.ask = r.ask
	return p, r
}

func makeJobs(t *testing.T, p *Place, n int) []string {
	t.Helper()
	var jobs []string
	for i := range n {
		job := fmt.Sprintf("run%d/1", i)
		if err := os.MkdirAll(filepath.Join(p.Folder(), job), 0o700); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// queueOf is what squeue says of jobs that are in a state.
func queueOf(p *Place, jobs []string, state string) string {
	var b strings.Builder
	for _, job := range jobs {
		t := p.tasks[job]
		fmt.Fprintf(&b, "7|%d|8|%s|Priority|%s%s\n", t.Task, state, comment, t.Submission)
	}
	return b.String()
}

// TestStuck holds that jobs which Slurm holds after it could not start them are cancelled and count as
// gone, with the reason, and that jobs which people hold are waited for.
func TestStuck(t *testing.T) {
	p, r := newPlace(t, nil)
	jobs := makeJobs(t, p, 3)
	if err := p.Submit(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	queue := ""
	for i, reason := range []string{"launch failed requeued held", "JobHoldMaxRequeue", "JobHeldUser"} {
		queue += strings.ReplaceAll(queueOf(p, jobs[i:i+1], "PENDING"), "Priority", reason)
	}
	r.answers["squeue"] = queue
	sights, err := p.Look(t.Context(), jobs)
	if err != nil || !slices.Contains(r.asked, "scancel --quiet 7_0 7_1") {
		t.Fatalf("%v, asked %q", err, r.asked)
	}
	for i, want := range []runner.Sight{
		{State: runner.JobGone, Why: "launch failed requeued held"}, {State: runner.JobGone, Why: "JobHoldMaxRequeue"},
		{State: runner.JobWaiting, Why: "JobHeldUser"},
	} {
		if got := sights[jobs[i]]; got.State != want.State || got.Why != want.Why {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	r.answers["squeue"] = ""
	if sights, err = p.Look(t.Context(), jobs); err != nil || sights[jobs[0]].Why != "launch failed requeued held" {
		t.Errorf("%+v, %v: the reason stays known", sights[jobs[0]], err)
	}
}

// TestStuckFeatures holds that features which Slurm cannot start to compute end the study.
func TestStuckFeatures(t *testing.T) {
	p, r := newPlace(t, nil)
	p.features = true
	jobs := makeJobs(t, p, 1)
	if err := p.Submit(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	r.answers["squeue"] = "9|N/A|9|PENDING|launch failed requeued held|" + comment + p.filling.id + "\n"
	if _, err := p.Look(t.Context(), jobs); err == nil || !strings.Contains(err.Error(), "launch failed requeued held") ||
		!slices.Contains(r.asked, "scancel --quiet 9") {
		t.Errorf("%v, asked %q", err, r.asked)
	}
}

// TestSubmit holds that arrays keep to Slurm's limit, and that another process finds the jobs
// again.
func TestSubmit(t *testing.T) {
	p, r := newPlace(t, func(s *Settings) { s.TrialsPerJob = 2 })
	jobs := makeJobs(t, p, 13)
	if err := p.Submit(t.Context(), jobs); err != nil || r.count("sbatch") != 3 {
		t.Fatalf("%v, asked %q", err, r.asked)
	}
	if a, b := p.tasks[jobs[5]], p.tasks[jobs[6]]; a.Task != 2 || b.Task != 0 || a.Submission == b.Submission {
		t.Errorf("%+v, %+v", a, b)
	}
	later := At(p.Folder())
	later.ask = r.ask
	r.answers["squeue"] = queueOf(p, jobs[:3], "PENDING") + queueOf(p, jobs[12:], "RUNNING")
	r.answers["sacct"] = "7_0|COMPLETED\n7_1|NODE_FAIL\n7_2|TIMEOUT\n"
	sights, err := later.Look(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	for job, want := range map[string]runner.Sight{
		jobs[0]: {State: runner.JobWaiting, Why: "Priority"}, jobs[3]: {State: runner.JobWaiting, Why: "Priority"}, // it shares a task
		jobs[5]: {State: runner.JobGone, Why: "TIMEOUT"}, jobs[8]: {State: runner.JobGone, Why: "NODE_FAIL"},
		jobs[12]: {State: runner.JobRunning},
	} {
		got := sights[job]
		if got.Log == "" || got.State != want.State || got.Why != want.Why {
			t.Errorf("%s: %+v, want %+v", job, got, want)
		}
	}
	if _, err := later.Look(t.Context(), jobs); err != nil || r.count("sacct") != 2 {
		t.Errorf("%v: how a job ended is asked %d times", err, r.count("sacct"))
	}
	r.answers["squeue"] = queueOf(p, jobs[:4], "PENDING")
	if err := later.Cancel(t.Context(), jobs[2:3]); err != nil || !slices.Contains(r.asked, "scancel --quiet --state=PENDING 7_1 7_1") {
		t.Errorf("%v, asked %q", err, r.asked)
	}
}

// TestLateAccounting holds that how a job ended is asked for again until it is known.
func TestLateAccounting(t *testing.T) {
	p, r := newPlace(t, nil)
	jobs := makeJobs(t, p, 1)
	if err := p.Submit(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	for _, look := range []struct{ said, why string }{{"", ""}, {"7_0|RUNNING\n", ""}, {"7_0|TIMEOUT\n", "TIMEOUT"}, {"", "TIMEOUT"}} {
		r.answers["sacct"] = look.said
		if sights, err := p.Look(t.Context(), jobs); err != nil || sights[jobs[0]].Why != look.why {
			t.Errorf("%q: %+v, %v, want %s", look.said, sights[jobs[0]], err, look.why)
		}
	}
	if r.count("sacct") != 3 {
		t.Errorf("asked %q", r.asked)
	}
}

// TestJobsOfOthers holds that another user's jobs, which Slurm may hide, are never taken for gone.
func TestJobsOfOthers(t *testing.T) {
	p, _ := newPlace(t, nil)
	job := makeJobs(t, p, 1)[0]
	text := fmt.Sprintf(`{"submission": "s", "task": 0, "user": %d}`, os.Getuid()+1)
	if err := write(filepath.Join(p.Folder(), job, ticketFile), text); err != nil {
		t.Fatal(err)
	}
	if sights, err := p.Look(t.Context(), []string{job}); err != nil || sights[job].State != runner.JobWaiting {
		t.Errorf("%+v, %v", sights, err)
	}
}

// TestRefusedSubmission holds that what was taken before is cancelled.
func TestRefusedSubmission(t *testing.T) {
	p, r := newPlace(t, nil)
	jobs := makeJobs(t, p, 4)
	refused := errors.New("Invalid partition name specified")
	p.ask = func(ctx context.Context, program string, args ...string) (string, error) {
		if said, err := r.ask(ctx, program, args...); program != "sbatch" || r.count("sbatch") < 2 {
			return said, err
		}
		r.answers["squeue"] = queueOf(p, jobs[:3], "PENDING")
		return "", refused
	}
	if err := p.Submit(t.Context(), jobs); !errors.Is(err, refused) || r.count("scancel") != 2 {
		t.Errorf("%v, asked %q", err, r.asked)
	}
}

// TestSilentQueue holds that whatever keeps squeue from answering is silence, and no sign that jobs
// ended.
func TestSilentQueue(t *testing.T) {
	p, r := newPlace(t, nil)
	r.refuse["squeue"] = errors.New("exit status 1")
	if _, err := p.Look(t.Context(), nil); !errors.Is(err, runner.ErrSilent) {
		t.Error(err)
	}
	delete(r.refuse, "squeue")
	r.refuse["sacct"] = errors.New("Slurm accounting storage is disabled")
	jobs := makeJobs(t, p, 2)
	if err := p.Submit(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if sights, err := p.Look(t.Context(), jobs); err != nil || sights[jobs[0]].State != runner.JobGone || sights[jobs[0]].Why != "" {
			t.Errorf("%+v, %v", sights, err)
		}
	}
	if r.count("sacct") != 1 {
		t.Errorf("asked %d times", r.count("sacct"))
	}
}

// TestFeaturesFirst holds that trials wait for the job that computes features, and what becomes of
// the study if that fails.
func TestFeaturesFirst(t *testing.T) {
	p, r := newPlace(t, nil)
	var joint, frozen experiments.Settings
	joint.Encoder.Name, frozen.Encoder.Name = "cnn", "efficientnet_lite0"
	jobs := makeJobs(t, p, 1)
	_ = p.Fill(t.Context(), joint, nil, "", 0, nil)
	if err := p.Submit(t.Context(), jobs); err != nil || r.count("sbatch") != 1 {
		t.Fatalf("%v, %q", err, r.asked)
	}
	_ = p.Fill(t.Context(), frozen, nil, "", 0, nil)
	err := p.Submit(t.Context(), jobs)
	if last := r.asked[len(r.asked)-1]; err != nil || r.count("sbatch") != 3 ||
		!strings.Contains(last, "--dependency=afterok:7 --kill-on-invalid-dep=yes") {
		t.Fatalf("%v, %q", err, r.asked)
	}
	r.answers["squeue"] = queueOf(p, jobs, "PENDING")
	folder := p.filling.folder
	if err := os.WriteFile(filepath.Join(folder, "job.out"), []byte("no space left\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Look(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Look(t.Context(), jobs); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "done"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Look(t.Context(), jobs); err != nil || p.after != "" {
		t.Error(err, p.after)
	}
}

func TestPreview(t *testing.T) {
	p, _ := newPlace(t, func(s *Settings) {
		s.Partition, s.GRES, s.ArrayLimit, s.Scratch = "gpu", "gpu:1", 20, "/scratch"
		s.Setup, s.RunWith = "module load cuda\n", "apptainer exec x.sif"
		s.Sbatch = []string{"--exclusive"}
	})
	p.folder = "/shared/my jobs"
	p.features = true
	var b bytes.Buffer
	if err := p.Preview(&b, 24); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/preview.txt", b.Bytes())
}

// TestTrialsScript runs the script of a task without Slurm: with an engine that saves when it is
// told to.
func TestTrialsScript(t *testing.T) {
	for name, c := range map[string]struct {
		signal  string
		requeue string // scontrol's exit code
		code    int
		again   bool
	}{
		"done":                   {"", "0", 0, false},
		"told to stop":           {"TERM", "0", 130, false},
		"time is up":             {"USR1", "0", 130, false},
		"time is up, no requeue": {"USR1", "1", 130, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := newPlace(t, func(s *Settings) { s.TrialsPerJob = 2 })
			dir := t.TempDir()
			put := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			p.Engine = filepath.Join(dir, "my engine")
			put("my engine", "echo \"$*\" >&2\n[ -n \"$STAY\" ] || exit 0\ntrap 'exit 130' TERM\n: >\"$3/begun\"\nwhile :; do sleep 0.05; done\n")
			put("scontrol", "echo \"$*\" >>"+dir+"/requeued\nexit "+c.requeue+"\n")
			jobs := makeJobs(t, p, 3)
			s, err := p.newSubmission(2)
			if err == nil {
				err = errors.Join(write(filepath.Join(s.folder, "tasks"), strings.Join(jobs, "\n")+"\n"),
					write(filepath.Join(s.folder, "script.sh"), p.trialsScript(s)))
			}
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", filepath.Join(s.folder, "script.sh"))
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SLURM_ARRAY_JOB_ID=9", "SLURM_ARRAY_TASK_ID=0", "STAY="+c.signal)
			if c.signal != "" {
				cmd.Args = []string{"sh", "-c", `sh "$0" & pid=$!
until [ -e "$1/begun" ] && [ -e "$2/begun" ]; do sleep 0.05; done
kill -$3 $pid; wait $pid`,
					filepath.Join(s.folder, "script.sh"), filepath.Join(p.Folder(), jobs[0]), filepath.Join(p.Folder(), jobs[1]), c.signal}
			}
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != c.code {
				t.Errorf("exit code %d, want %d: %s", cmd.ProcessState.ExitCode(), c.code, out)
			}
			for i, job := range jobs {
				said, _ := os.ReadFile(filepath.Join(p.Folder(), job, "log.txt"))
				if want := "trial --job " + filepath.Join(p.Folder(), job) + "\n"; i < 2 && string(said) != want || i == 2 && len(said) > 0 {
					t.Errorf("job %d says %q, want %q", i, said, want)
				}
				if _, err := os.Stat(filepath.Join(p.Folder(), job, "again")); (err == nil) != (c.again && i < 2) {
					t.Errorf("job %d: again: %v", i, err)
				}
			}
			requeued, _ := os.ReadFile(filepath.Join(dir, "requeued"))
			if want := map[bool]string{true: "requeue 9_0\n"}[c.signal == "USR1"]; string(requeued) != want {
				t.Errorf("requeued %q, want %q", requeued, want)
			}
		})
	}
}
