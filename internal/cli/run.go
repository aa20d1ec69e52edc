package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/crash"
	"glimpse/internal/engine"
	"glimpse/internal/secret"
	"glimpse/internal/term"
	"glimpse/runner"
)

// The exit codes, a contract with scripts.
const (
	ExitDone        = 0
	ExitFailed      = 1   // something went wrong
	ExitUsage       = 2   // a wrong command line or study file; nothing was done
	ExitSomeFailed  = 3   // some of the work is done: some trials failed, or some pictures could not be read
	ExitCrashed     = 70  // a fault in the program itself
	ExitInterrupted = 130 // stopped by a signal; the same command resumes
)

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as the caller's: a wrong flag or argument that only the verb itself could judge.
func Usage(err error) error { return usageError{err} }

// SomeFailed is the error of a verb that did its work while some of it failed.
func SomeFailed(message string) error { return someFailed(message) }

type someFailed string

func (e someFailed) Error() string { return string(e) }

// ExitError is the exit code of another process that did a verb's work and has told what was wrong.
type ExitError int

// Error implements error.
func (e ExitError) Error() string { return fmt.Sprintf("ended with exit code %d", int(e)) }

// AtLeast refuses the number of a flag that is below least.
func AtLeast(flag string, value, least int) error {
	if value < least {
		return Usage(fmt.Errorf("--%s %d: it must be at least %d", flag, value, least))
	}
	return nil
}

// Root is the command glimpse without verbs, as both programs have it: the engine speaks under the name of the program
// that called it.
func Root() *cobra.Command {
	root := &cobra.Command{Use: "glimpse", Version: About(), SilenceErrors: true, SilenceUsage: true}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.Flags().BoolP("version", "v", false, "print the version") // which prints as cobra's own flag does
	root.DisableSuggestions = true                                 // explainUsage makes them
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage(err) })
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", term.UsualWidth)))
	return root
}

// helpCommand is cobra's own, but that an unknown command is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		Long: `Show the help of a command, as --help does. Without a command, list all
commands.`,
		ValidArgsFunction: func(c *cobra.Command, args []string, typed string) (names []string, _ cobra.ShellCompDirective) {
			if verb, _, err := c.Root().Find(args); err == nil {
				for _, below := range verb.Commands() {
					if below.IsAvailableCommand() && strings.HasPrefix(below.Name(), typed) {
						names = append(names, cobra.CompletionWithDesc(below.Name(), below.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			verb, rest, err := c.Root().Find(args)
			if err != nil {
				return Usage(errors.New(explainUsage(verb, err)))
			}
			if len(rest) > 0 && verb.HasSubCommands() {
				return Usage(errors.New(explainUsage(verb, fmt.Errorf("unknown command %q for %q", rest[0], verb.CommandPath()))))
			}
			verb.InitDefaultHelpFlag()
			return verb.Help()
		},
	}
}

// addCompletion adds cobra's verb that makes scripts for shells, with its help broken at the usual width. The verb prints
// to where the root does by then.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "Write a script that completes commands in your shell"
		for _, shell := range c.Commands() {
			var lines []string
			for line := range strings.SplitSeq(shell.Long, "\n") {
				if strings.HasPrefix(line, "\t") { // a command
					lines = append(lines, line)
					continue
				}
				lines = append(lines, term.Wrap(line, term.UsualWidth)...)
			}
			shell.Long = strings.Join(lines, "\n")
		}
	}
}

// Main is a program: it executes the process's command line and ends the process with its exit code.
func Main(root *cobra.Command) {
	abortOnCrash()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	e := &ending{cancel: cancel}
	// The first signal asks for an orderly end; with the handler gone, a second one ends the process at once.
	context.AfterFunc(ctx, func() {
		stop()
		time.Sleep(grace)
		e.now()
	})
	os.Exit(Run(context.WithValue(ctx, endingKey{}, e), root, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Run executes one command line (without the program's name) and gives the exit code. It is all of a program but the
// process: tests call it.
func Run(ctx context.Context, root *cobra.Command, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	started := false
	root.SetArgs(args)
	root.SetIn(stdin)
	out, said := term.NewOutput(stdout), term.NewOutput(stderr)
	defer out.Close()
	defer said.Close()
	root.SetOut(out)
	root.SetErr(said)
	addCompletion(root)
	// Runs once flags and arguments are accepted: an error before that is one of usage.
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	command, err := execute(ctx, root)
	if err == nil {
		return ExitDone
	}
	if fault := (*crash.Error)(nil); errors.As(err, &fault) {
		reportCrash(said, err, fault)
		return ExitCrashed
	}
	if told := ExitError(0); errors.As(err, &told) {
		return int(told)
	}
	code := exitCode(ctx, err, started)
	message := err.Error()
	if !started {
		message = explainUsage(command, err)
	}
	message = secret.Redact(onOneLine(strings.TrimRight(message, "\n"), args))
	if code == ExitInterrupted {
		message = "interrupted; run the same command to resume"
	}
	_ = term.Message(said, "glimpse: "+message)
	if code == ExitUsage && !started {
		_ = term.Message(said, usageHint(command))
	}
	return code
}

// usageHint says how a command is used, and what explains it.
func usageHint(c *cobra.Command) string {
	if !c.HasParent() {
		return fmt.Sprintf("`%s --help` lists all commands", c.CommandPath())
	}
	return fmt.Sprintf("usage: %s (`%s --help` explains it)", c.UseLine(), c.CommandPath())
}

// onOneLine gives a message in which what was named on the command line, such as a file of somebody else's, ends no line: what
// follows would look like a message of its own.
func onOneLine(message string, args []string) string {
	for _, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		for _, named := range []string{arg, value} {
			if strings.Contains(named, "\n") {
				message = strings.ReplaceAll(message, named, term.Line(named))
			}
		}
	}
	return message
}

// execute executes the command line; a panic is an error.
func execute(ctx context.Context, root *cobra.Command) (command *cobra.Command, err error) {
	defer crash.Recover(&err)
	return root.ExecuteContextC(ctx)
}

// reportCrash says what broke, where, and what a report needs.
func reportCrash(stderr io.Writer, err error, fault *crash.Error) {
	fmt.Fprintf(stderr, "glimpse: %s\nplease report this, with the command line and the text below\n\nglimpse %s\n%s",
		secret.Redact(err.Error()), About(), fault.Stack)
}

func exitCode(ctx context.Context, err error, started bool) int {
	var (
		usage usageError
		spec  *experiments.Error
		some  someFailed
		there *engine.Failure
	)
	switch {
	case errors.Is(err, runner.ErrInterrupted), ctx.Err() != nil && errors.Is(err, context.Canceled):
		return ExitInterrupted
	case !started || errors.As(err, &usage) || errors.As(err, &spec) || errors.As(err, &there) && there.Code == ExitUsage:
		return ExitUsage
	case errors.As(err, &some):
		return ExitSomeFailed
	default:
		return ExitFailed
	}
}
