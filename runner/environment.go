package runner

import (
	"context"
	"os"
	"runtime"
	"syscall"
)

// Environment is the recorded environment of a trial.
type Environment struct {
	Commit string `json:"commit,omitempty"` // of the working directory's git repository, if any
	Dirty  bool   `json:"dirty"`            // whether tracked files differed from the commit
	// Changes are the differences; nil if there were none.
	Changes *Changes `json:"changes,omitempty"`
	Command string   `json:"command,omitempty"` // the command line of the study
	Host    string   `json:"host"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	CPU     string   `json:"cpu,omitempty"`
	Cores   int      `json:"cores"`
	Threads int      `json:"threads"`
	// Waiting are the environment variables that set how idle threads wait. They affect times,
	// not results.
	Waiting string `json:"waiting,omitempty"`
	Device  string `json:"device,omitempty"`
	GPU     string `json:"gpu,omitempty"` // the maker's name of the GPU; "" for the CPU
	// Versions are the versions of Go and of the libraries that the caller lists.
	Versions map[string]string `json:"versions"`
	// Hashes are the SHA-256 of the data set, the vocabulary, and what the captioner was made
	// from; captions, splits and pictures are those of [data.Content].
	Hashes       map[string]string `json:"hashes,omitempty"`
	PeakRSSBytes int64             `json:"peak_rss_bytes"` // of the trial's last process
	Timings      *timings          `json:"timings,omitempty"`
	Attempts     int64             `json:"attempts"`
	// Rewinds lists each time the trial went back to an earlier checkpoint, or to its start,
	// because a later one could not be loaded: in which attempt, to where, and why.
	Rewinds []string `json:"rewinds,omitempty"`
}

// environment collects the trial's environment. What is unknown is left empty.
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
