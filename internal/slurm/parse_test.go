package slurm

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"testing"

	"glimpse/runner"
)

// TestSqueue reads what Slurm 22.05.8 said.
func TestSqueue(t *testing.T) {
	text, err := os.ReadFile("testdata/squeue-22.05.txt")
	if err != nil {
		t.Fatal(err)
	}
	const array, single = "demo-20261127T220006-934472", "demo-20261127T220007-0a0b0c"
	want := []queued{
		{"1_2", array, 2, "PENDING", "JobArrayTaskLimit"},
		{"1_0", array, 0, "RUNNING", "None"},
		{"1_1", array, 1, "RUNNING", "None"},
		{"4", single, -1, "PENDING", "Dependency"},
	}
	got := parseSqueue(string(text))
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i, sight := range []runner.Sight{{State: runner.JobWaiting, Why: "JobArrayTaskLimit"}, {State: runner.JobRunning}} {
		if got[i].sight() != sight {
			t.Errorf("%+v: %+v, want %+v", got[i], got[i].sight(), sight)
		}
	}
}

// TestLaterSqueue reads what was not recorded, but derived from the sources of Slurm 24.11.5
// (src/squeue/print.c, src/common/slurm_protocol_defs.c, src/slurmctld/job_mgr.c): 22.05.8 to 25.11.1
// print these fields by the same lines, and 24.11 has more reasons.
func TestLaterSqueue(t *testing.T) {
	text, err := os.ReadFile("testdata/squeue-24.11.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		id    string
		task  int
		state string
		stuck bool
	}{
		{"31_0", 0, runner.JobWaiting, true}, {"31_1", 1, runner.JobWaiting, true}, {"31_2", 2, runner.JobWaiting, false},
		{"31_3", 3, runner.JobRunning, false}, {"31_4", 4, runner.JobWaiting, false}, {"36", -1, runner.JobWaiting, true},
	}
	got := parseSqueue(string(text))
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		if q := got[i]; q.id != w.id || q.task != w.task || q.sight().State != w.state || q.stuck() != w.stuck {
			t.Errorf("%+v is %+v, stuck: %v; want %+v", q, q.sight(), q.stuck(), w)
		}
	}
}

// TestSacct reads what Slurm 22.05.8 said, with slurmdbd, and lines that were made up.
func TestSacct(t *testing.T) {
	recorded, err := os.ReadFile("testdata/sacct-22.05.txt")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]map[int]string{
		string(recorded): {0: "COMPLETED", 1: "FAILED", 2: "CANCELLED", 3: "TIMEOUT", 4: "NODE_FAIL", 5: "NODE_FAIL", 6: "TIMEOUT"},
		"12_1|CANCELLED by 1000\n12_2|NODE_FAIL\n12_2|OUT_OF_MEMORY\n12_[3-9]|PENDING\n13|TIMEOUT|\n\nerror: x\n": {
			1: "CANCELLED", 2: "OUT_OF_MEMORY", -1: "TIMEOUT"},
	} {
		if got := parseSacct(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestSbatch(t *testing.T) {
	for text, want := range map[string]string{
		"12\n": "12", "12;cluster\n": "12", "welcome to this place\n13\n": "13", "": "", "Submitted batch job 12\n": "", "0\n": "", "-1\n": "",
	} {
		if got, err := parseSbatch(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestMaxArraySize(t *testing.T) {
	for text, want := range map[string]int{
		"MailProg                = /bin/mail\nMaxArraySize            = 4001\nMaxBatchRequeue = 5\n": 4001,
		"": 1001, "MaxArraySize = 0": 1001, "MaxArraySize = a": 1001,
	} {
		if got := parseMaxArraySize(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestSilence tells what Slurm's silence looks like from what it refuses.
func TestSilence(t *testing.T) {
	for said, silent := range map[string]bool{
		"slurm_load_jobs error: Unable to contact slurm controller (connect failure)":                          true,
		"sbatch: error: Batch job submission failed: Socket timed out on send/recv operation":                  true,
		"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying":                         true,
		"sbatch: error: Batch job submission failed: Invalid partition name specified":                         false,
		"sbatch: error: QOSMaxSubmitJobPerUserLimit":                                                           false,
		"sbatch: error: Batch job submission failed: Requested node configuration is not available":            false,
		"sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, …)": false,
	} {
		ask := "printf '%s\\n' \"$1\" >&2; exit 1"
		_, err := run(t.Context(), "sh", "-c", ask, "sh", said)
		if err == nil || errors.Is(err, runner.ErrSilent) != silent {
			t.Errorf("%s: %v", said, err)
		}
	}
	if _, err := run(t.Context(), "no-such-slurm"); err == nil || errors.Is(err, runner.ErrSilent) {
		t.Error(err)
	}
}

// TestAskedAlike holds that the user's defaults hide no job, and change nothing else.
func TestAskedAlike(t *testing.T) {
	for _, name := range []string{"SQUEUE_STATES", "SQUEUE_PARTITION", "SCANCEL_INTERACTIVE", "SACCT_FORMAT", "SBATCH_ACCOUNT", "SLURM_CONF"} {
		t.Setenv(name, "x")
	}
	got, err := run(t.Context(), "sh", "-c", "env | grep -E '^(SQUEUE|SCANCEL|SACCT|SBATCH|SLURM)_' | sort")
	if want := "SBATCH_ACCOUNT=x\nSLURM_CONF=x\n"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1|2|1|PENDING|None|glimpse:a\n")
	f.Add("12_0|CANCELLED by 0|\n12;c")
	f.Fuzz(func(t *testing.T, text string) {
		for _, q := range parseSqueue(text) {
			if !jobID.MatchString(q.id) || q.task < -1 {
				t.Errorf("%+v", q)
			}
		}
		for task := range parseSacct(text) {
			if task < -1 {
				t.Error(task)
			}
		}
		if id, err := parseSbatch(text); err == nil && !jobID.MatchString(id) {
			t.Errorf("%q", id)
		}
		if parseMaxArraySize(text) < 1 {
			t.Error(text)
		}
	})
}
