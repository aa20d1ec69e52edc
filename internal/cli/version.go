package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Release is the version of the latest release, as in CHANGELOG.md and CITATION.cff.
const Release = "0.1.0"

// About describes this program in one line: the release, the exact build, the Go version and the
// system.
func About() string {
	build := strings.Trim(Version(), "()") // "(devel)"
	return fmt.Sprintf("%s (%s, %s, %s/%s)", Release, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Version returns the exact build: the commit or, if built as a module, its version.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if commit == "" {
		return info.Main.Version
	}
	return commit + dirty
}
