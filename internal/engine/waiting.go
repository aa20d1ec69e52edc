package engine

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// OpenMP's threads wait between two parallel loops. By default libgomp lets them spin for 3 ms before they sleep. Where
// another program wants the processors too, they take from each other the time that the slowest of them needs, and training
// is several times slower. So they sleep after 1,000 turns, about 10 µs. With no turns at all, as OMP_WAIT_POLICY alone
// has it, training on an idle machine is 9 % slower, with 1,000 it is 3 % slower (docs/performance.md). libgomp goes by the
// number, other OpenMP libraries by the policy. Results do not depend on it.
var waiting = []string{"OMP_WAIT_POLICY=PASSIVE", "GOMP_SPINCOUNT=1000"}

// waitingVariables are those by which users say how threads wait; the last one is of LLVM's and Intel's OpenMP.
var waitingVariables = []string{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}

// Waiting gives what the environment, as of [os.Environ], says of how OpenMP's threads wait.
func Waiting(environment []string) []string {
	var said []string
	for _, variable := range environment {
		if name, _, _ := strings.Cut(variable, "="); slices.Contains(waitingVariables, name) {
			said = append(said, variable)
		}
	}
	return said
}

// withWaiting is the environment with what it shall say of waiting, unless the user has said something.
func withWaiting(environment []string) []string {
	if len(Waiting(environment)) > 0 {
		return environment
	}
	return slices.Concat(environment, waiting)
}

// SetWaiting is called first by an engine. OpenMP reads its variables while it is loaded, so glimpse starts engines with
// them set. One that was started by hand, or by a cluster's job, may lack them: it is then replaced by itself, started anew
// with them.
func SetWaiting() error {
	if len(Waiting(os.Environ())) > 0 {
		return nil
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, withWaiting(os.Environ()))
	}
	return fmt.Errorf("starting this program again, with %s: %w", strings.Join(waiting, " "), err)
}
