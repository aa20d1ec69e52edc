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

// memoryEvery is how often the part of memory is looked at of which the system keeps no peak.
const memoryEvery = 20 * time.Millisecond

// memoryWatch finds the peak of this process's memory.
type memoryWatch struct {
	mu        sync.Mutex
	anonymous float64 // MB
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

// peak gives the most memory that the process has held since it began, and the most without mapped files since the watch
// began, both in MB (of 1,000,000 bytes); NaN where the system does not tell.
func (w *memoryWatch) peak() (resident, anonymous float64) {
	w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	return processMemory("VmHWM"), w.anonymous
}

// processMemory reads a field of /proc/self/status, in MB.
func processMemory(field string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return math.NaN()
	}
	return statusField(status, field)
}

// statusField finds a field in the form "VmHWM:   2048 kB".
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
