package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"glimpse/internal/atomicfile"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/coco"
)

func scoreCommand() *cobra.Command {
	var (
		o      scoreOptions
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "score --references FILE --candidates FILE",
		Short: "Score captions of any program",
		Long: `Score captions of any program against references. References are COCO's
captions_*.json (an object with "annotations", or that list alone). Candidates
are COCO results, [{"image_id": 1, "caption": "…"}, …]. Files may be gzipped; in
.jsonl or .ndjson files, each line is an entry. Both must have the same images.
An image ID is a string or a whole number of any size; 42, "42" and 42.0 are the
same image. Keys are case-sensitive. A repeated key, a second candidate for an
image, text that is not UTF-8, and invalid JSON (NaN) are errors, with file,
line and entry. A line break in a caption counts as a space. An empty candidate
scores 0. A reference without words is left out; an image without any other is
an error.

Several --candidates are compared with one another over the images: paired
bootstrap, approximate randomization, Holm. Such tests say nothing about
training the same model again; for that, use glimpse compare on arms with
several seeds.

The signature names references, tokenizer and metrics version: do not compare
scores of different signatures.`,
		Example: `  glimpse score --references captions_val2014.json --candidates results.json
  glimpse score --references refs.json --candidates a.json --candidates b.json
  glimpse score --references refs.json --candidates a.json --per-image a.csv`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return cli.Usage(err)
			}
			files, err := coco.ReadFiles(o.references, o.candidates)
			if err != nil {
				return err
			}
			scorer := &metrics.Scorer{}
			if scorer.Meteor, err = cli.LoadMeteor(o.meteor); err != nil {
				return err
			}
			scores, err := files.Score(scorer)
			if err != nil {
				return err
			}
			if o.perImage != "" {
				if err := atomicfile.Write(o.perImage, scores.WriteImages); err != nil {
					return fmt.Errorf("--per-image: %w", err)
				}
			}
			for _, remark := range scores.Remarks() {
				fmt.Fprintln(c.ErrOrStderr(), term.Line(remark))
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), scores)
			}
			return printScores(c, scores, o.wide)
		},
	}
	c.Flags().StringVar(&o.references, "references", "", "JSON file of references")
	c.Flags().StringArrayVar(&o.candidates, "candidates", nil, "JSON file of captions to score (repeatable)")
	c.Flags().StringVar(&o.perImage, "per-image", "", "write the scores of each image to this CSV file")
	cli.AddMeteor(c, &o.meteor)
	cli.AddWide(c, &o.wide)
	cli.AddJSON(c, &asJSON)
	for _, name := range []string{"references", "candidates"} {
		_ = c.MarkFlagFilename(name, "json")
	}
	return c
}

type scoreOptions struct {
	references string
	candidates []string
	perImage   string
	meteor     string
	wide       bool
}

func (o *scoreOptions) check() error {
	if o.references == "" || len(o.candidates) == 0 {
		return errors.New("--references and --candidates are required; each names a JSON file")
	}
	for i, path := range o.candidates {
		if slices.Contains(o.candidates[:i], path) {
			return fmt.Errorf("--candidates %s is given twice", path)
		}
	}
	if o.perImage != "" && slices.Contains(append([]string{o.references}, o.candidates...), o.perImage) {
		return fmt.Errorf("--per-image %s would overwrite an input file", o.perImage)
	}
	return nil
}
