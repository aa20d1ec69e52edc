package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"glimpse/internal/term"
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

// What a terminal would obey is shown instead, whichever way it is printed.
func TestOutputIsShown(t *testing.T) {
	const evil = "a\x1b]0;owned\a\u202e\u009b2J\x9b"
	root := Root()
	root.AddCommand(&cobra.Command{Use: "prints", RunE: func(c *cobra.Command, _ []string) error {
		c.Println(evil)
		return errors.Join(errors.New(evil), term.WriteJSON(c.OutOrStdout(), evil))
	}})
	for _, args := range [][]string{{"prints"}, {evil}, {"prints", "--" + evil}, {"help", evil}} {
		var out, said bytes.Buffer
		Run(t.Context(), root, args, nil, &out, &said)
		if text := out.String() + said.String(); strings.ContainsAny(text, "\x1b\a\u202e\u009b") || strings.Contains(text, "\x9b") || !strings.Contains(text, "owned") {
			t.Errorf("%q prints %q", args, text)
		}
	}
}

// A name with the end of a line in it makes no line of its own in an error.
func TestErrorsKeepNamesOnOneLine(t *testing.T) {
	const name = "a\nglimpse: all is well"
	root := Root()
	c := &cobra.Command{Use: "opens", RunE: func(c *cobra.Command, args []string) error {
		path, _ := c.Flags().GetString("path")
		return errors.Join(fmt.Errorf("open %s%s: no such file", path, strings.Join(args, "")), errors.New("and more"))
	}}
	c.Flags().String("path", "", "")
	root.AddCommand(c)
	for _, args := range [][]string{{"opens", name}, {"opens", "--path", name}, {"opens", "--path=" + name}} {
		var said bytes.Buffer
		Run(t.Context(), root, args, nil, &said, &said)
		if said.String() != "glimpse: open a\\nglimpse: all is well: no such file\nand more\n" {
			t.Errorf("%q: %q", args, &said)
		}
		_ = c.Flags().Set("path", "")
	}
}

func TestCompletionsAreShown(t *testing.T) {
	words := []string{"soft", "so\x1bft", "so\nft", "3f2a\tarm \x1b[2J\tx", "none"}
	if got := Beginning(words, "so"); !slices.Equal(got, []string{"soft"}) {
		t.Errorf("%q", got)
	}
	if got := Beginning(words, "3"); !slices.Equal(got, []string{"3f2a\tarm \\u001b[2J\\tx"}) {
		t.Errorf("%q", got)
	}
}
