package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// TestServe checks that the printed link opens the pages, that a study can be stopped from them,
// and that an interrupt ends the verb.
func TestServe(t *testing.T) {
	background := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run := store.Run{ID: "aaaaaaaaaaaa", Arm: "soft", Seed: 1, Settings: []byte(`{}`)}
	if err := db.SaveStudy(background, store.Study{Name: "s"}, []store.Run{run}, store.Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(background)
	defer interrupt()
	root := newRoot()
	printed, out := io.Pipe()
	root.SetOut(out)
	root.SetArgs([]string{"serve", "--db", path, "--no-open", "--control"})
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	link, err := bufio.NewReader(printed).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	link = strings.TrimSpace(link)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	answer, err := client.Get(link)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v, %v", link, answer, err)
	}
	_ = answer.Body.Close()
	own, _, _ := strings.Cut(link, "/?")
	request, err := http.NewRequest(http.MethodPost, own+"/results/study/s/stop", strings.NewReader("confirm=stop"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", own)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if answer, err = client.Do(request); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("stop: %v, %v", answer, err)
	}
	_ = answer.Body.Close()
	if stopped, err := db.Run(background, run.ID); err != nil || !stopped.Stopped {
		t.Errorf("the run was not asked to stop: %+v, %v", stopped, err)
	}
	interrupt()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}
