package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/term"
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
		flags   studyFlags
		compute engineFlags
		asJSON  bool
	)
	c := &cobra.Command{
		Use:   "features SPEC",
		Short: "Compute the image features that a study needs",
		Long: `Fills the feature cache for a study, as run would before its first trial. What
is there already is verified and kept; an interrupted run is gone on with. An
encoder that is trained together with the captioner needs no cache.`,
		Example: `  glimpse features experiments/flickr8k.yaml
  glimpse features experiments/flickr8k.yaml --device cuda --data /data/flickr8k`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			study, err := flags.load(args[0])
			if err != nil {
				return err
			}
			trials, err := study.Plan()
			if err != nil {
				return err
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			done, err := computeFeatures(c, trials, engine)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), done)
			}
			t := &table{}
			t.add("DATA", "SPLIT", "ENCODER", "SIZE", "IMAGES", "COMPUTED NOW", "TIME")
			for _, f := range done {
				t.add(f.Data, f.Split, f.Encoder, strconv.Itoa(f.ImageSize), strconv.Itoa(f.Images), strconv.Itoa(f.Computed), span(float64(f.Seconds)))
			}
			return t.print(c.OutOrStdout())
		},
	}
	flags.add(c)
	compute.add(c)
	addJSONFlag(c, &asJSON)
	return c
}

// computeFeatures fills the cache for each data set and encoder among the trials.
func computeFeatures(c *cobra.Command, trials []experiments.Trial, engine engine) ([]computed, error) {
	type view struct {
		data    experiments.Data
		encoder experiments.Encoder
		seed    int64
	}
	seen, sets, all := map[view]bool{}, datasets{}, []computed{}
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
		d, err := sets.load(s)
		if err != nil {
			return nil, err
		}
		result := computed{Data: d.Name, Split: d.Split, Encoder: s.Encoder.Name, ImageSize: s.Encoder.ImageSize}
		for _, split := range d.Splits {
			result.Images += len(split)
		}
		bars, begun := newProgress(c.ErrOrStderr()), time.Now()
		err = engine.Features(c.Context(), s, d, func(done, total int) {
			result.Computed = done
			bars.update(s.Encoder.Name, done, total, "images")
		})
		bars.close()
		if err != nil {
			return nil, fmt.Errorf("features of %s by %s: %w", d.Name, s.Encoder.Name, err)
		}
		result.Seconds = term.Number(time.Since(begun).Seconds())
		all = append(all, result)
	}
	return all, nil
}
