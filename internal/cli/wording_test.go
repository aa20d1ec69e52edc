package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// wordingRoot has a command of each kind that cobra words errors for.
func wordingRoot() *cobra.Command {
	root := Root()
	root.Run = func(*cobra.Command, []string) {}
	add := func(to *cobra.Command, use string, args cobra.PositionalArgs) *cobra.Command {
		c := &cobra.Command{Use: use, Args: args, Run: func(*cobra.Command, []string) {}}
		to.AddCommand(c)
		return c
	}
	plan := add(root, "plan STUDY", cobra.ExactArgs(1))
	plan.Flags().Int("jobs", 0, "")
	plan.Flags().String("data", "", "")
	plan.Flags().Bool("yes", false, "")
	plan.Flags().Bool("dry-run", false, "")
	plan.MarkFlagsMutuallyExclusive("yes", "dry-run")
	plan.Flags().Duration("lease", 0, "")
	add(root, "diff A B...", cobra.MinimumNArgs(2))
	add(root, "runs [STUDY]", cobra.MaximumNArgs(1))
	add(root, "note RUN [TEXT]", cobra.RangeArgs(1, 2))
	group := add(root, "db COMMAND", cobra.NoArgs)
	add(group, "check", cobra.NoArgs)
	add(group, "fetch meteor", cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)).ValidArgs = []string{"meteor"}
	return root
}

// TestWording holds what a wrong command line is answered. An update of cobra that words its errors
// otherwise fails here.
func TestWording(t *testing.T) {
	for line, want := range map[string]string{
		"pln":                         `unknown command "pln"; did you mean plan?`,
		"frobnicate":                  `unknown command "frobnicate"`,
		"db chek":                     `unknown command "db chek"; did you mean check?`,
		"db check now":                "unexpected argument: now",
		"db fetch meteors":            `unknown argument "meteors"; expected meteor`,
		"help pln":                    `unknown command "pln"; did you mean plan?`,
		"help db chek":                `unknown command "db chek"; did you mean check?`,
		"plan":                        "missing argument: STUDY",
		"plan a b":                    "unexpected argument: b",
		"diff a":                      "missing argument: B",
		"runs a b":                    "unexpected argument: b",
		"note a b c d e f g h i j":    "unexpected argument: c",
		"plan a --dta x":              "unknown flag --dta; did you mean --data?",
		"plan a -x":                   "unknown flag -x",
		"plan a --data":               "--data needs a value",
		"plan a --jobs many":          "--jobs many: must be a whole number",
		"plan a --lease long":         "--lease long: must be a duration such as 90s or 2h",
		"plan a --=x":                 `invalid flag "--=x"`,
		"plan a --dry-run --yes":      "--dry-run and --yes cannot be combined",
		"plan a --dry-run --yes=true": "--dry-run and --yes cannot be combined",
	} {
		refused(t, wordingRoot(), line, want)
	}
}

// TestHelpWording holds that help of help, of completion and of flags is ours.
func TestHelpWording(t *testing.T) {
	for line, want := range map[string]string{
		"help help":              "Show the help of a command, as COMMAND --help does",
		"help plan":              "show this help",
		"completion bash --help": "source <(glimpse completion bash)",
		"completion --help":      "Print a script",
		"--help":                 "print the version",
	} {
		var out bytes.Buffer
		code := Run(context.Background(), wordingRoot(), strings.Fields(line), strings.NewReader(""), &out, &out)
		if code != ExitDone || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d, %q is missing:\n%s", line, code, want, out.String())
		}
		for _, theirs := range []string{"help for ", "autocompletion", "Simply type"} {
			if strings.Contains(out.String(), theirs) {
				t.Errorf("%s: %q is cobra's:\n%s", line, theirs, out.String())
			}
		}
	}
}
