package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestUsageErrors(t *testing.T) {
	root := Root()
	add := func(parent *cobra.Command, use string, args cobra.PositionalArgs) *cobra.Command {
		c := &cobra.Command{Use: use, Args: args, RunE: func(*cobra.Command, []string) error { return nil }}
		c.Flags().Int("jobs", 0, "")
		c.Flags().Duration("lease", time.Minute, "")
		c.Flags().Bool("wide", false, "")
		parent.AddCommand(c)
		return c
	}
	add(root, "run STUDY.yaml", cobra.ExactArgs(1))
	add(root, "runs [STUDY]", cobra.MaximumNArgs(1))
	add(root, "compare A B", cobra.ExactArgs(2))
	add(root, "show RUN | STUDY ARM", cobra.RangeArgs(1, 2))
	add(root, "stop STUDY|RUN...", cobra.MinimumNArgs(1))
	add(root, "doctor", cobra.NoArgs)
	add(root, "own", func(*cobra.Command, []string) error { return errors.New("name a picture") })
	data := add(root, "data", cobra.NoArgs)
	add(data, "info STUDY.yaml|NAME|FOLDER", cobra.ExactArgs(1))
	add(data, "export FOLDER -o DIR", cobra.ExactArgs(1))
	for args, want := range map[string]string{
		"rnu":                   `unknown command "rnu"; did you mean run?`,
		"d":                     `unknown command "d"; did you mean data or doctor?`,
		"xyzzy --jobs 3":        `unknown command "xyzzy"`,
		"help docter":           `unknown command "docter"; did you mean doctor?`,
		"help data inof":        `unknown command "data inof"; did you mean info?`,
		"data inof":             `unknown command "data inof"; did you mean info?`,
		"run":                   "missing argument: STUDY.yaml",
		"run a.yaml b.yaml":     "unexpected argument: b.yaml",
		"runs a b":              "unexpected argument: b",
		"compare":               "missing arguments: A B",
		"compare 3f2a":          "missing argument: B",
		"show":                  "missing argument: RUN",
		"show a b c":            "unexpected argument: c",
		"stop":                  "missing argument: STUDY|RUN",
		"doctor now":            "unexpected argument: now",
		"own":                   "name a picture",
		"data export":           "missing argument: FOLDER",
		"run a --job 2":         "unknown flag --job; did you mean --jobs?",
		"run a --xyzzy":         "unknown flag --xyzzy",
		"run a -x":              "unknown flag -x",
		"run a --jobs two":      "--jobs two: must be a whole number",
		"run a --lease 3":       "--lease 3: must be a duration such as 90s or 2h",
		"run a --wide=perhaps":  "--wide perhaps: must be true or false",
		"run a --jobs":          "--jobs needs a value",
		"data info --jobs=1e99": "--jobs 1e99: must be a whole number",
	} {
		refused(t, root, args, want)
	}
}

// refused holds that a command line is an error of usage with this message.
func refused(t *testing.T, root *cobra.Command, args, want string) {
	t.Helper()
	var out, said bytes.Buffer
	code := Run(t.Context(), root, strings.Fields(args), nil, &out, &said)
	if first, _, _ := strings.Cut(said.String(), "\n"); code != ExitUsage || first != "glimpse: "+want {
		t.Errorf("glimpse %s: exit code %d, %q, want %q", args, code, first, want)
	}
}

func TestPlaceholders(t *testing.T) {
	for use, c := range map[string]struct {
		required []string
		most     int
	}{
		"doctor":                      {nil, 0},
		"compare A B":                 {[]string{"A", "B"}, 2},
		"note RUN|STUDY [TEXT]":       {[]string{"RUN|STUDY"}, 2},
		"show RUN | STUDY ARM":        {[]string{"RUN"}, 2},
		"diff A B...":                 {[]string{"A", "B"}, -1},
		"caption [PICTURE|FOLDER]...": {nil, -1},
		"export FOLDER -o DIR":        {[]string{"FOLDER"}, 1},
		"score --references FILE":     {nil, 0},
	} {
		if required, most := placeholders(use); !slices.Equal(required, c.required) || most != c.most {
			t.Errorf("%q: %q, %d; want %q, %d", use, required, most, c.required, c.most)
		}
	}
}
