package runner

import (
	"context"
	"os"
	"runtime"
	"syscall"
)

// Environment is what a trial was run in, as recorded with it.
type Environment struct {
	Commit string `json:"commit,omitempty"` // of the working directory's git, if it has one
	Dirty  bool   `json:"dirty"`            // tracked files differed from the commit
	// Changes are what they differed in; nil if they did not.
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
	// Rewinds are the times that the trial went back to an earlier checkpoint, or to its beginning, because a later
	// one could not be loaded: in which attempt, to where, and why.
	Rewinds []string `json:"rewinds,omitempty"`
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
		Threads: cfg.Threads, Waiting: cfg.Waiting, Device: cfg.Device, GPU: cfg.GPU, Versions: versions, PeakRSSBytes: peakRSS(), Command: cfg.CommandLine,
	}
	if !cfg.NoGit {
		e.Commit, e.Changes = commit(ctx, cfg.DB.Path(), cfg.StudyFiles)
		e.Dirty = e.Changes != nil
	}
	return e
}

// peakRSS returns the largest resident size of this process so far, in bytes.
func peakRSS() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return int64(usage.Maxrss) * rssUnit
}
