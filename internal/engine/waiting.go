package engine

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// OpenMP's threads wait between parallel loops. By default libgomp lets them spin for 3 ms before
// they sleep. If another program needs the processors too, spinning threads take time from the
// slowest one, and training becomes several times slower. So they sleep after 1,000 turns, about
// 10 µs. Without any turns, as OMP_WAIT_POLICY alone would have it, training on an idle machine
// is 9 % slower; with 1,000 it is 3 % slower (docs/performance.md). libgomp reads the number,
// other OpenMP libraries the policy. Results do not depend on it.
var waiting = []string{"OMP_WAIT_POLICY=PASSIVE", "GOMP_SPINCOUNT=1000"}

// waitingVariables are the variables with which users set how threads wait; the last is for
// LLVM's and Intel's OpenMP.
var waitingVariables = []string{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}

// Waiting returns the variables in an environment, as from [os.Environ], that set how OpenMP's
// threads wait.
func Waiting(environment []string) []string {
	var said []string
	for _, variable := range environment {
		if name, _, _ := strings.Cut(variable, "="); slices.Contains(waitingVariables, name) {
			said = append(said, variable)
		}
	}
	return said
}

// withWaiting adds the variables of waiting to an environment, unless the user has set any.
func withWaiting(environment []string) []string {
	if len(Waiting(environment)) > 0 {
		return environment
	}
	return slices.Concat(environment, waiting)
}

// SetWaiting must be called first in an engine. OpenMP reads its variables while it is loaded, so
// glimpse starts engines with them set. An engine started by hand or by a cluster job may lack
// them; then SetWaiting replaces the process by a new one that has them.
func SetWaiting() error {
	if len(Waiting(os.Environ())) > 0 {
		return nil
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, withWaiting(os.Environ()))
	}
	return fmt.Errorf("restart this program with %s: %w", strings.Join(waiting, " "), err)
}
