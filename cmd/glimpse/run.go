package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/reports"
	"glimpse/results"
	"glimpse/runner"
)

func runCommand() *cobra.Command {
	var (
		flags   studyFlags
		compute engineFlags
		options runOptions
	)
	c := &cobra.Command{
		Use:   "run SPEC",
		Short: "Run all trials of a study that are not done",
		Long: `Reads and checks the study and its data, computes missing features, and trains
each trial that is not complete, in a process of its own. A trial that fails is
recorded and the others go on. Ctrl-C saves each trial and stops; the same
command goes on from there. A second Ctrl-C stops at once: what was trained
since the last checkpoint is then trained again. SIGUSR1 asks all trials at
work for a checkpoint, ` + "`glimpse stop`" + ` ends them from elsewhere. Several
processes may run one study on one database: they share the trials.

What a study declares (metric, smallest effect, α, arms, contrasts, seeds,
stopping rule, settings) is frozen when its first final split is scored. From
then on a file that declares anything else is refused, unless --amend gives a
reason. With --set the study is a variant with its own name, STUDY@KEY=VALUE. A
study with compare.stop adds seeds look by look until each contrast is decided.`,
		Example: `  glimpse run experiments/demo.yaml --db demo.db --report demo-report
  glimpse run experiments/flickr8k.yaml --jobs 1 --threads 2
  glimpse run experiments/flickr8k.yaml --device cuda --data /data/flickr8k
  glimpse run experiments/flickr8k.yaml --set train.epochs=3 --db try.db`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			study, err := flags.load(args[0])
			if err != nil {
				return err
			}
			if err := atLeast("jobs", options.jobs, 0); err != nil {
				return err
			}
			if options.pictures < 0 || options.pictures > store.MostPictures {
				return usageError{fmt.Errorf("--pictures must be 0 to %d", store.MostPictures)}
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			return runStudy(c, study, engine, compute, options)
		},
	}
	flags.add(c)
	compute.add(c)
	addDBFlag(c, &options.db)
	addJobsFlag(c, &options.jobs, "trials at a time")
	c.Flags().StringVar(&options.report, "report", "", "write the report into this folder afterwards")
	c.Flags().IntVar(&options.pictures, "pictures", store.MostPictures, "pictures to keep in the database for the report; 0 for none")
	c.Flags().StringVar(&options.amend, "amend", "",
		"amend the declaration after scoring, for this reason; the report shows the amendment separately, as exploratory")
	c.Flags().BoolVar(&options.retry, "retry-failed", false, "also try again what will probably fail again, such as a loss that diverged")
	c.Flags().DurationVar(&options.lease, "lease", runner.DefaultLease, "how long a trial may give no sign of life before another runner takes it over")
	addMeteorFlag(c, &options.meteor)
	addJSONFlag(c, &options.json)
	return c
}

type runOptions struct {
	db, report  string
	amend       string
	meteor      string
	jobs        int
	pictures    int
	retry, json bool
	lease       time.Duration
}

func runStudy(c *cobra.Command, study *experiments.Study, engine engine, compute engineFlags, o runOptions) error {
	ctx := c.Context()
	sets := datasets{}
	if _, err := sets.plan(study); err != nil { // what is wrong with it is found before a database is made
		return err
	}
	db, err := store.Open(dbPath(o.db))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := continueSearch(ctx, db, study); err != nil {
		return err
	}
	found, err := sets.against(ctx, db, study)
	if err != nil {
		return err
	}
	if err := mayRun(c.ErrOrStderr(), db, study, &found, o.amend); err != nil {
		return err
	}
	trials, err := results.Due(ctx, db, study, found.trials)
	if err != nil {
		return err
	}
	meteor, err := trialMeteor(ctx, db, study, trials, o.meteor)
	if err != nil {
		return err
	}
	spec, err := study.YAML()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, which runs the trials: %w", err)
	}
	kill, release := onSecondSignal()
	defer release()
	checkpoint, forget := onCheckpointSignal()
	defer forget()
	show := &eventText{p: newProgress(c.ErrOrStderr()), labels: study.Labels(found.trials)}
	summary, err := runner.Run(ctx, runner.Config{
		Study: study, Trials: trials, Spec: string(spec), DB: db, Root: study.Data.Root,
		Engine: engine, Cache: engine.pictureHashes(),
		Declaration: found.standing.Now, Earlier: found.standing.Earlier,
		Command:     func(l runner.Launch) *exec.Cmd { return exec.Command(self, trialArgs(l, compute.device, meteor)...) },
		Jobs:        jobsFor(o.jobs, study, len(trials), engine.Device),
		Threads:     compute.threads,
		RetryFailed: o.retry,
		Lease:       o.lease,
		Progress:    show.event,
		Next:        sets.next(db, study, found.trials),
		Checkpoint:  checkpoint,
		Kill:        kill,
	})
	show.close()
	if summary.Total == 0 { // nothing was begun
		return err
	}
	illustrateRun(ctx, c.ErrOrStderr(), db, engine, study, summary, o.pictures)
	failed := finishRun(ctx, c.OutOrStdout(), db, study, study.Declare(found.trials), summary, o)
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case summary.Failed > 0:
		mendable := 0
		for _, failure := range summary.Failures {
			if runner.Retryable(failure.Kind) {
				mendable++
			}
		}
		return someFailed{summary.Failed, mendable, summary.Total}
	}
	return nil
}

