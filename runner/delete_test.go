package runner

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"glimpse/internal/store"
)

// TestDelete deletes a completed run with its folder, leaves what another database has in the
// folder of another, and keeps a copy that has all that there was.
func TestDelete(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	created, err := db.Created(ctx)
	if err != nil {
		t.Fatal(err)
	}
	planned := []store.Run{{ID: "aa", Settings: json.RawMessage("{}")}, {ID: "bb", Settings: json.RawMessage("{}")}}
	if err := db.SaveStudy(ctx, store.Study{Name: "s"}, planned, store.Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	write := func(run, name string) string {
		path := filepath.Join(RunDir(DefaultDir(db), run), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("12345"), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, run := range []string{"aa", "bb"} {
		write(run, newNamer(created, 1).name(1)+".json")
		write(run, LogName)
	}
	foreign := write("bb", newNamer(created.Add(time.Hour), 1).name(1)+".json")
	run, err := db.Run(ctx, "aa")
	if err != nil {
		t.Fatal(err)
	}
	claim, err := db.Claim(ctx, run, store.Owner{Host: "elsewhere", PID: 1, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	running := (*store.RunningError)(nil)
	for name, try := range map[string]func() error{
		"plan":   func() error { _, err := PlanDeletion(ctx, db, []string{"s"}, nil); return err },
		"delete": func() error { _, err := Delete(ctx, db, []string{"s"}, nil); return err },
	} {
		if err := try(); !errors.As(err, &running) {
			t.Errorf("%s of a run at work: %v", name, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(db.Path()), "*before-delete*")); err != nil || len(left) > 0 {
		t.Errorf("a refused deletion leaves %v, %v", left, err)
	}
	if err := db.Complete(ctx, claim, store.Result{}); err != nil {
		t.Fatal(err)
	}

	dry, err := PlanDeletion(ctx, db, []string{"s"}, nil)
	if err != nil || len(dry.Runs) != 2 || dry.Bytes != 10 || dry.Backup != "" {
		t.Errorf("dry: %+v, %v", dry, err)
	}
	if runs, err := db.Members(ctx, "s"); err != nil || len(runs) != 2 {
		t.Errorf("after it %d runs, %v", len(runs), err)
	}
	done, err := Delete(ctx, db, []string{"s"}, nil)
	if err != nil || len(done.Runs) != 2 || done.Bytes != 10 || len(done.Recorded) != 1 || done.Backup == "" {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := os.Stat(RunDir(DefaultDir(db), "aa")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of aa: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a checkpoint of another database: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(foreign)); len(left) != 2 {
		t.Errorf("the folder of bb holds %v: want the other database's checkpoint and the log", left)
	}
	if again, err := PlanDeletion(ctx, db, []string{"s"}, nil); err == nil {
		t.Errorf("of what is left %+v goes", again)
	}
	backup, err := store.OpenReadOnly(done.Backup)
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if runs, err := backup.Members(ctx, "s"); err != nil || len(runs) != 2 {
		t.Errorf("the copy has %d runs, %v", len(runs), err)
	}
}
