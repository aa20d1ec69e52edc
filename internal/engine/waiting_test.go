package engine

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestEnginesWaitAsleep holds that OpenMP's idle threads soon sleep, however an engine is started, unless the user says
// otherwise.
func TestEnginesWaitAsleep(t *testing.T) {
	for _, c := range []struct {
		set  string // by the user
		want string
	}{
		{"", "[OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=1000]"},
		{"OMP_WAIT_POLICY=ACTIVE", "[OMP_WAIT_POLICY=ACTIVE]"},
		{"OMP_WAIT_POLICY=", "[OMP_WAIT_POLICY=]"},
		{"GOMP_SPINCOUNT=300000", "[GOMP_SPINCOUNT=300000]"},
		{"KMP_BLOCKTIME=200", "[KMP_BLOCKTIME=200]"},
	} {
		t.Run(c.set, func(t *testing.T) {
			for _, name := range waitingVariables {
				t.Setenv(name, "") // put back in the end
				os.Unsetenv(name)
			}
			if name, value, set := strings.Cut(c.set, "="); set {
				t.Setenv(name, value)
			}
			program := engineThat(t, "waiting", "v1")
			for how, cmd := range map[string]*exec.Cmd{
				"by glimpse": program.command(t.Context(), "a", "b c"), "a trial by glimpse": program.Trial("a"),
				"by hand": exec.Command(program.Path, "a", "b c"),
			} {
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Run(); err != nil {
					t.Errorf("%s: %v: %s", how, err, &out)
				}
				if want := fmt.Sprintln(cmd.Process.Pid, c.want, cmd.Args[1:]); out.String() != want {
					t.Errorf("%s: process, waiting and arguments %q, want %q", how, &out, want)
				}
			}
		})
	}
}
