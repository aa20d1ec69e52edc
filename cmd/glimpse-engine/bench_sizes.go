package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/bench"
	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/term"
)

func benchLimitsCommand() *cobra.Command {
	var flags benchFlags
	c := &cobra.Command{
		Use:   "limits [STUDY.yaml]",
		Short: "Compute the minimum time of a training step on this machine",
		Long: `List the matrix products, memory traffic and tanh values of one training step of
each arm. Measure how fast this machine computes products of exactly these
sizes, sums of long vectors, and tanh. Then add up the minimum time of the step,
to compare with bench train.`,
		Example: `  glimpse bench limits
  glimpse bench limits experiments/flickr8k.yaml --arm adaptive --threads 1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			limits := func(ctx context.Context, b bench.Options, _ struct{}) (*bench.Report[bench.StepLimits], error) {
				return bench.Limits(ctx, b)
			}
			return runBench(c, &flags, args, limits, struct{}{}, limitsTable)
		},
	}
	flags.add(c)
	flags.addArm(c)
	return c
}

func limitsTable(found bench.StepLimits) *term.Table {
	positive := func(format string, v term.Number) string {
		if v == 0 {
			return ""
		}
		return fmt.Sprintf(format, v)
	}
	t := &term.Table{}
	for _, arm := range found.Arms {
		t.Add("ARM "+arm.Arm, "PRODUCT", "GFLOP", "GFLOP/S", "MB", "TANH (10⁶)", "MIN MS")
		for _, p := range arm.Parts {
			t.Add(p.Part, p.Shape, positive("%.3f", p.GFLOP), positive("%.0f", p.GFLOPs), positive("%.1f", p.MB), positive("%.2f", p.TanhM),
				fmt.Sprintf("%.2f", p.LimitMS))
		}
		t.Add("total", "", fmt.Sprintf("%.3f", arm.GFLOP), "", fmt.Sprintf("%.1f", arm.MB), "", fmt.Sprintf("%.2f", arm.StepMS))
		t.Gap()
	}
	t.Add(fmt.Sprintf("memory %.1f GB/s, tanh %.2f·10⁹/s", found.MemoryGBs, found.TanhGs))
	return t
}

func benchScalingCommand() *cobra.Command {
	var (
		o      bench.ScalingOptions
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "scaling -o DIR",
		Short: "Measure how time and memory grow with each size",
		Long: `Measure the soft arm of the built-in demo, whose encoder is trained too, while
one size at a time grows: ` + strings.Join(bench.Axes(), ", ") + `.
Each point runs in a separate process. Write scaling.csv, scaling.svg and
scaling.png.`,
		Example: `  glimpse bench scaling -o scaling
  glimpse bench scaling -o scaling --axis hidden --axis beam --threads 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cli.AtLeast("steps", o.Steps, 1); err != nil {
				return err
			}
			if o.Folder == "" {
				return cli.Usage(errors.New("-o DIR is missing: name the folder for the table and plots"))
			}
			self, err := engine.Self(cli.Version())
			if err != nil {
				return err
			}
			o.Run = func(ctx context.Context, stdout io.Writer, args ...string) error {
				return self.Run(ctx, stdout, nil, args...)
			}
			o.Done = func(label string, p bench.ScalingPoint) {
				fmt.Fprintf(c.ErrOrStderr(), "%s %d: %.1f ms, %.0f MB\n", label, p.Value, p.MS, p.PeakMB)
			}
			points, err := bench.Scaling(c.Context(), o)
			if err != nil {
				return benchError(err)
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), points)
			}
			return scalingTable(points).Print(c.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&o.Folder, "output", "o", "", "folder for scaling.csv, scaling.svg and scaling.png")
	c.Flags().StringArrayVar(&o.Axes, "axis", nil, "measure only this axis (repeatable)")
	c.Flags().StringArrayVar(&o.Sets, "set", nil, "override a key of the demo (repeatable)")
	c.Flags().IntVar(&o.Steps, "steps", 10, "training steps per point")
	c.Flags().IntVar(&o.Threads, "threads", 0, "threads to compute with (default: the processors)")
	cli.AddJSON(c, &asJSON)
	return c
}

func scalingTable(points []bench.ScalingPoint) *term.Table {
	t := &term.Table{}
	t.Add("AXIS", "VALUE", "MS", "PEAK MB")
	for _, p := range points {
		t.Add(p.Axis, strconv.Itoa(p.Value), fmt.Sprintf("%.1f", p.MS), fmt.Sprintf("%.0f", p.PeakMB))
	}
	return t
}
