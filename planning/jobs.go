package planning

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/runner"
)

// trialMemory is what a trial is reckoned to need, in bytes: half a gigabyte for a captioner of Flickr8k, doubled.
const trialMemory = 1 << 30

// Jobs gives how many trials run at a time where asked is 0. Trials of one thread each get more done than fewer with
// several (docs/performance.md), as long as there are trials and memory for all. Where trials are given up by comparison
// with others it is one, so that what is given up does not depend on the machine. Processors are those that this process
// may use, by affinity and by its control group's quota.
func Jobs(asked int, study *experiments.Study, trials int, gpu bool) int {
	switch {
	case asked > 0:
		return asked
	case gpu || study.Sweep.Prune.Active():
		return 1
	}
	return max(1, min(runtime.GOMAXPROCS(0), trials, int(availableMemory()/trialMemory)))
}

// ThreadsRemark says how many threads a trial gets where --threads is not given, and why. The load, which is that of [Load],
// decides nothing: what a trial learns depends on its threads in the last digits, and a study's trials shall not differ by what
// else ran beside them.
func ThreadsRemark(jobs int, load float64) string {
	threads := runner.ThreadsOf(jobs)
	remark := fmt.Sprintf("%s at a time, %s each, on %s", term.Plural(jobs, "trial"), term.Plural(threads, "thread"),
		term.Plural(runtime.GOMAXPROCS(0), "processor"))
	if load >= 1 {
		remark += fmt.Sprintf("; other programs are using them too (load %.1f), so this takes longer", load)
		if threads > 1 {
			remark += "; the number of threads is not reduced, because the last digits of results depend on it"
		}
	}
	return remark
}

// Load is how many threads of all programs wanted a processor in the last minute, on average; 0 where the system does not tell.
func Load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	return loadIn(string(text))
}

// loadIn is the first number of the text.
func loadIn(text string) float64 {
	first, _, _ := strings.Cut(text, " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}

// availableMemory is what processes can get without swapping, in bytes, and boundless where the system does not tell.
func availableMemory() int64 {
	const boundless = 1 << 60
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return boundless
	}
	defer f.Close()
	for {
		var key, unit string
		var kilobytes int64
		if _, err := fmt.Fscanln(f, &key, &kilobytes, &unit); err != nil {
			return boundless
		}
		if key == "MemAvailable:" {
			return kilobytes << 10
		}
	}
}
