package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMigrationsAreNumberedWithoutGaps(t *testing.T) {
	entries, err := fs.ReadDir(migrationFiles, "migrations")
	if err != nil || len(entries) != len(migrations) || len(migrations) == 0 {
		t.Fatalf("%d of %d migration files are used, %v", len(migrations), len(entries), err)
	}
}

// filled makes a closed database with a study of n runs in it, and gives its path.
func filled(t *testing.T, n int) string {
	t.Helper()
	db := open(t)
	if err := db.SaveStudy(context.Background(), Study{Name: "s"}, runs(n), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return db.Path()
}

// planned writes a study of n runs as the first schema has it.
func planned(db *DB, n int) error {
	_, err := db.writer.Exec("INSERT INTO studies (name, question, spec, created_ms) VALUES ('s', '', '', 1)")
	for i, run := range runs(n) {
		_, failed := db.writer.Exec("INSERT INTO runs (id, seed, settings, state, created_ms) VALUES (?, ?, ?, 'queued', 1)", run.ID, run.Seed, string(run.Settings))
		_, unlinked := db.writer.Exec("INSERT INTO study_runs (study, run, position, arm, swept) VALUES ('s', ?, ?, ?, '{}')", run.ID, i, run.Arm)
		err = errors.Join(err, failed, unlinked)
	}
	return err
}

// statement changes a closed database behind the store's back.
func statement(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedFilesAreLeftUntouched(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want error
	}{
		"text": {func(t *testing.T, path string) {
			write(t, path, []byte("study: mine\n# a spec given as --db by mistake\n"))
		}, ErrNotResults},
		"newer schema": {func(t *testing.T, path string) {
			statement(t, path, "INSERT INTO schema_migrations VALUES (999, 'future', 0)")
		}, ErrNewer},
		"another program's": {func(t *testing.T, path string) {
			_ = os.Remove(path)
			statement(t, path, "CREATE TABLE bookmarks (url TEXT)")
		}, ErrNotResults},
		"a study that leads elsewhere": {func(t *testing.T, path string) {
			statement(t, path, "INSERT INTO studies (name, question, spec, created_ms) VALUES ('../../x', '', '', 0)")
		}, ErrNotResults},
		"a run that leads elsewhere": {func(t *testing.T, path string) {
			statement(t, path, "PRAGMA foreign_keys = OFF; UPDATE runs SET id = '..' WHERE id = (SELECT MAX(id) FROM runs)")
		}, ErrNotResults},
		"cut short": {func(t *testing.T, path string) {
			raw := read(t, path)
			write(t, path, raw[:len(raw)/2])
		}, ErrDamaged},
		"overwritten": {func(t *testing.T, path string) {
			raw := read(t, path)
			copy(raw[8192:], bytes.Repeat([]byte{0xA5}, len(raw)-8192))
			write(t, path, raw)
		}, ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 50)
			c.make(t, path)
			before := read(t, path)
			for _, open := range []func(string) (*DB, error){Open, OpenReadOnly} {
				db, err := open(path)
				if err == nil {
					_ = db.Close()
				}
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v; want %q and the path", err, c.want)
				}
			}
			if !bytes.Equal(before, read(t, path)) {
				t.Error("the refused file was changed")
			}
			if files, _ := filepath.Glob(path + "-*"); files != nil {
				t.Errorf("left beside it: %v", files)
			}
		})
	}
}

func TestOpenSaysWhatIsWrongWithThePath(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNotResults) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "no", "results.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := OpenReadOnly(filepath.Join(dir, "results.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading what is not there: %v", err)
	}
	odd := filepath.Join(dir, "a?b#c%20d é.db")
	db, err := Open(odd)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(odd); err != nil {
		t.Errorf("odd characters in the name: %v", err)
	}
}

func TestClosedDatabaseIsOneFileThatAnyoneCanRead(t *testing.T) {
	path := filled(t, 3)
	dir := filepath.Dir(path)
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("closing left %v", files)
	}
	before := read(t, path)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := db.Runs(context.Background(), "s"); err != nil || len(list) != 3 {
		t.Errorf("%d runs, %v", len(list), err)
	}
	if err := db.SaveStudy(context.Background(), Study{Name: "t"}, nil, Declaration{}, nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("writing to it: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 || !bytes.Equal(before, read(t, path)) {
		t.Errorf("reading changed the file or left %v", files)
	}
}

func TestReadersSeeWhatAWriterCommits(t *testing.T) {
	db, ctx := open(t), context.Background()
	reader, err := OpenReadOnly(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(2), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	if list, err := reader.Runs(ctx, ""); err != nil || len(list) != 2 {
		t.Errorf("reader sees %d runs, %v", len(list), err)
	}
	// The last to close tidies up; closing first must not pull the file away.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if list, err := reader.Runs(ctx, ""); err != nil || len(list) != 2 {
		t.Errorf("reader sees %d runs after the writer closed, %v", len(list), err)
	}
}

// TestKilledWriter kills a process with -9 while it writes, again and again:
// what it had said to be committed is there, and the file is sound.
func TestKilledWriter(t *testing.T) {
	if path := os.Getenv("GLIMPSE_STORE_WRITER"); path != "" {
		writeForever(path)
	}
	path := filled(t, 1)
	for round := range 5 {
		var out bytes.Buffer
		cmd := exec.Command(os.Args[0], "-test.run=TestKilledWriter")
		cmd.Env = append(os.Environ(), "GLIMPSE_STORE_WRITER="+path)
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(60+37*round) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		db, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		run, err := db.Run(context.Background(), "aa00")
		if err != nil {
			t.Fatal(err)
		}
		epochs, err := db.Epochs(context.Background(), run.ID)
		said := strings.Count(out.String(), "\n")
		if err != nil || len(epochs) != run.Epochs || len(epochs) < said {
			t.Errorf("round %d: %d epochs, run says %d, the writer said %d, %v", round, len(epochs), run.Epochs, said, err)
		}
		if err := db.Check(context.Background()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func writeForever(path string) {
	ctx := context.Background()
	db, err := Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	run, _ := db.Run(ctx, "aa00")
	claim, _ := db.Claim(ctx, run, Owner{})
	if err := db.Rewind(ctx, claim, 0, Checkpoint{}); err != nil {
		os.Exit(1)
	}
	for epoch := 1; ; epoch++ {
		checkpoint := Checkpoint{Progress: json.RawMessage(`{}`), Epoch: &Epoch{Epoch: epoch}}
		if err := db.SaveCheckpoint(ctx, claim, checkpoint); err != nil {
			os.Exit(1)
		}
		fmt.Println(epoch)
	}
}

func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
