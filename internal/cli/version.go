package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Release is the version of the latest release, which CHANGELOG.md and CITATION.cff name too.
const Release = "0.1.0"

// About says which glimpse this is, on a line: the release, what exactly was built, by which Go, for
// which system.
func About() string {
	build := strings.Trim(Version(), "()") // "(devel)"
	return fmt.Sprintf("%s (%s, %s, %s/%s)", Release, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Version names what exactly was built: the commit or, of a module from elsewhere, its version.
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
