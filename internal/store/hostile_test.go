package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// impatient makes statements give up a lock at once: sooner than a busy machine
// opens a file, which must not matter.
func impatient(t *testing.T) {
	before := patience
	patience = 2 * time.Millisecond
	t.Cleanup(func() { patience = before })
}

// expect checks the kind of an error, and that it says what to do.
func expect(t *testing.T, what string, err, kind error, advice string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), advice) {
		t.Errorf("%s: got %v; want %q and %q", what, err, kind, advice)
	}
}

func TestFullDisk(t *testing.T) {
	db, ctx := open(t), context.Background()
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(2), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	var pages int
	if err := db.writer.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		if _, err := db.writer.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	full := db.SaveStudy(ctx, Study{Name: "big", Spec: strings.Repeat("x", 1<<20)}, runs(2), Declaration{}, nil)
	expect(t, "full disk", full, ErrDiskFull, "free some space and run again; recorded results are kept")
	if list, err := db.Runs(ctx, "s"); err != nil || len(list) != 2 {
		t.Errorf("%d runs, %v", len(list), err)
	}
	limit(1 << 30)
	if err := db.SaveStudy(ctx, Study{Name: "big", Spec: strings.Repeat("x", 1<<20)}, runs(2), Declaration{}, nil); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

func TestLockedForTooLong(t *testing.T) {
	impatient(t)
	path := filled(t, 2)
	for name, lock := range map[string]string{"by a writer": "BEGIN IMMEDIATE", "alone": "BEGIN EXCLUSIVE"} {
		holder, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		holder.SetMaxOpenConns(1)
		if _, err := holder.Exec(lock); err != nil {
			t.Fatal(err)
		}
		_, err = Open(path)
		expect(t, name, err, ErrLocked, "find the process that holds it (fuser, lsof), or try again later")
		if lock == "BEGIN EXCLUSIVE" { // others may read beside a writer, not what it may be in the middle of writing
			_, err = OpenReadOnly(path)
			expect(t, name+", reading", err, ErrLocked, "find the process that holds it (fuser, lsof), or try again later")
		}
		_ = holder.Close()
		db, err := Open(path)
		if err != nil {
			t.Fatalf("%s: once it is free: %v", name, err)
		}
		_ = db.Close()
	}
}

func TestNetworkFilesystem(t *testing.T) {
	t.Setenv(NetworkVariable, "")
	path := filled(t, 1)
	live := open(t)
	networkOf = func(string) string { return "NFS" }
	defer func() { networkOf = networkFilesystem }()
	_, err := Open(path)
	expect(t, "writing", err, ErrNetwork, "(NFS)")
	expect(t, "writing", err, ErrNetwork, "glimpse db merge")
	_, err = OpenReadOnly(live.Path())
	expect(t, "reading what is being written", err, ErrNetwork, "(NFS)")
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatalf("reading what lies still: %v", err)
	}
	_ = db.Close()
	t.Setenv(NetworkVariable, "1")
	if db, err = Open(path); err != nil {
		t.Fatalf("at its owner's risk: %v", err)
	}
	_ = db.Close()
}

// TestWithoutPermission opens files that may not be written, as a user to whom
// permissions apply.
func TestWithoutPermission(t *testing.T) {
	if path := os.Getenv("GLIMPSE_STORE_OPEN"); path != "" {
		_, err := Open(path)
		expect(t, path, err, ErrReadOnly, "get write permission on the file and its directory, or use another --db")
		db, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := db.Runs(context.Background(), ""); err != nil || len(list) != 2 {
			t.Errorf("%d runs, %v", len(list), err)
		}
		return
	}
	for name, c := range map[string]struct{ file, dir os.FileMode }{
		"file": {0o444, 0o777}, "folder": {0o666, 0o555}, "both": {0o444, 0o555},
	} {
		t.Run(name, func(t *testing.T) {
			// A folder of its own, because those of tests are their user's alone.
			dir, err := os.MkdirTemp("", "glimpse-store-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o777); _ = os.RemoveAll(dir) })
			path, program := filepath.Join(dir, "results.db"), filepath.Join(dir, "test")
			raw := read(t, filled(t, 2))
			write(t, path, raw)
			write(t, program, read(t, os.Args[0]))
			if err := errors.Join(os.Chmod(program, 0o755), os.Chmod(path, c.file), os.Chmod(dir, c.dir)); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "-test.run=^TestWithoutPermission$")
			cmd.Env = append(os.Environ(), "GLIMPSE_STORE_OPEN="+path)
			cmd.Dir = "/"
			if os.Getuid() == 0 { // may write anything
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if string(read(t, path)) != string(raw) {
				t.Error("the file was changed")
			}
			if files, _ := filepath.Glob(path + "*"); len(files) != 1 {
				t.Errorf("left %v", files)
			}
		})
	}
}

func TestZeroedPagesAreDamage(t *testing.T) {
	good := read(t, filled(t, 50))
	for page := 1; page*4096 < len(good); page += 3 {
		path := filepath.Join(t.TempDir(), "results.db")
		raw := append([]byte(nil), good...)
		clear(raw[page*4096 : (page+1)*4096])
		write(t, path, raw)
		for _, open := range []func(string) (*DB, error){Open, OpenReadOnly} {
			if db, err := open(path); err == nil { // a page that nothing uses
				err = db.Check(context.Background())
				_ = db.Close()
				if err != nil {
					t.Errorf("page %d: opened, though %v", page, err)
				}
			} else {
				expect(t, fmt.Sprint("page ", page), err, ErrDamaged, "restore a backup, or use another --db")
			}
		}
	}
}
