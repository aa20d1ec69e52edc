package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glimpse/internal/term"
)

// rewordHelp replaces cobra's help texts of -h, --version, help and completion, and makes help
// reject unknown commands.
func rewordHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	rewordFlags(root)
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Use, c.Short = "help [COMMAND]", "Show the help of a command"
			c.Long = "Show the help of a command, as COMMAND --help does, or list all commands."
			c.Example = "  glimpse help plan\n  glimpse help data info"
			c.Args = helpArgs
		case "completion":
			c.Use, c.Short = "completion SHELL", "Print a completion script for a shell"
			c.Long = "Print a script with which a shell completes commands, flags, studies, runs and\narms."
			for _, shell := range c.Commands() {
				if text, known := completionHelp[shell.Name()]; known {
					shell.Short, shell.Long = "Print the completion script for "+shell.Name(), text
				}
			}
		}
	}
}

// completionHelp is how to load the completion script of each shell.
var completionHelp = map[string]string{
	"bash": `Print the completion script for bash. It needs the package bash-completion.

For this session:    source <(glimpse completion bash)
For all sessions:    glimpse completion bash > /etc/bash_completion.d/glimpse
and open a new shell.`,
	"fish": `Print the completion script for fish.

For this session:    glimpse completion fish | source
For all sessions:    glimpse completion fish > ~/.config/fish/completions/glimpse.fish
and open a new shell.`,
	"powershell": `Print the completion script for PowerShell.

For this session:    glimpse completion powershell | Out-String | Invoke-Expression
For all sessions, add this line to your profile.`,
	"zsh": `Print the completion script for zsh. It needs compinit: if completion is off,
add "autoload -U compinit; compinit" to ~/.zshrc.

For this session:    source <(glimpse completion zsh)
For all sessions:    glimpse completion zsh > "${fpath[1]}/_glimpse"
and open a new shell.`,
}

func rewordFlags(c *cobra.Command) {
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	for name, usage := range map[string]string{"help": "show this help", "version": "print the version"} {
		if f := c.Flags().Lookup(name); f != nil && f.Annotations[cobra.FlagSetByCobraAnnotation] != nil {
			f.Usage = usage
		}
	}
	for _, below := range c.Commands() {
		rewordFlags(below)
	}
}

// helpArgs rejects names that are not commands.
func helpArgs(c *cobra.Command, args []string) error {
	found, rest, err := c.Root().Find(args)
	switch {
	case err != nil:
		return unknownCommand(c.Root(), args[0])
	case len(rest) > 0:
		return unknownCommand(found, rest[0])
	}
	return nil
}

// unknownCommand is the error of a word that is not a subcommand of c.
func unknownCommand(c *cobra.Command, word string) error {
	path := strings.TrimPrefix(c.CommandPath()+" ", c.Root().Name()+" ") + word
	return errors.New(didYouMean(fmt.Sprintf("unknown command %q", path), word, verbs(c)))
}

// The errors of cobra that are reworded.
var (
	wrongCount   = regexp.MustCompile(`^(?:accepts|requires) .* arg\(s\)`)
	wrongCommand = regexp.MustCompile(`^unknown command "(.*)" for "`)
	wrongValue   = regexp.MustCompile(`^invalid argument "(.*)" for "`)
	exclusive    = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`)
)

// reword returns cobra's error of a wrong command line as an error of usage in our words, and other errors unchanged.
func reword(c *cobra.Command, err error) error {
	text := err.Error()
	if wrongCount.MatchString(text) {
		if wrong := wrongArguments(c); wrong != "" {
			return Usage(errors.New(wrong))
		}
	}
	if m := wrongCommand.FindStringSubmatch(text); m != nil {
		if !c.HasAvailableSubCommands() {
			return Usage(errors.New("unexpected argument: " + term.Name(m[1])))
		}
		return Usage(unknownCommand(c, m[1]))
	}
	if m := wrongValue.FindStringSubmatch(text); m != nil && len(c.ValidArgs) > 0 {
		return Usage(fmt.Errorf("unknown argument %q; expected %s", m[1], strings.Join(c.ValidArgs, " or ")))
	}
	if m := exclusive.FindStringSubmatch(text); m != nil {
		return Usage(fmt.Errorf("--%s cannot be combined", strings.ReplaceAll(m[1], " ", " and --")))
	}
	return err
}

// rewordFlag returns pflag's error of a wrong flag in our words.
func rewordFlag(c *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("unknown flag -%s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		return errors.New(didYouMean("unknown flag "+name, name, flags(c)))
	case errors.As(err, &missing):
		return fmt.Errorf("--%s needs a value", missing.GetFlag().Name)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		if want, known := valueKinds[f.Value.Type()]; known {
			return fmt.Errorf("--%s %s: must be %s", f.Name, term.Line(invalid.GetValue()), want)
		}
		return fmt.Errorf("--%s %s: %w", f.Name, term.Line(invalid.GetValue()), invalid.Unwrap())
	case errors.As(err, &syntax):
		return fmt.Errorf("invalid flag %q", syntax.GetSpecifiedFlag())
	}
	return err
}

// valueKinds are the types of flags whose errors are those of package strconv.
var valueKinds = map[string]string{
	"int": "a whole number", "int64": "a whole number", "uint64": "a whole number", "float64": "a number",
	"bool": "true or false", "duration": "a duration such as 90s or 2h",
}
