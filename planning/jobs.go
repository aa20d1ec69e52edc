package planning

import (
	"fmt"
	"os"
	"runtime"

	"glimpse/experiments"
)

// trialMemory is what a trial is reckoned to need, in bytes: half a gigabyte for a captioner of Flickr8k, doubled.
const trialMemory = 1 << 30

// Jobs gives how many trials run at a time where asked is 0. Trials of one thread each get more done than fewer with
// several (docs/performance.md), as long as there are trials and memory for all. Where trials are given up by comparison
// with others it is one, so that what is given up does not depend on the machine.
func Jobs(asked int, study *experiments.Study, trials int, gpu bool) int {
	switch {
	case asked > 0:
		return asked
	case gpu || study.Sweep.Prune.Active():
		return 1
	}
	return max(1, min(runtime.NumCPU(), trials, int(availableMemory()/trialMemory)))
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
