package engine

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// WaitPolicy is the variable that says how OpenMP's idle threads wait for work. Unset, they spin for some milliseconds, and
// on processors that another program uses too they take from each other the time that the slowest of them needs: up to ten
// times slower (docs/performance.md). libtorch reads it while it is loaded, so an engine must be started with it. What was
// computed does not depend on it.
const WaitPolicy = "OMP_WAIT_POLICY"

// passive lets idle threads sleep.
const passive = WaitPolicy + "=PASSIVE"

// waitingPassively is the environment with [WaitPolicy] set, unless the user has set it.
func waitingPassively(environment []string) []string {
	for _, variable := range environment {
		if strings.HasPrefix(variable, WaitPolicy+"=") {
			return environment
		}
	}
	return append(environment, passive)
}

// WaitPassively is called first by an engine. One that was not started by glimpse, but by hand or by a cluster's job, may
// lack [WaitPolicy]: it is then replaced by itself with the variable set.
func WaitPassively() error {
	if _, set := os.LookupEnv(WaitPolicy); set {
		return nil
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, waitingPassively(os.Environ()))
	}
	return fmt.Errorf("starting this program again with %s: %w", passive, err)
}
