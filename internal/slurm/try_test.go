package slurm

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTryScript runs the script that looks at a node, without Slurm.
func TestTryScript(t *testing.T) {
	for name, c := range map[string]struct {
		scratch, engine string
		bad             []string
	}{
		"well":       {"", "echo '{\"device\": \"cpu\"}'", nil},
		"no scratch": {"/no such/folder", "echo '{}'", []string{"scratch"}},
		"no engine":  {"", "echo 'glimpse: no libtorch' >&2; exit 1", []string{"engine"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := newPlace(t, func(s *Settings) { s.Scratch = c.scratch })
			p.Engine = filepath.Join(t.TempDir(), "engine")
			p.Environment = []string{"GLIMPSE_CACHE=" + filepath.Join(t.TempDir(), "my cache")}
			s, err := p.newSubmission(0)
			if err == nil {
				err = errors.Join(os.WriteFile(p.Engine, []byte("#!/bin/sh\n"+c.engine+"\n"), 0o700),
					write(filepath.Join(s.folder, "script.sh"), p.tryScript(s)))
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("sh", filepath.Join(s.folder, "script.sh")).CombinedOutput()
			text, missing := os.ReadFile(filepath.Join(s.folder, "found"))
			if err := errors.Join(err, missing); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var bad, names []string
			for _, check := range parseFound(string(text)) {
				names = append(names, check.Name)
				if check.Fix != "" {
					bad = append(bad, check.Name)
				}
			}
			if strings.Join(names, " ") != "node scratch cache engine" || strings.Join(bad, " ") != strings.Join(c.bad, " ") {
				t.Errorf("%s", text)
			}
		})
	}
}
