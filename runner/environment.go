package runner

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Environment is what a trial was run in, as recorded with it.
type Environment struct {
	Commit  string `json:"commit,omitempty"` // of the working directory's git, if it has one
	Dirty   bool   `json:"dirty"`            // tracked files differed from the commit
	Host    string `json:"host"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPU     string `json:"cpu,omitempty"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"`
	Device  string `json:"device,omitempty"`
	// Versions are those of Go, and of the libraries that the caller names.
	Versions     map[string]string `json:"versions"`
	PeakRSSBytes int64             `json:"peak_rss_bytes"` // of the trial's last process
	Timings      *timings          `json:"timings,omitempty"`
	Attempts     int64             `json:"attempts"`
}

// environment looks around. What cannot be found out is left empty.
func environment(ctx context.Context, cfg *TrialConfig) Environment {
	host, _ := os.Hostname()
	versions := map[string]string{"go": runtime.Version()}
	for name, version := range cfg.Versions {
		versions[name] = version
	}
	e := Environment{
		Host: host, OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Cores: runtime.NumCPU(),
		Threads: cfg.Threads, Device: cfg.Device, Versions: versions, PeakRSSBytes: peakRSS(),
	}
	e.Commit, e.Dirty = commit(ctx, cfg.DB.Path())
	return e
}

// commit asks git for the commit of the working directory and whether tracked
// files differ from it. The results database itself does not count.
func commit(ctx context.Context, database string) (hash string, dirty bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	hash, err := git("rev-parse", "HEAD")
	if err != nil {
		return "", false
	}
	args := []string{"status", "--porcelain", "--untracked-files=no", "--", ":/"}
	if top, err := git("rev-parse", "--show-toplevel"); err == nil {
		if inside, err := filepath.Rel(top, database); err == nil && filepath.IsLocal(inside) {
			args = append(args, ":(top,exclude,literal)"+filepath.ToSlash(inside))
		}
	}
	changes, err := git(args...)
	return hash, err == nil && changes != ""
}

// peakRSS returns the largest resident size of this process so far, in bytes.
func peakRSS() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return int64(usage.Maxrss) * rssUnit
}
