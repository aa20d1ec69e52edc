package runner

import (
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"glimpse/internal/store"
)

// contest waits for two runners that share a study, and returns the most attempts that a trial took.
func (b bench) contest(t *testing.T, first, second *exec.Cmd) int64 {
	t.Helper()
	for _, cmd := range []*exec.Cmd{first, second} {
		endless := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
		defer endless.Stop()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	most := int64(0)
	for _, run := range b.runs(t) {
		if run.State != store.Completed {
			t.Errorf("run %s is %s after %d attempts: %s", run.ID, run.State, run.Attempt, run.Error)
		}
		most = max(most, run.Attempt)
	}
	return most
}

// TestTimeNamespaces lets a runner whose clock since boot is another share a study: the start of a process, by which it is
// known, is another there, and no reason to take it for dead.
func TestTimeNamespaces(t *testing.T) {
	t.Parallel()
	apart := []string{"--time", "--boottime", "100000"}
	if runtime.GOOS != "linux" || exec.Command("unshare", append(apart, "true")...).Run() != nil {
		t.Skip("this system, or this user, has no time namespaces")
	}
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 2, Fault: fault{Sleep: 20 * time.Millisecond}}
	want := reference(t, b)
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	first := b.start(t)
	wait(t, "both trials to start", func() bool { return len(b.running()) == 2 })
	second := exec.Command("unshare", append(apart, os.Args[0])...)
	second.Env = append(os.Environ(), runnerVariable+"="+string(raw))
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Process.Kill() })
	if most := b.contest(t, first, second); most != 1 {
		t.Errorf("a run took %d attempts", most)
	}
	same(t, b, want)
}

// TestMutualTakeover lets two runners take each other's trials for gone, whatever the reason may be: here, the database has
// them started at another time. They stop it after a few times, and the trials get done.
func TestMutualTakeover(t *testing.T) {
	t.Parallel()
	if place() == "" {
		t.Skip("processes cannot be told apart on this system")
	}
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 4, Jobs: 2, Lease: 6 * time.Second, Fault: fault{Sleep: 30 * time.Millisecond}}
	want := reference(t, b)
	first := b.start(t)
	wait(t, "both trials to start", func() bool { return len(b.running()) == 2 })
	second := b.start(t)
	db, err := sql.Open("sqlite3", b.database()+"?_busy_timeout=5000&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				_, _ = db.Exec("UPDATE runs SET owner_start = '1' WHERE state = 'running' AND owner_start <> '1'")
			}
		}
	}()
	most := b.contest(t, first, second)
	close(done)
	<-stopped
	_ = db.Close()
	if most < 2 || most > 8 {
		t.Errorf("a run took %d attempts; want a few", most)
	}
	same(t, b, want)
}
