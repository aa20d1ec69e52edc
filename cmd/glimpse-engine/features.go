package main

import (
	"fmt"
	"strconv"
	"time"

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

// computed is what `features` tells of one encoder on one data set.
type computed struct {
	Data      string      `json:"data"`
	Split     string      `json:"split"`
	Encoder   string      `json:"encoder"`
	ImageSize int         `json:"image_size"`
	Images    int         `json:"images"`   // in a split
	Computed  int         `json:"computed"` // now; the others were there, or the encoder is trained with the captioner
	Seconds   term.Number `json:"seconds"`
}

func featuresCommand() *cobra.Command {
	var (
		flags    cli.StudyFlags
		compute  cli.Compute
		asJSON   bool
		launched bool
	)
	c := &cobra.Command{
		Use:   "features SPEC",
		Short: "Compute the image features that a study needs",
		Long: `Fills the feature cache for a study, as run would before its first trial. What
is there already is verified and kept; an interrupted run is gone on with. An
encoder that is trained together with the captioner needs no cache.`,
		Example: `  glimpse features experiments/flickr8k.yaml
  glimpse features experiments/flickr8k.yaml --device cuda --data /data/flickr8k`,
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
			done, err := computeFeatures(c, trials, engine)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), done)
			}
			t := &term.Table{}
			t.Add("DATA", "SPLIT", "ENCODER", "SIZE", "IMAGES", "COMPUTED NOW", "TIME")
			for _, f := range done {
				t.Add(f.Data, f.Split, f.Encoder, strconv.Itoa(f.ImageSize), strconv.Itoa(f.Images), strconv.Itoa(f.Computed), term.Span(float64(f.Seconds)))
			}
			return t.Print(c.OutOrStdout())
		},
	}
	flags.Add(c)
	compute.Add(c)
	cli.AddJSON(c, &asJSON)
	c.Flags().BoolVar(&launched, "launched", false, "take what to compute from a JSON line on standard input, whose end is the runner's")
	if err := c.Flags().MarkHidden("launched"); err != nil {
		panic(err) // the flag stands above
	}
	return c
}

// launchedFeatures computes what a runner asks for, and tells it how far that has come.
func launchedFeatures(c *cobra.Command) error {
	asked, ctx, err := engine.ReadFeatures(c.Context(), c.InOrStdin())
	if err != nil {
		return err
	}
	e, err := newEngine(cli.Compute{Device: asked.Device, Threads: asked.Threads})
	if err != nil {
		return err
	}
	d, err := data.Load(runner.DataOptions(asked.Settings, asked.Root))
	if err != nil {
		return err
	}
	return e.Features(ctx, asked.Settings, d, func(done, total int) { _ = jsonline.Write(c.OutOrStdout(), engine.Done{Done: done, Total: total}) })
}

// computeFeatures fills the cache for each data set and encoder among the trials.
func computeFeatures(c *cobra.Command, trials []experiments.Trial, engine modelEngine) ([]computed, error) {
	type view struct {
		data    experiments.Data
		encoder experiments.Encoder
		seed    int64
	}
	seen, sets, all := map[view]bool{}, planning.Sets{Cache: engine.pictureHashes()}, []computed{}
	for _, trial := range trials {
		s := trial.Settings
		key := view{data: s.Data, encoder: s.Encoder}
		if s.Encoder.Weights == "random" { // drawn from the trial's seed
			key.seed = s.Seed
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		d, err := sets.Load(s)
		if err != nil {
			return nil, err
		}
		result := computed{Data: d.Name, Split: d.Split, Encoder: s.Encoder.Name, ImageSize: s.Encoder.ImageSize}
		for _, split := range d.Splits {
			result.Images += len(split)
		}
		bars, begun := term.NewProgress(c.ErrOrStderr()), time.Now()
		err = engine.Features(c.Context(), s, d, func(done, total int) {
			result.Computed = done
			bars.Update(s.Encoder.Name, done, total, "images")
		})
		bars.Close()
		if err != nil {
			return nil, fmt.Errorf("features of %s by %s: %w", d.Name, s.Encoder.Name, err)
		}
		result.Seconds = term.Number(time.Since(begun).Seconds())
		all = append(all, result)
	}
	return all, nil
}
