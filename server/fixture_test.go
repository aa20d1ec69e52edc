package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/internal/synthetic"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// noStop stands for the stopping of studies where a test stops none.
func noStop(context.Context, string, string) ([]store.Run, error) { return nil, nil }

// A served server answers until its test ends.
type served struct {
	*Server
	client *http.Client // with the token
}

func serve(t testing.TB, c Config) *served {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := New(ctx, c)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	jar, err := cookiejar.New(nil)
	check(t, err)
	one := &served{s, &http.Client{Jar: jar}}
	code, _ := one.get(t, strings.TrimPrefix(s.Link(), one.at("")))
	if code != http.StatusOK {
		t.Fatalf("the link is answered with %d", code)
	}
	return one
}

// at is the address of a path.
func (s *served) at(path string) string {
	return s.scheme() + "://" + s.listener.Addr().String() + path
}

// get gives the answer to a request.
func (s *served) get(t testing.TB, path string) (code int, body string) {
	t.Helper()
	answer, err := s.client.Get(s.at(path))
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(t, err)
	return answer.StatusCode, string(text)
}

// filled makes a database that holds a synthetic study, and gives its path.
func filled(t testing.TB, shape synthetic.Shape) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results.db")
	db, err := store.Open(path)
	check(t, err)
	check(t, synthetic.Fill(context.Background(), db, shape))
	check(t, db.Close())
	return path
}

// small is a study that is made in no time.
var small = synthetic.Shape{Name: "small", Arms: 2, Seeds: 3, Epochs: 3, Images: 10}

// planned records a study of some runs, which nobody has begun.
func planned(t testing.TB, path, name, question string, runs ...store.Run) *store.DB {
	t.Helper()
	db, err := store.Open(path)
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	check(t, db.SaveStudy(context.Background(), store.Study{Name: name, Question: question}, runs, store.Declaration{}, nil))
	return db
}

func aRun(id, arm string, seed int64) store.Run {
	return store.Run{ID: id, Arm: arm, Seed: seed, Settings: json.RawMessage(fmt.Sprintf(`{"seed": %d, "train": {"epochs": 2}}`, seed))}
}

// within waits for something that comes about by itself.
func within(t testing.TB, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, limit)
		}
	}
}
