package server

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
)

// TestDatabasesComeAndGo holds that a database that is absent, damaged, replaced, or written
// while it is shown ends no server, and that the page says how things stand and follows.
func TestDatabasesComeAndGo(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path, broken := filepath.Join(dir, "results.db"), filepath.Join(dir, "broken.db")
	check(t, os.WriteFile(broken, []byte("SQLite format 3\x00 and then nothing of the kind"), 0o600))
	s := serve(t, Config{Places: []string{path, broken}})
	says := func(text string) func() bool {
		return func() bool {
			code, body := s.get(t, "/")
			if code != http.StatusOK {
				t.Fatalf("the start page is answered with %d", code)
			}
			return strings.Contains(body, text)
		}
	}
	for _, text := range []string{"the database does not exist", "broken.db: "} {
		if !says(text)() {
			t.Errorf("the start page does not say %q", text)
		}
	}
	if code, body := s.get(t, "/results/study/s"); code != http.StatusServiceUnavailable || !strings.Contains(body, "does not exist") {
		t.Errorf("a study of an absent database is answered with %d: %s", code, body)
	}
	db := planned(t, path, "first", "Is it there?", aRun("aaaaaaaaaaaa", "soft", 1))
	within(t, 20*time.Second, "a database that appears", says("Is it there?"))
	check(t, db.SaveStudy(ctx, store.Study{Name: "second", Question: "And this?"}, nil, store.Declaration{}, nil))
	within(t, 20*time.Second, "a study that is added", says("And this?"))
	check(t, db.Close())
	check(t, os.Rename(path, path+".away"))
	within(t, 20*time.Second, "a database that is moved", says("the database does not exist"))
	planned(t, path, "third", "Another file?", aRun("aaaaaaaaaaaa", "soft", 1))
	within(t, 20*time.Second, "a database that is replaced", says("Another file?"))
	if says("And this?")() {
		t.Error("the page still shows the file that was replaced")
	}
}

// TestNobodyIsKeptWaiting holds that pages are answered while a writer holds the lock, and that a
// writer gets it while pages are read.
func TestNobodyIsKeptWaiting(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	db := planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1))
	s := serve(t, Config{Places: []string{path}})
	stop := make(chan struct{})
	answered := make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				answered <- n
				return
			default:
				if code, _ := s.get(t, "/results/study/s"); code == http.StatusOK {
					n++
				}
			}
		}
	}()
	for i := range 50 {
		run, err := db.Run(ctx, "aaaaaaaaaaaa")
		check(t, err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		check(t, err)
		check(t, db.Interrupt(ctx, claim))
		if i%10 == 0 {
			s.changed()
		}
	}
	close(stop)
	if n := <-answered; n == 0 {
		t.Error("no page was answered meanwhile")
	}
	for _, name := range []string{"-journal", ".lock"} {
		if _, err := os.Stat(path + name); err == nil {
			t.Errorf("%s lies beside the database", name)
		}
	}
}

// TestFind holds which databases are found, under which names, and that links lead nowhere.
func TestFind(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	other := filepath.Join(elsewhere, "results.db")
	for _, path := range []string{at("a", "results.db"), at("a", "b", "results.db"), at("other.txt"), other} {
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte("SQLite format 3\x00"), 0o600))
	}
	check(t, os.WriteFile(at("a", "no.db"), []byte("a text"), 0o600))
	check(t, os.Symlink(elsewhere, at("link")))
	check(t, os.Symlink(other, at("link.db")))
	f, err := find([]string{at("a", "results.db"), dir, at("missing", "queue.db")}, map[string]string{elsewhere: "queue-2"})
	check(t, err)
	base := plain(filepath.Base(dir))
	want := map[string]string{
		at("a", "results.db"): "results", at("a", "b", "results.db"): base + "-a-b-results", at("missing", "queue.db"): "queue-3",
	}
	if len(f.paths) != len(want) {
		t.Errorf("found %v", f.paths)
	}
	for path, name := range want {
		if f.names[path] != name {
			t.Errorf("%s goes by the name %q, want %q", path, f.names[path], name)
		}
	}
}
