package runner

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// place identifies this machine, its boot and the namespaces of process ids and clocks, as the
// kernel names them: they make process ids comparable. It is "" if the kernel does not tell.
var place = sync.OnceValue(func() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	clocks, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		clocks = "" // before Linux 5.6 all processes share them
	}
	return strings.TrimSpace(strings.TrimSpace(string(boot)) + " " + namespace + " " + clocks)
})

// processStart returns when a process started, in clock ticks since boot in this process's time
// namespace, or "" if that cannot be read, and whether it is alive (proc_pid_stat(5): field 3 is
// the state, field 22 the start; the name in field 2 may contain spaces and parentheses).
func processStart(pid int) (start string, alive bool) {
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return "", false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", true // another user's process, on a machine that hides them
	}
	text := string(raw)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return "", true
	}
	return fields[19], fields[0] != "Z" && fields[0] != "X"
}

// cpuModel returns the processor's name, with family and model if known: virtual machines give
// several generations of processors, which round differently, the same name.
func cpuModel() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	return cpuName(string(raw))
}

// cpuName reads the first processor of cpuinfo (proc(5)).
func cpuName(cpuinfo string) string {
	first, _, _ := strings.Cut(cpuinfo, "\n\n")
	fields := map[string]string{}
	for line := range strings.Lines(first) {
		key, value, _ := strings.Cut(line, ":")
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	name := fields["model name"]
	if family, model := fields["cpu family"], fields["model"]; family != "" && model != "" {
		name = strings.TrimSpace(name + " family " + family + " model " + model)
	}
	return name
}

// rssUnit is the unit of rusage's ru_maxrss in bytes (getrusage(2)).
const rssUnit = 1024
