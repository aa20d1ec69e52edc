package cli

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A password is neither in what a failing verb says nor in the command line that is recorded.
func TestPasswordsAreNotShown(t *testing.T) {
	const password = "hunter2-pass"
	root := Root()
	root.AddCommand(&cobra.Command{Use: "fails", RunE: func(*cobra.Command, []string) error {
		return errors.New(`Get "http://me:` + password + `@host/x": refused; DB_PASSWORD=` + password)
	}})
	for _, args := range [][]string{{"fails"}, {"fails", "--jobs", "http://me:" + password + "@host"}, {"http://me:" + password + "@host"}} {
		var out, said bytes.Buffer
		if code := Run(t.Context(), root, args, nil, &out, &said); code == ExitDone || strings.Contains(out.String()+said.String(), password) {
			t.Errorf("%q: exit code %d, %s%s", args, code, &out, &said)
		}
	}
	old := os.Args
	defer func() { os.Args = old }()
	os.Args = []string{"glimpse", "run", "x.yaml", "--data", "http://me:" + password + "@host/a b", "--token", password}
	if got := CommandLine(); got != "glimpse run x.yaml --data 'http://host/a b' --token [redacted]" {
		t.Error(got)
	}
}
