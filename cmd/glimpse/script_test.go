package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "engine-")
	if err != nil {
		panic(err)
	}
	engineDir = dir
	testscript.Main(cleaned{m, dir}, map[string]func(){"glimpse": main})
}

// cleaned removes a folder after all tests.
type cleaned struct {
	*testing.M
	dir string
}

func (c cleaned) Run() int {
	defer os.RemoveAll(c.dir)
	return c.M.Run()
}

// engineDir is the folder of the engine that tests share.
var engineDir string

// buildEngine builds the engine once, with the version of test binaries.
var buildEngine = sync.OnceValues(func() (string, error) {
	path := filepath.Join(engineDir, "glimpse-engine")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "glimpse/cmd/glimpse-engine").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the engine: %w\n%s", err, out)
	}
	return path, nil
})

func haveLibtorch() bool { return strings.Contains(os.Getenv("CGO_CXXFLAGS"), "torch") }

// needLibtorch skips a test without libtorch: `just test` has it, `just test-pure` does not.
func needLibtorch(t *testing.T) {
	t.Helper()
	if !haveLibtorch() {
		t.Skip("needs libtorch, which `just test` has")
	}
}

// needEngine gives the program glimpse an engine.
func needEngine(t *testing.T) {
	t.Helper()
	needLibtorch(t)
	path, err := buildEngine()
	if err != nil {
		t.Fatal(err)
	}
	os.Setenv("GLIMPSE_ENGINE", path) // for the whole process: tests share it, and those that run in parallel may not set it
}

// TestScripts checks the command line's contract where no engine is needed:
// testdata/script/*.txtar. Each runs in an empty directory with its own cache, without GLIMPSE_*
// variables.
func TestScripts(t *testing.T) { scripts(t, "script", "") }

// TestEngineScripts checks the rest with an engine: testdata/engine/*.txtar.
func TestEngineScripts(t *testing.T) {
	needEngine(t)
	scripts(t, "engine", os.Getenv("GLIMPSE_ENGINE"))
}

func scripts(t *testing.T, dir, engine string) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", dir),
		Setup: func(env *testscript.Env) error {
			env.Setenv("GLIMPSE_CACHE", env.WorkDir+"/.cache")
			env.Setenv("GLIMPSE_ENGINE", engine)
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
