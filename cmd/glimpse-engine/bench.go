package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/bench"
	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine trains, decodes, scores and stores",
		Long: `Measure the speed of the parts of a study on this machine, with the settings of
a study or, without one, of the built-in demo, which needs no files. This does
not touch a results database.

Peak memory is that of the whole process since it started: where it matters,
measure one arm or one part at a time (--arm). peak_rss_mb includes touched
pages of mapped files, such as programs and libraries; peak_anonymous_mb does
not.

--threads limits libtorch's threads and Go's alike. Keep the machine idle.`,
		Example: `  glimpse bench train
  glimpse bench train experiments/flickr8k.yaml --arm adaptive --threads 1
  glimpse bench decode experiments/flickr8k.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(benchTrainCommand(), benchReinforceCommand(), benchFeaturesCommand(), benchDecodeCommand(), benchScoreCommand(), benchStoreCommand(),
		benchLimitsCommand(), benchScalingCommand())
	return c
}

// benchFlags are those of all verbs of `bench`.
type benchFlags struct {
	study   cli.StudyFlags
	compute cli.Compute
	arm     string
	asJSON  bool
	demo    []string // keys of the demo that are set before those of --set
}

func (f *benchFlags) add(c *cobra.Command) {
	f.study.Add(c)
	f.compute.Add(c)
	cli.AddJSON(c, &f.asJSON)
}

func (f *benchFlags) addArm(c *cobra.Command) {
	c.Flags().StringVar(&f.arm, "arm", "", "measure only this arm (default: each)")
}

// load reads the study that is named, or makes the demo.
func (f *benchFlags) load(args []string) (*experiments.Study, error) {
	if len(args) > 0 {
		return f.study.Load(args[0])
	}
	study, err := experiments.Demo(append(f.demo, f.study.Sets...))
	if err != nil {
		return nil, cli.Usage(err)
	}
	study.Data.Root = cli.DataRoot(f.study.Root, study.Data.Root)
	return study, nil
}

// runBench has f measure what the flags ask for, and prints its report as JSON or as a table.
func runBench[O, R any](
	c *cobra.Command, flags *benchFlags, args []string,
	f func(context.Context, bench.Options, O) (*bench.Report[R], error), o O, table func(R) *term.Table,
) error {
	engine, err := newEngine(flags.compute)
	if err != nil {
		return err
	}
	study, err := flags.load(args)
	if err != nil {
		return err
	}
	progress, end := featureBars(c)
	r, err := f(c.Context(), bench.Options{Study: study, Arm: flags.arm, Engine: engine.Engine, Progress: progress}, o)
	end()
	if err != nil {
		return benchError(err)
	}
	w := c.OutOrStdout()
	if flags.asJSON {
		return term.WriteJSON(w, r)
	}
	if err := table(r.Rows).Print(w); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nstudy %s, data %s, %s, %s; peak memory of the process %.0f MB, without mapped files %.0f MB\n",
		r.Study, r.Data, r.Device, term.Plural(r.Threads, "thread"), r.PeakRSSMB, r.PeakAnonymousMB)
	return err
}

// benchError marks what the caller should have asked for otherwise.
func benchError(err error) error {
	if nothing := (*bench.NothingError)(nil); errors.As(err, &nothing) {
		return cli.Usage(err)
	}
	return err
}
