//go:build unix && !linux

package runner

import (
	"os/exec"
	"strings"
)

// place is unknown: claims are judged by their heartbeats alone.
func place() string { return "" }

// processStart says nothing about processes where place is unknown.
func processStart(int) (start string, alive bool) { return "", true }

// cpuModel returns the processor's name where sysctl knows it.
func cpuModel() string {
	name, _ := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output()
	return strings.TrimSpace(string(name))
}

// rssUnit is the unit of rusage's ru_maxrss in bytes (getrusage(2) of macOS).
const rssUnit = 1
