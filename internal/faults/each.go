package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// FullVariable is the environment variable that makes [Each] try more than a small sample of
// faults: N tries N of them, and "all" every write in every way.
const FullVariable = "GLIMPSE_FAULTS"

// kinds are the ways in which each write is made to fail.
var kinds = []Fault{
	{Error: syscall.ENOSPC, Short: true, Lasting: true}, // the disk fills up during a write, and stays full
	{Error: syscall.ENOSPC},
	{Error: syscall.EIO},
	{Error: syscall.EIO, Lasting: true},
	{Error: syscall.EROFS, Lasting: true},  // as if a faulty filesystem was remounted read-only
	{Error: syscall.ESTALE, Lasting: true}, // as if a file server was restarted
}

// Each calls try with one fault after another: a fixed sample of n, or as many as GLIMPSE_FAULTS
// says. total is the number of writes of an undisturbed run. try returns the result, and reports
// lost results as failures of its t.
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
