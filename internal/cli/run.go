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

// The exit codes. Scripts rely on them.
const (
	ExitDone        = 0
	ExitFailed      = 1   // something went wrong
	ExitUsage       = 2   // wrong command line or study file; nothing was done
	ExitSomeFailed  = 3   // partly done: some trials failed, or some pictures could not be read
	ExitCrashed     = 70  // a fault in the program itself
	ExitInterrupted = 130 // stopped by a signal; the same command resumes
)

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as wrong usage: an invalid flag or argument that only the verb itself
// could detect.
func Usage(err error) error { return usageError{err} }

// SomeFailed returns the error of a verb whose work partly failed.
func SomeFailed(message string) error { return someFailed(message) }

type someFailed string

func (e someFailed) Error() string { return string(e) }

// ExitError is the exit code of another process that did a verb's work and has already printed
// what was wrong.
type ExitError int

// Error implements error.
func (e ExitError) Error() string { return fmt.Sprintf("ended with exit code %d", int(e)) }

// AtLeast returns an error of usage if the number of a flag is below least.
func AtLeast(flag string, value, least int) error {
	if value < least {
		return Usage(fmt.Errorf("--%s %d: must be at least %d", flag, value, least))
	}
	return nil
}

// Root returns the command glimpse without verbs. Both programs use it: the engine goes by the
// name of the program that users call.
func Root() *cobra.Command {
	root := &cobra.Command{Use: "glimpse", Version: About(), SilenceErrors: true, SilenceUsage: true}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.DisableSuggestions = true // reword makes them
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return Usage(rewordFlag(c, err)) })
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", term.UsualWidth)))
	return root
}

// Main executes the process's command line and exits with its exit code.
func Main(root *cobra.Command) {
	abortOnCrash()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	e := &ending{cancel: cancel}
	// The first signal requests an orderly end. That removes the handler, so a second one ends the process at once.
	context.AfterFunc(ctx, func() {
		stop()
		time.Sleep(grace)
		e.now()
	})
	os.Exit(Run(context.WithValue(ctx, endingKey{}, e), root, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Run executes one command line, without the program's name, and returns the exit code. It is
// [Main] without the process, for tests.
func Run(ctx context.Context, root *cobra.Command, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	started := false
	root.SetArgs(args)
	root.SetIn(stdin)
	out, said := term.NewOutput(stdout), term.NewOutput(stderr)
	defer out.Close()
	defer said.Close()
	root.SetOut(out)
	root.SetErr(said)
	rewordHelp(root) // after SetOut: the command completion keeps its output
	// It runs once flags and arguments are accepted: earlier errors are errors of usage.
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
	err = reword(command, err)
	code := exitCode(ctx, err, started)
	message := secret.Redact(onOneLine(strings.TrimRight(err.Error(), "\n"), args))
	if code == ExitInterrupted {
		message = "interrupted; run the same command to resume"
	}
	_ = term.Message(said, "glimpse: "+message)
	if code == ExitUsage && !started {
		_ = term.Message(said, usageHint(command))
	}
	return code
}

// usageHint returns the usage line of a command, and how to get help.
func usageHint(c *cobra.Command) string {
	if !c.HasParent() {
		return fmt.Sprintf("run `%s --help` for a list of commands", c.CommandPath())
	}
	return fmt.Sprintf("usage: %s (details: `%s --help`)", c.UseLine(), c.CommandPath())
}

// onOneLine escapes line breaks in a message that come from the command line, such as from the
// name of a file: text after them would look like a message of its own.
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

// execute executes the command line. It returns a panic as an error.
func execute(ctx context.Context, root *cobra.Command) (command *cobra.Command, err error) {
	defer crash.Recover(&err)
	return root.ExecuteContextC(ctx)
}

// reportCrash prints what broke, where, and what to include in a report.
func reportCrash(stderr io.Writer, err error, fault *crash.Error) {
	fmt.Fprintf(stderr, "glimpse: %s\nplease report this with the command line and the text below\n\nglimpse %s\n%s",
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
