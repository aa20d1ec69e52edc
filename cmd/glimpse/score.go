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
		Short: "Score captions in COCO's JSON; compare several sets of them",
		Long: `Scores captions, of this program or any other, against references. References
are COCO's captions_*.json (an object with "annotations", or that list alone) and
candidates its results, [{"image_id": 1, "caption": "…"}, …]. Files may be packed
by gzip; in one named .jsonl (or .ndjson), each line is an entry. Both must be of
the same images; an identifier may be a string or a whole number of any size, and
42, "42" and 42.0 are the same image. Keys match by case. A key given twice, a
second candidate of an image, text that is not UTF-8 and JSON that is none (NaN)
are errors, with file, line and entry. A line break in a caption is a space. An
empty candidate scores 0. A reference without a word in it is left out; an image
with no other is an error.

Several --candidates are compared with one another over the images: paired
bootstrap, approximate randomization, Holm. Such tests say nothing about another
training of the same model; for that, compare arms of several seeds with
glimpse compare.

The signature names the references, the tokenizer and the version of the metrics:
scores of different signatures must not be compared.`,
		Example: `  glimpse score --references captions_val2014.json --candidates results.json
  glimpse score --references refs.json --candidates a.json --candidates b.json
  glimpse score --references refs.json --candidates a.json --per-image a.csv --json`,
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
		return errors.New("--references and --candidates are needed, each a JSON file")
	}
	for i, path := range o.candidates {
		if slices.Contains(o.candidates[:i], path) {
			return fmt.Errorf("--candidates %s is given twice", path)
		}
	}
	if o.perImage != "" && slices.Contains(append([]string{o.references}, o.candidates...), o.perImage) {
		return fmt.Errorf("--per-image %s would overwrite what is read", o.perImage)
	}
	return nil
}
