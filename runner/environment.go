package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	Commit string `json:"commit,omitempty"` // of the working directory's git, if it has one
	Dirty  bool   `json:"dirty"`            // tracked files differed from the commit
	// Changes are what they differed in; nil where they did not.
	Changes *Changes `json:"changes,omitempty"`
	Command string   `json:"command,omitempty"` // the command line of the study
	Host    string   `json:"host"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	CPU     string   `json:"cpu,omitempty"`
	Cores   int      `json:"cores"`
	Threads int      `json:"threads"`
	// Waiting is what the environment says of how idle threads wait. Times depend on it, results do not.
	Waiting string `json:"waiting,omitempty"`
	Device  string `json:"device,omitempty"`
	GPU     string `json:"gpu,omitempty"` // the maker's name of the device, where it is a GPU
	// Versions are those of Go, and of the libraries that the caller names.
	Versions map[string]string `json:"versions"`
	// Hashes are the SHA-256 of the data set, the vocabulary, and of what the
	// captioner was made from; captions, splits and pictures are those of [data.Content].
	Hashes       map[string]string `json:"hashes,omitempty"`
	PeakRSSBytes int64             `json:"peak_rss_bytes"` // of the trial's last process
	Timings      *timings          `json:"timings,omitempty"`
	Attempts     int64             `json:"attempts"`
}

// Changes are the differences of a working directory's tracked files from its commit.
type Changes struct {
	SHA256 string `json:"sha256"` // of all of Diff
	Bytes  int    `json:"bytes"`  // of all of Diff
	Diff   string `json:"diff"`   // as git writes it, up to maxDiff bytes
}

// maxDiff is how much of a diff is kept with each run.
const maxDiff = 64 << 10

// environment looks around. What cannot be found out is left empty.
func environment(ctx context.Context, cfg *TrialConfig) Environment {
	host, _ := os.Hostname()
	versions := map[string]string{"go": runtime.Version()}
	for name, version := range cfg.Versions {
		versions[name] = version
	}
	e := Environment{
		Host: host, OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Cores: runtime.NumCPU(),
		Threads: cfg.Threads, Waiting: cfg.Waiting, Device: cfg.Device, GPU: cfg.GPU, Versions: versions, PeakRSSBytes: peakRSS(), Command: cfg.CommandLine,
	}
	e.Commit, e.Changes = commit(ctx, cfg.DB.Path())
	e.Dirty = e.Changes != nil
	return e
}

// Commit is the commit of the working directory's git, "" if it has none or cannot
// be asked. A database in it does not count as a change.
func Commit(ctx context.Context, database string) string {
	hash, _ := commit(ctx, database)
	return hash
}

// commit asks git for the commit of the working directory and what tracked
// files differ in. The results database itself does not count.
func commit(ctx context.Context, database string) (hash string, changes *Changes) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
		out, err := cmd.Output()
		return strings.TrimRight(string(out), "\n"), err
	}
	hash, err := git("rev-parse", "HEAD")
	if err != nil {
		return "", nil
	}
	args := []string{"diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--", ":/"}
	if top, err := git("rev-parse", "--show-toplevel"); err == nil {
		if inside, err := filepath.Rel(top, database); err == nil && filepath.IsLocal(inside) {
			args = append(args, ":(top,exclude,literal)"+filepath.ToSlash(inside))
		}
	}
	diff, err := git(args...)
	if err != nil || diff == "" {
		return hash, nil
	}
	sum := sha256.Sum256([]byte(diff))
	return hash, &Changes{
		SHA256: hex.EncodeToString(sum[:]), Bytes: len(diff), Diff: strings.ToValidUTF8(diff[:min(len(diff), maxDiff)], "?"),
	}
}

// peakRSS returns the largest resident size of this process so far, in bytes.
func peakRSS() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return int64(usage.Maxrss) * rssUnit
}
