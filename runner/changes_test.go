package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// checkout makes the working directory one of git's with one commit of these files, and gives a function that writes more.
func checkout(t *testing.T, files map[string]string) (write func(name, text string)) {
	t.Helper()
	t.Chdir(t.TempDir())
	write = func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		write(name, text)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-qm", "first"}} {
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git %v: %v: %s", args, err, out)
		}
	}
	return write
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestCommitOfNoCheckout(t *testing.T) {
	t.Chdir(t.TempDir())
	if hash, changes := commit(t.Context(), "results.db", []string{"study.yaml"}); hash != "" || changes != nil {
		t.Errorf("%q, %+v", hash, changes)
	}
	if hash := Commit(t.Context()); hash != "" {
		t.Errorf("%q", hash)
	}
}

// Of a dirty checkout the differences of the study's files are kept, without secrets, and of all others their names and hashes.
func TestCommitKeepsTheStudyAlone(t *testing.T) {
	const password = "hunter2-pass"
	write := checkout(t, map[string]string{
		"experiments/study.yaml": "study: s\n", "experiments/base.yaml": "seed: 1\n", "experiments/other.yaml": "study: o\n",
		"deploy.env": "TOKEN=\n", "code.go": "one\n", "gone": "x\n", "results.db": "one\n", "a\n\"b\"": "x\n", "link": "x\n",
	})
	study := []string{"study.yaml", "base.yaml"} // as seen from the folder below
	if hash, changes := commit(t.Context(), "results.db", study); len(hash) != 40 || changes != nil {
		t.Fatalf("clean: %q, %+v", hash, changes)
	}
	write("results.db", "two\n")
	write("untracked.env", "TOKEN="+password)
	if hash, changes := commit(t.Context(), "results.db", study); len(hash) != 40 || changes != nil {
		t.Fatalf("clean but for the database and a file that is not tracked: %q, %+v", hash, changes)
	}
	write("deploy.env", "TOKEN="+password+"\n")
	write("code.go", password+strings.Repeat("line\n", maxDiff))
	write("experiments/other.yaml", "study: "+password+"\n")
	write("experiments/base.yaml", "seed: 2\n")
	write("experiments/study.yaml", "study: s # api_key="+password+"\n")
	write("a\n\"b\"", "y\n")
	for _, name := range []string{"gone", "link"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/zero", "link"); err != nil {
		t.Fatal(err)
	}
	whole, err := exec.Command("git", "diff", "HEAD", "--", ":/", ":(exclude)results.db").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimRight(string(whole), "\n")

	database, err := filepath.Abs("results.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("experiments")
	hash, changes := commit(t.Context(), database, study)
	if len(hash) != 40 || changes == nil {
		t.Fatalf("dirty: %q, %+v", hash, changes)
	}
	raw, err := json.Marshal(changes)
	if err != nil || strings.Contains(string(raw), password) {
		t.Errorf("%v: the token is recorded: %s", err, raw)
	}
	if changes.SHA256 != sumOf(want) || changes.Bytes != len(want) {
		t.Errorf("sha256 %s of %d bytes, want %s of %d", changes.SHA256, changes.Bytes, sumOf(want), len(want))
	}
	if d := changes.Diff; !strings.Contains(d, "-seed: 1\n+seed: 2") || !strings.Contains(d, "+study: s # api_key=[redacted]") ||
		strings.Contains(d, "other.yaml") || strings.Contains(d, "code.go") {
		t.Errorf("the study differs by\n%s", d)
	}
	for name, sum := range map[string]string{
		"deploy.env": sumOf("TOKEN=" + password + "\n"), "experiments/base.yaml": sumOf("seed: 2\n"), "a\n\"b\"": sumOf("y\n"),
		"gone": "", "link": sumOf("/dev/zero"),
	} {
		if got, listed := changes.Files[name]; got != sum || !listed {
			t.Errorf("%q: %q, want %q", name, got, sum)
		}
	}
	if len(changes.Files) != 8 || changes.More != 0 {
		t.Errorf("%d and %d files: %v", len(changes.Files), changes.More, changes.Files)
	}
}

func TestCommitOfManyChanges(t *testing.T) {
	files := map[string]string{"study.yaml": "x\n"}
	for i := range maxChanged + 9 {
		files[fmt.Sprintf("f%d", i)] = "x\n"
	}
	write := checkout(t, files)
	for name := range files {
		write(name, "y\n")
	}
	write("study.yaml", strings.Repeat("line\n", maxDiff))
	_, changes := commit(t.Context(), "results.db", []string{"study.yaml"})
	if changes == nil || len(changes.Files) != maxChanged || changes.More != 10 || len(changes.Diff) != maxDiff {
		t.Fatalf("%d and %d files, %d bytes of the study", len(changes.Files), changes.More, len(changes.Diff))
	}
}

// Who asks for it has nothing of git recorded.
func TestNoGit(t *testing.T) {
	write := checkout(t, map[string]string{"study.yaml": "x\n"})
	write("study.yaml", "y\n")
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cfg := TrialConfig{DB: db, Launch: Launch{StudyFiles: []string{"study.yaml"}}}
	if e := environment(t.Context(), &cfg); len(e.Commit) != 40 || !e.Dirty || e.Changes == nil {
		t.Errorf("%+v", e)
	}
	cfg.NoGit = true
	if e := environment(t.Context(), &cfg); e.Commit != "" || e.Dirty || e.Changes != nil {
		t.Errorf("%+v", e)
	}
}

// What a failing trial says is recorded and told without what looks like a secret, whether it ends with an error or dies.
func TestFailuresHoldNoSecrets(t *testing.T) {
	for _, kind := range []string{"leak", "told"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 1, Fault: fault{Kind: kind, Epoch: 1, Step: 1}}
			var told []Event
			summary, err := b.run(t.Context(), func(cfg *Config) { cfg.Progress = func(e Event) { told = append(told, e) } })
			if err != nil || summary.Failed != 2 {
				t.Fatalf("%+v, %v", summary, err)
			}
			if run := b.runs(t)[0]; !strings.Contains(run.Error, "http://host") {
				t.Errorf("what is recorded does not say what happened: %s", run.Error)
			}
			database, err := os.ReadFile(b.database())
			if err != nil {
				t.Fatal(err)
			}
			for where, text := range map[string]string{"database": string(database), "summary": fmt.Sprint(summary), "events": fmt.Sprintf("%+v", told)} {
				if strings.Contains(text, "hunter2-pass") {
					t.Errorf("the password is in the %s", where)
				}
			}
		})
	}
}

// What a study leaves beside its database is its owner's alone; and the group's, where the folder of all runs is.
func TestRunFoldersArePrivate(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 1}
	runs := filepath.Join(b.Dir, "runs")
	look := func(folder, file fs.FileMode) {
		t.Helper()
		if summary, err := b.run(t.Context(), nil); err != nil || summary.Completed != summary.Total {
			t.Fatalf("%+v, %v", summary, err)
		}
		found := 0
		for _, run := range b.runs(t) {
			if run.Seed != int64(b.Seeds) {
				continue
			}
			dir := RunDir(runs, run.ID)
			for path, want := range map[string]fs.FileMode{dir: folder, filepath.Join(dir, LogName): file} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%v, %v, want %o", info, err, want)
				}
			}
			found++
		}
		if found != 2 {
			t.Errorf("looked at %d runs", found)
		}
	}
	look(0o700, 0o600)
	if info, err := os.Stat(runs); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Chmod(runs, 0o770); err != nil {
		t.Fatal(err)
	}
	b.Seeds = 2
	look(0o770, 0o660)
}
