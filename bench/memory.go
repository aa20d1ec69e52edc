package bench

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memoryEvery is the sampling interval for anonymous memory, of which the system keeps no peak.
const memoryEvery = 20 * time.Millisecond

// memoryWatch measures the peak memory of this process.
type memoryWatch struct {
	mu        sync.Mutex
	anonymous float64 // peak so far, in MB
	done      chan struct{}
}

func watchMemory() *memoryWatch {
	w := &memoryWatch{anonymous: math.NaN(), done: make(chan struct{})}
	w.look()
	go func() {
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look()
			case <-w.done:
				return
			}
		}
	}()
	return w
}

func (w *memoryWatch) stop() { close(w.done) }

func (w *memoryWatch) look() {
	now := processMemory("RssAnon")
	w.mu.Lock()
	if !(w.anonymous > now) {
		w.anonymous = now
	}
	w.mu.Unlock()
}

// peak returns the peak resident memory since the process started, and the peak without mapped
// files since the watch started. Both are in MB of 1,000,000 bytes, and NaN where the system does
// not report them.
func (w *memoryWatch) peak() (resident, anonymous float64) {
	w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	return processMemory("VmHWM"), w.anonymous
}

// processMemory reads a field of /proc/self/status, in MB; NaN if there is none.
func processMemory(field string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return math.NaN()
	}
	return statusField(status, field)
}

// statusField parses a field such as "VmHWM:   2048 kB" and returns it in MB; NaN if it is missing.
func statusField(status []byte, field string) float64 {
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		value, found := strings.CutPrefix(lines.Text(), field+":")
		if !found {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		if err != nil {
			return math.NaN()
		}
		return kib * 1024 / 1e6
	}
	return math.NaN()
}
