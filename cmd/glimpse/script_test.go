package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
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
			return nil
		},
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
