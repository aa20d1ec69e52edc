package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/runner"
)

// The exit codes, a contract with scripts.
const (
	exitDone        = 0
	exitFailed      = 1   // something went wrong
	exitUsage       = 2   // a wrong command line or study file; nothing was done
	exitSomeFailed  = 3   // some of the work is done: some trials failed, or some pictures could not be read
	exitInterrupted = 130 // stopped by a signal; the same command goes on from there
)

// usageError marks an error as the caller's: a wrong flag or argument that only the verb itself could judge.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// someFailed is returned by a verb that did its work while some trials failed. `run` tries those again that another
// attempt can mend.
type someFailed struct{ failed, mendable, total int }

func (e someFailed) Error() string {
	advice := "`glimpse run` tries them again"
	switch {
	case e.mendable == 0:
		advice = "mend the cause, then `glimpse run --retry-failed` tries them again"
	case e.mendable < e.failed:
		advice = fmt.Sprintf("`glimpse run` tries %d of them again, with --retry-failed all", e.mendable)
	}
	return fmt.Sprintf("%d of %d trials failed: `glimpse show RUN` tells why; %s", e.failed, e.total, advice)
}

// run executes one command line (without the program's name) and gives the exit code. It is all of the program but the
// process: tests call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	started := false
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	// Runs once flags and arguments are accepted: an error before that is one of usage.
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	code := exitCode(ctx, err, started)
	message := strings.TrimRight(err.Error(), "\n")
	if code == exitInterrupted {
		message = "interrupted; the same command goes on from where it stopped"
	}
	fmt.Fprintf(stderr, "glimpse: %s\n", message)
	if code == exitUsage && !started {
		fmt.Fprintf(stderr, "`%s --help` tells how it is used\n", command.CommandPath())
	}
	return code
}

func exitCode(ctx context.Context, err error, started bool) int {
	var (
		usage usageError
		spec  *experiments.Error
		some  someFailed
		most  somePictures
	)
	switch {
	case errors.Is(err, runner.ErrInterrupted), ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case !started || errors.As(err, &usage) || errors.As(err, &spec):
		return exitUsage
	case errors.As(err, &some), errors.As(err, &most):
		return exitSomeFailed
	default:
		return exitFailed
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "glimpse",
		Short: "Does attention improve an image captioner, by how much, and how sure are we?",
		Long: `glimpse takes a study in YAML, trains the captioners that it asks for, scores
their captions, records everything in results.db, and writes a report whose
plots and statistics answer the study's question.

Exit codes: 0 done; 1 failed; 2 wrong usage or study file; 3 some trials or
pictures failed; 130 interrupted, and resumed by the same command.`,
		Example: `  glimpse plan experiments/demo.yaml
  glimpse run experiments/demo.yaml --db demo.db --report demo-report
  glimpse runs --db demo.db
  glimpse doctor`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newCommand(), planCommand(), runCommand(), watchCommand(), stopCommand(), pruneCommand(), trialCommand(),
		runsCommand(), showCommand(), compareCommand(), auditCommand(), swapCommand(), ensembleCommand(), reproduceCommand(), reportCommand(),
		illustrateCommand(), captionCommand(), exportCommand(),
		dataCommand(), featuresCommand(), scoreCommand(),
		dbCommand(), benchCommand(), doctorCommand(), tokenizeCommand(),
	)
	return root
}

// version names the module's version or, built from a checkout, its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if commit == "" {
		return info.Main.Version
	}
	return commit + dirty
}
