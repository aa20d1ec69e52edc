package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// FullVariable is the environment variable that makes [Each] strike more than a
// small sample: its value N strikes N times, and "all" every write in every way.
const FullVariable = "GLIMPSE_FAULTS"

// kinds are the ways in which each write is made to fail.
var kinds = []Fault{
	{Error: syscall.ENOSPC, Short: true, Lasting: true}, // the disk fills in the midst of a write, and stays full
	{Error: syscall.ENOSPC},
	{Error: syscall.EIO},
	{Error: syscall.EIO, Lasting: true},
	{Error: syscall.EROFS, Lasting: true},  // as a filesystem with errors is mounted anew
	{Error: syscall.ESTALE, Lasting: true}, // as a file server that was restarted
}

// Each calls try with one fault after the other: a sample of n, always the same,
// or as many as GLIMPSE_FAULTS asks for. total is how many writes an undisturbed
// run makes. try returns what was struck; what was lost it reports to its t.
func Each(t *testing.T, total, n int, try func(t *testing.T, fault Fault) Result) {
	t.Helper()
	var all []Fault
	for at := 1; at <= total; at++ {
		for _, kind := range kinds {
			kind.At = at
			all = append(all, kind)
		}
	}
	random := rand.New(rand.NewPCG(1, uint64(total)))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if asked := os.Getenv(FullVariable); asked == "all" {
		n = len(all)
	} else if number, err := strconv.Atoi(asked); err == nil {
		n = number
	}
	all = all[:min(n, len(all))]
	struck, lost := map[string]int{}, 0
	for _, fault := range all {
		name := fmt.Sprintf("%d of %d, %v, short %v, lasting %v", fault.At, total, fault.Error, fault.Short, fault.Lasting)
		var result Result
		if !t.Run(name, func(t *testing.T) { result = try(t, fault) }) {
			lost++
		}
		struck[result.Struck]++
	}
	t.Logf("%d faults at %d writes, %d different ones struck, %d not reached; results lost: %d",
		len(all), total, len(struck), struck[""], lost)
}
