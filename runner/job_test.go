package runner

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
)

// makeJob writes the job of the bench's first trial, and gives the folder of all jobs and that of
// this one.
func makeJob(t *testing.T) (jobs, folder string) {
	t.Helper()
	jobs = filepath.Join(t.TempDir(), "jobs")
	trial := bench{Seeds: 1, Epochs: 1}.trials()[0]
	run, err := recordOf(trial)
	if err != nil {
		t.Fatal(err)
	}
	rows := studyRows{Study: store.Study{Name: "bench", Spec: "study: bench"}}
	shared, err := rows.share(jobs)
	if err != nil {
		t.Fatal(err)
	}
	job := Job{Launch: Launch{Run: run.ID, Attempt: 2}, Run: run, Shared: shared}
	if err := job.write(jobs); err != nil {
		t.Fatal(err)
	}
	return jobs, jobFolder(jobs, store.Claim{Run: run.ID, Attempt: 2})
}

func TestBadJobs(t *testing.T) {
	_, folder := makeJob(t)
	path := filepath.Join(folder, jobFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadJob(folder); err != nil {
		t.Fatal(err)
	}
	run := bench{Seeds: 1, Epochs: 1}.trials()[0].ID
	for old, bad := range map[string]string{
		`"attempt":2`: `"attempt":0`, `"run":"` + run: `"run":"other`, `"ID":"` + run: `"ID":"..`, `"study":"studies`: `"study":"../studies`,
		`.json"`: `.yaml"`, `{"launch"`: `["launch"`,
	} {
		text := strings.Replace(string(good), old, bad, 1)
		if text == string(good) {
			t.Errorf("%s is not in %s", old, good)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadJob(folder); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadJob(folder); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestStartsOfAJob holds that no two starts share a folder or an attempt's number with an earlier
// one, and that what cannot be passed on is tried again in the end.
func TestStartsOfAJob(t *testing.T) {
	jobs, folder := makeJob(t)
	job, err := ReadJob(folder)
	if err != nil {
		t.Fatal(err)
	}
	first, err := job.Begin(t.Context(), folder, t.TempDir())
	if err != nil || first.Launch.Attempt != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	defer first.End()
	aside := first.part.folder + "-aside"
	if err := os.Rename(first.part.folder, aside); err != nil {
		t.Fatal(err)
	}
	if err := first.Publish(t.Context(), false); !errors.As(err, new(*atomicfile.WriteError)) {
		t.Errorf("passed on to nowhere: %v", err)
	}
	time.AfterFunc(between/2, func() { _ = os.Rename(aside, first.part.folder) })
	if err := first.Publish(t.Context(), true); err != nil {
		t.Error(err)
	}
	second, err := job.Begin(t.Context(), folder, t.TempDir())
	if err != nil || second.Launch.Attempt != 3 || second.part.folder == first.part.folder {
		t.Fatalf("%+v, %v", second, err)
	}
	defer second.End()
	if err := second.DB.Complete(t.Context(), store.Claim{Run: job.Run.ID, Attempt: 3}, store.Result{CaptionsSHA256: "c"}); err != nil {
		t.Fatal(err)
	}
	if err := second.Publish(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if third, err := job.Begin(t.Context(), folder, t.TempDir()); third != nil || err != nil {
		t.Errorf("a completed run is begun again: %+v, %v", third, err)
	}
	all, err := parts(jobs, job.Run.ID)
	if err != nil || len(all) != 2 || all[0].start != 0 || all[1].start != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestStartFolders holds that whoever submits a job can enter the folders of its starts, and that
// those in a folder shared with a group are the group's as well.
func TestStartFolders(t *testing.T) {
	_, folder := makeJob(t)
	for n, want := range []os.FileMode{0o700, 0o770} {
		if err := os.Chmod(folder, want); err != nil {
			t.Fatal(err)
		}
		p, err := newPart(folder, 2)
		if err != nil || p.start != int64(n) {
			t.Fatalf("%+v, %v", p, err)
		}
		info, err := os.Stat(p.folder)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("in a folder of mode %o: mode %o, want %o", want, got, want)
		}
	}
}

func FuzzJob(f *testing.F) {
	raw, err := json.Marshal(Job{Launch: Launch{Run: "a", Attempt: 1}, Run: store.Run{ID: "a"}, Shared: "studies/x.json"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, text []byte) {
		folder := filepath.Join(t.TempDir(), "a", "1")
		if err := errors.Join(os.MkdirAll(folder, 0o700), os.MkdirAll(filepath.Join(jobsOf(folder), "studies"), 0o700),
			os.WriteFile(filepath.Join(jobsOf(folder), "studies", "x.json"), []byte("{}"), 0o600),
			os.WriteFile(filepath.Join(folder, jobFile), text, 0o600)); err != nil {
			t.Fatal(err)
		}
		if j, err := ReadJob(folder); err == nil && (!filepath.IsLocal(j.Launch.Run) || j.Launch.Attempt < 1) {
			t.Errorf("%+v", j)
		}
	})
}
