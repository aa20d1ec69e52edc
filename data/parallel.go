package data

import (
	"runtime"
	"sync/atomic"

	"glimpse/internal/crash"
)

// inParallel calls do(0) … do(n-1) on all cores. With waiting > 1 it uses more goroutines than
// cores, for work that waits for the disk.
func inParallel(n, waiting int, do func(i int)) {
	workers := min(n, waiting*runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var all crash.Workers
	for range workers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	all.Wait()
}
