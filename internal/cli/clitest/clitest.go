// Package clitest is what the tests of the two programs' command lines share.
package clitest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
)

// Sandbox makes an empty working directory, with a cache of its own and no GLIMPSE_* variable of a place set, and writes
// files there.
func Sandbox(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"GLIMPSE_DB", "GLIMPSE_DATA", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("GLIMPSE_CACHE", filepath.Join(dir, ".cache"))
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Call runs a command line in this process.
func Call(t *testing.T, root *cobra.Command, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Run(t.Context(), root, args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}