// finishRun prints the state of the study, and writes its report if asked to.
func finishRun(
	ctx context.Context, w io.Writer, db *store.DB, study *experiments.Study, planned experiments.Declaration,
	summary runner.Summary, o runOptions,
) error {
	ctx = context.WithoutCancel(ctx) // an interrupted study is told of as well
	if o.report != "" && summary.Completed > 0 {
		if err := reports.Write(ctx, db, study.Name, o.report); err != nil {
			return fmt.Errorf("writing the report into %s: %w", o.report, err)
		}
	}
	if o.json {
		return printJSON(w, newSummaryJSON(summary, o.report))
	}
	runs, err := db.Runs(ctx, study.Name)
	if err != nil {
		return err
	}
	labels, err := results.LabelsOf(ctx, db, runs)
	if err != nil {
		return err
	}
	if err := runTable(runs, labels).print(w); err != nil {
		return err
	}
	if study.Compare.Stop.Active() {
		if err := printOutcomes(ctx, w, db, study.Name, planned); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\n%s\n", summaryText(summary))
	if o.report != "" && summary.Completed > 0 {
		fmt.Fprintln(w, filepath.Join(o.report, "index.html"))
	}
	return nil
}

func summaryText(s runner.Summary) string {
	text := fmt.Sprintf("%d of %d trials complete in %s", s.Completed, s.Total, span(s.Elapsed.Seconds()))
	for _, part := range []struct {
		n    int
		what string
	}{{s.Skipped, "complete before"}, {s.Failed, "failed"}, {s.Interrupted, "interrupted"}, {s.Pruned, "pruned"}, {s.Unfinished, "not begun or run elsewhere"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

type summaryJSON struct {
	Total       int              `json:"total"`
	Completed   int              `json:"completed"`
	Skipped     int              `json:"skipped"` // of the completed, those that were so before
	Failed      int              `json:"failed"`
	Interrupted int              `json:"interrupted"`
	Pruned      int              `json:"pruned"`
	Unfinished  int              `json:"unfinished"`
	Failures    []runner.Failure `json:"failures"`
	Seconds     term.Number      `json:"seconds"`
	Report      string           `json:"report,omitempty"`
}

func newSummaryJSON(s runner.Summary, report string) summaryJSON {
	return summaryJSON{
		Total: s.Total, Completed: s.Completed, Skipped: s.Skipped, Failed: s.Failed, Interrupted: s.Interrupted, Pruned: s.Pruned,
		Unfinished: s.Unfinished, Failures: s.Failures, Seconds: term.Number(s.Elapsed.Seconds()), Report: report,
	}
}

// trialArgs is the command line of a trial's process.
func trialArgs(l runner.Launch, device, meteor string) []string {
	return []string{
		"trial", l.Run, "--attempt", strconv.FormatInt(l.Attempt, 10), "--db", l.DB, "--dir", l.Dir, "--data", l.Root,
		"--threads", strconv.Itoa(l.Threads), "--device", device, "--lease", l.Lease.String(), "--silence", l.Silence.String(),
		"--meteor", meteor, "--command", commandLine(), "--study", l.Study, "--prune", pruneText(l.Prune), "--keep", l.Keep,
	}
}

// commandLine is this process's command line, as a shell would take it.
func commandLine() string {
	words := []string{"glimpse"}
	for _, arg := range os.Args[1:] {
		words = append(words, quote(arg))
	}
	return strings.Join(words, " ")
}

// quote writes a word as a shell reads it.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// onCheckpointSignal gives a channel that tells of each SIGUSR1, which asks for a checkpoint.
func onCheckpointSignal() (asked <-chan os.Signal, release func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	return signals, func() { signal.Stop(signals) }
}

// onSecondSignal gives a channel that is closed at the second Ctrl-C. The first one is the context's.
func onSecondSignal() (kill <-chan struct{}, release func()) {
	signals, second, done := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range 2 {
			select {
			case <-signals:
			case <-done:
				return
			}
		}
		close(second)
	}()
	return second, func() {
		signal.Stop(signals)
		close(done)
	}
}
