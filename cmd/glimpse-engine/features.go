package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/jsonline"
	"glimpse/internal/term"
	"glimpse/planning"
	"glimpse/runner"
)

func featuresCommand() *cobra.Command {
	var (
		flags    cli.StudyFlags
		compute  cli.Compute
		verify   bool
		export   string
		asJSON   bool
		launched bool
	)
	c := &cobra.Command{
		Use: "features STUDY.yaml",
		Long: `Fill the feature cache for a study, as glimpse run does before its first trial.
Existing features are kept, and an interrupted command resumes. Features are
verified whenever they are used; --verify reads all of them now, and recomputes
damaged ones. An encoder trained with the captioner needs no cache; precomputed
features are only checked.

--export writes the features of all pictures in a split to a safetensors file of
float16, for encoder.path of a study or for other programs.`,
		Example: `  glimpse features experiments/flickr8k.yaml
  glimpse features experiments/flickr8k.yaml --verify
  glimpse features experiments/flickr8k.yaml --device cuda --data /data/flickr8k
  glimpse features experiments/flickr8k.yaml --export flickr8k.safetensors`,
		Args: func(c *cobra.Command, args []string) error {
			if launched {
				return cobra.NoArgs(c, args)
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if launched {
				return launchedFeatures(c)
			}
			study, err := flags.Load(args[0])
			if err != nil {
				return err
			}
			trials, err := study.Plan()
			if err != nil {
				return err
			}
			engine, err := newEngine(compute)
			if err != nil {
				return err
			}
			cache, err := cli.DataCache()
			if err != nil {
				return err
			}
			sets := planning.Sets{Cache: cache}
			progress, end := featureBars(c)
			fill := engine.Features
			if verify {
				fill = engine.VerifiedFeatures
			}
			done, err := sets.Fill(c.Context(), trials, fill, progress)
			end()
			if err == nil && export != "" {
				err = exportFeatures(c, engine, &sets, trials, export)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), done)
			}
			t := &term.Table{}
			t.Add("DATA", "SPLIT", "ENCODER", "SIZE", "IMAGES", "VIEWS", "MB", "COMPUTED NOW", "TIME")
			for _, f := range done {
				t.Add(f.Data, f.Split, f.Name(), strconv.Itoa(f.ImageSize), strconv.Itoa(f.Images), strconv.Itoa(f.Views),
					fmt.Sprintf("%.1f", float64(f.Bytes)/1e6), strconv.Itoa(f.Computed), term.Span(float64(f.Seconds)))
			}
			return t.Print(c.OutOrStdout())
		},
	}
	c.AddCommand(cli.FeaturesPruneCommand())
	flags.Add(c)
	compute.Add(c)
	c.Flags().BoolVar(&verify, "verify", false, "read all existing features, and recompute damaged ones")
	c.Flags().StringVar(&export, "export", "", "write the features to FILE.safetensors")
	c.Flags().Lookup("threads").Usage = "threads to compute with; features do not depend on it (default: the processors)"
	cli.AddJSON(c, &asJSON)
	c.Flags().BoolVar(&launched, "launched", false, "read the request from a JSON line on standard input, and end when that closes")
	if err := c.Flags().MarkHidden("launched"); err != nil {
		panic(err) // the flag is defined above
	}
	return c
}

// exportFeatures writes the features of the trials, which must all use the same ones.
func exportFeatures(c *cobra.Command, e modelEngine, sets *planning.Sets, trials []experiments.Trial, path string) error {
	distinct := experiments.DistinctFeatures(trials)
	if len(distinct) != 1 {
		return cli.Usage(fmt.Errorf("--export writes one file, but the study has %d encoders or data sets: choose one with --set", len(distinct)))
	}
	if filepath.Ext(path) != ".safetensors" {
		return cli.Usage(errors.New("--export writes safetensors: name a file FILE.safetensors"))
	}
	s := distinct[0].Settings
	d, err := sets.Load(s)
	if err != nil {
		return err
	}
	return e.ExportFeatures(c.Context(), s, d, path)
}

// launchedFeatures computes the features that a runner requests, and reports progress to it.
func launchedFeatures(c *cobra.Command) error {
	asked, ctx, err := engine.ReadFeatures(c.Context(), c.InOrStdin())
	if err != nil {
		return err
	}
	e, err := newEngine(cli.Compute{Device: asked.Device, Threads: asked.Threads})
	if err != nil {
		return err
	}
	cache, err := cli.DataCache()
	if err != nil {
		return err
	}
	d, err := data.Load(runner.DataOptions(asked.Settings, asked.Root, cache))
	if err != nil {
		return err
	}
	return e.Features(ctx, asked.Settings, d, func(done, total int) { _ = jsonline.Write(c.OutOrStdout(), engine.Done{Done: done, Total: total}) })
}

// featureBars shows the progress of encoders until end is called.
func featureBars(c *cobra.Command) (progress func(encoder string, done, total int), end func()) {
	bars := term.NewProgress(c.ErrOrStderr())
	return func(encoder string, done, total int) {
		bars.Update(encoder, done, total, "images")
		if done == total {
			bars.Finish(encoder, "")
		}
	}, bars.Close
}
