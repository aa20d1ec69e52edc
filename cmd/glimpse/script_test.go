package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "trial" { // of a study that a test runs in its own process
		main()
		return
	}
	testscript.Main(m, map[string]func(){"glimpse": main})
}

// TestScripts holds the command line's contract: testdata/script/*.txtar, each in an empty directory with no GLIMPSE_*
// variable set and a cache of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GLIMPSE_CACHE", env.WorkDir+"/.cache")
			env.Setenv("TERM", "dumb")
			env.Setenv("GLIMPSE_PYTHON", os.Getenv("GLIMPSE_PYTHON"))
			root, err := filepath.Abs(filepath.Join("..", ".."))
			env.Setenv("ROOT", root)
			return err
		},
		Condition: func(name string) (bool, error) {
			if name != "python" {
				return false, fmt.Errorf("no condition %q", name)
			}
			python := os.Getenv("GLIMPSE_PYTHON") // of a virtual environment, say: the tests fetch none
			return python != "" && exec.Command(python, "-c", "import torch, safetensors.torch").Run() == nil, nil
		},
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
