package server

import (
	"flag"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/internal/synthetic"
)

var (
	sizeRuns = flag.Int("size-runs", 0, "so many runs of 50 epochs are made for TestSize")
	sizeDB   = flag.String("size-db", "", "where TestSize keeps them, to be used again")
)

// TestSize tells what pages cost the first time and again, in CPU seconds and bytes:
//
//	go test ./server -run TestSize -v -timeout 1h -size-runs 10000 -size-db FILE
func TestSize(t *testing.T) {
	if *sizeRuns == 0 && *sizeDB == "" {
		t.Skip("-size-runs gives no number")
	}
	path := *sizeDB
	if path == "" {
		path = filepath.Join(t.TempDir(), "results.db")
	}
	if *sizeRuns > 0 {
		db, err := store.Open(path)
		check(t, err)
		check(t, synthetic.Fill(t.Context(), db, synthetic.Shape{Name: "large", Arms: 5, Seeds: *sizeRuns / 5, Epochs: 50, Images: 1}))
		check(t, db.Close())
	}
	s := serve(t, Config{Places: []string{path}})
	study := "/" + s.listed()[0].name + "/study/large"
	used, began := cpuSeconds(), time.Now()
	for _, page := range []string{"/", study, study, study + "?sort=seed", "/queue"} {
		_, body := s.get(t, page)
		now := cpuSeconds()
		t.Logf("%s: %d bytes, %.2f s CPU, %.2f s", page, len(body), now-used, time.Since(began).Seconds())
		used, began = now, time.Now()
	}
	within(t, 10*time.Minute, "the analysis", func() bool {
		st := s.listed()[0].study("large")
		st.mu.Lock()
		defer st.mu.Unlock()
		return !st.ended.IsZero()
	})
	_, body := s.get(t, study)
	t.Logf("analysed: %d bytes, %.2f s CPU, %.2f s", len(body), cpuSeconds()-used, time.Since(began).Seconds())
	var u syscall.Rusage
	check(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	t.Logf("memory at most: %d MB", u.Maxrss>>10)
}

// cpuSeconds is how long the process has computed.
func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of this process it is always known
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
