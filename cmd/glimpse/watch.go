package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/runner"
)

func watchCommand() *cobra.Command {
	var (
		db    string
		every time.Duration
	)
	c := &cobra.Command{
		Use:   "watch STUDY",
		Short: "Follow a running study from another terminal",
		Long: `Follow a study (its name or its YAML file) through its results database,
on whatever machine it runs. Show a bar for the study and for each running
trial, a line for each epoch with loss and validation scores, and a line for
each trial that ends. Exit when the study ends: with code 0, or 3 if trials
failed. Ctrl-C stops watching, not the study.`,
		Example: `  glimpse watch flickr8k-attention
  glimpse watch demo --db demo.db > demo.log`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteStudy,
		RunE: func(c *cobra.Command, args []string) error {
			if every < 100*time.Millisecond {
				return cli.Usage(fmt.Errorf("--every %s: at least 100ms", every))
			}
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			name, err := cli.StudyName(c.Context(), opened, args[0])
			if err != nil {
				return err
			}
			w := watcher{p: term.NewProgress(c.OutOrStdout()), before: map[string]store.Run{}, silent: map[string]bool{}}
			w.epochs = func(run string) ([]store.Epoch, error) { return opened.Epochs(c.Context(), run) }
			defer w.p.Close()
			var runs []store.Run
			for {
				if runs, err = opened.Refresh(c.Context(), name, runs); err != nil {
					return err
				}
				if len(w.labels) < len(runs) { // the first time, and when the plan has grown
					if w.labels, err = results.LabelsOf(c.Context(), opened, runs); err != nil {
						return err
					}
				}
				if done, err := w.look(name, runs, time.Now()); done || err != nil {
					return err
				}
				select {
				case <-c.Context().Done():
					return c.Context().Err()
				case <-time.After(every):
				}
				if err := opened.InPlace(); err != nil {
					return err
				}
			}
		},
	}
	cli.AddDB(c, &db)
	c.Flags().DurationVar(&every, "every", time.Second, "how often to read the database")
	return c
}

// watcher prints what has changed in a study since it last looked.
type watcher struct {
	p      *term.Progress
	before map[string]store.Run
	labels map[string]string // run ID → what distinguishes the arm from the others
	silent map[string]bool   // run ID → no sign of life at the last look
	begun  bool
	epochs func(run string) ([]store.Epoch, error)

	tallier runner.Tallier
}

// look prints the state of the runs, and reports whether the study has ended.
func (w *watcher) look(study string, runs []store.Run, now time.Time) (ended bool, err error) {
	tally, err := w.tallier.Tally(runs, now)
	if err != nil {
		return false, err
	}
	if tally.Ended() < tally.Total {
		w.showStudy(study, tally)
	}
	for _, run := range runs {
		if err := w.show(run, now); err != nil {
			return false, err
		}
		w.before[run.ID] = run
	}
	if tally.Ended() < tally.Total {
		return false, nil
	}
	line := fmt.Sprintf("%s: %d of %d trials complete, %d failed", study, tally.Completed, tally.Total, tally.Failed)
	if tally.Pruned > 0 {
		line += fmt.Sprintf(", %d pruned", tally.Pruned)
	}
	w.p.Finish(cli.StudyBar, line)
	if tally.Failed > 0 {
		return true, someFailed(tally.Failed, tally.Mendable, tally.Total)
	}
	return true, nil
}

// showStudy shows the progress of a study, the first time with its name.
func (w *watcher) showStudy(study string, tally runner.Tally) {
	const idle = "no runner is active; `glimpse run` resumes it"
	if !w.begun {
		w.begun = true
		note := ""
		switch {
		case tally.Running == 0:
			note = idle
		case tally.Left > 0:
			note = "about " + term.Span(tally.Left.Seconds()) + " left"
		}
		w.p.Log(cli.WithMessage(fmt.Sprintf("%s: %d of %s done", study, tally.Ended(), term.Plural(tally.Total, "trial")), note))
	}
	note := "trials"
	if tally.Running == 0 {
		note += ", " + idle
	}
	w.p.Update(cli.StudyBar, tally.Ended(), tally.Total, note)
	w.p.Expect(cli.StudyBar, tally.Left)
}

// show prints what is new about one run.
func (w *watcher) show(run store.Run, now time.Time) error {
	old, known := w.before[run.ID]
	if run.State != store.Running && (!known || run.State == old.State && run.Epochs == old.Epochs) {
		return nil // most runs, at most looks
	}
	settings, _ := results.Settings(run) // parsed before without error
	epochs := settings.Train.AllEpochs()
	name := cli.TrialName(run.ID, cmp.Or(w.labels[run.ID], run.Arm), run.Seed)
	if known && run.Epochs > old.Epochs {
		recorded, err := w.epochs(run.ID)
		if err != nil {
			return err
		}
		for _, e := range recorded {
			if e.Epoch > old.Epochs {
				w.p.Log(fmt.Sprintf("%s epoch %d/%d  %s", name, e.Epoch, epochs, cli.EpochText(e)))
			}
		}
	}
	if run.State == store.Running {
		note := "epochs"
		if run.Attempt > 1 {
			note = fmt.Sprintf("epochs, attempt %d", run.Attempt)
		}
		silent := !results.SilentSince(run, now).IsZero()
		if silent {
			note = "epochs, " + results.StateText(run, now)
		}
		if silent && !w.silent[run.ID] {
			w.p.Log(name + " " + results.StateText(run, now))
		}
		w.silent[run.ID] = silent
		w.p.Update(name, run.Epochs, epochs, note)
		return nil
	}
	if old.State == run.State {
		return nil
	}
	line := name + " " + run.State
	switch run.State {
	case store.Completed:
		split, scores := run.Final()
		line = strings.TrimRight(name+" complete  "+cli.ScoreText(split, scores), " ")
	case store.Failed, store.Pruned:
		line = cli.WithMessage(line, secret.Redact(run.Error))
	}
	w.p.Finish(name, line)
	return nil
}
