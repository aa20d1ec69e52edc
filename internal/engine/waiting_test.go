package engine

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestEnginesWaitPassively holds that OpenMP's threads sleep when they are idle, however an engine is started, unless the
// user says otherwise.
func TestEnginesWaitPassively(t *testing.T) {
	for _, c := range []struct {
		set  []string // by the user
		want string
	}{
		{nil, "PASSIVE"},
		{[]string{WaitPolicy + "=ACTIVE"}, "ACTIVE"},
		{[]string{WaitPolicy + "="}, ""},
	} {
		t.Run(fmt.Sprint(c.set), func(t *testing.T) {
			t.Setenv(WaitPolicy, "") // put back in the end
			os.Unsetenv(WaitPolicy)
			for _, variable := range c.set {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			program := engineThat(t, "waiting", "v1")
			started := map[string]*exec.Cmd{"by glimpse": program.command(t.Context(), "a", "b c"), "by hand": exec.Command(program.Path, "a", "b c")}
			for how, cmd := range started {
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Run(); err != nil {
					t.Errorf("%s: %v: %s", how, err, &out)
				}
				if want := fmt.Sprintln(cmd.Process.Pid, c.want, "[a b c]"); out.String() != want {
					t.Errorf("%s: process, policy and arguments %q, want %q", how, &out, want)
				}
			}
		})
	}
}
