//go:build unix && !linux

package runner

import (
	"os/exec"
	"strings"
)

// place is unknown here: claims are judged only by their heartbeats.
func place() string { return "" }

// processStart knows nothing about processes here.
func processStart(int) (start string, alive bool) { return "", true }

// cpuModel returns the processor's name, if sysctl knows it.
func cpuModel() string {
	name, _ := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output()
	return strings.TrimSpace(string(name))
}

// rssUnit is the unit of rusage's ru_maxrss in bytes (getrusage(2) of macOS).
const rssUnit = 1
