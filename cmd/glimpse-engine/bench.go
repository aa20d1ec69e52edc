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
		Use: "bench",
		Long: `Measure how fast this machine runs each part of a study, with the settings of a
study or, if none is given, of the built-in demo, which needs no files. No
results database is changed.

Peak memory is that of the whole process since it started. If it matters,
measure one arm at a time (--arm). peak_rss_mb includes the used pages of mapped
files, such as programs and libraries; peak_anonymous_mb does not.

--threads limits the threads of both libtorch and Go. Keep the machine idle.`,
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

// benchFlags are the flags that all verbs of `bench` share.
type benchFlags struct {
	study   cli.StudyFlags
	compute cli.Compute
	arm     string
	asJSON  bool
	demo    []string // keys of the demo, set before those of --set
}

func (f *benchFlags) add(c *cobra.Command) {
	f.study.Add(c)
	f.compute.Add(c)
	cli.AddJSON(c, &f.asJSON)
}

func (f *benchFlags) addArm(c *cobra.Command) {
	c.Flags().StringVar(&f.arm, "arm", "", "measure only this arm (default: all)")
}

// load reads the study named by the arguments, or returns the demo.
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

// runBench runs the measurement f with the flags' options, and prints its report as JSON or a
// table.
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
	_, err = fmt.Fprintf(w, "\nstudy %s, data %s, %s, %s; peak memory of the process %.0f MB, %.0f MB without mapped files\n",
		r.Study, r.Data, r.Device, term.Plural(r.Threads, "thread"), r.PeakRSSMB, r.PeakAnonymousMB)
	return err
}

// benchError marks a [bench.NothingError] as an error of usage.
func benchError(err error) error {
	if nothing := (*bench.NothingError)(nil); errors.As(err, &nothing) {
		return cli.Usage(err)
	}
	return err
}
