package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/atomicfile"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
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
candidates its results, [{"image_id": 1, "caption": "…"}, …]. Both must be of the
same images; an identifier may be a string or a whole number, and 42 and "42" are
the same image. A second candidate of an image, text that is not UTF-8 and JSON
that is none (NaN) are errors, with file and line. An empty candidate scores 0. A
reference without a word in it is left out; an image with no other is an error.

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
			s, err := score(o)
			if err != nil {
				return err
			}
			if o.perImage != "" {
				if err := s.writePerImage(o.perImage); err != nil {
					return err
				}
			}
			for _, remark := range s.remarks() {
				fmt.Fprintln(c.ErrOrStderr(), remark)
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), s.json())
			}
			return s.print(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&o.references, "references", "", "JSON file of references")
	c.Flags().StringArrayVar(&o.candidates, "candidates", nil, "JSON file of captions to score (repeatable)")
	c.Flags().StringVar(&o.perImage, "per-image", "", "write the scores of each image to this CSV file")
	cli.AddMeteor(c, &o.meteor)
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

// scores is what `score` tells.
type scores struct {
	references int // captions, of which skipped have no word
	skipped    int
	images     int
	signature  string
	meteorKey  string
	candidates []scored
	comparison *stats.PairAnalysis // nil for one set of candidates
}

// scored is one set of candidates.
type scored struct {
	name, path string
	result     metrics.Result
}

func (c *scored) blank() int {
	n := 0
	for _, image := range c.result.Images {
		if image.Blank {
			n++
		}
	}
	return n
}

// score reads, scores and compares.
func score(o scoreOptions) (*scores, error) {
	references, err := readReferences(o.references)
	if err != nil {
		return nil, err
	}
	names, all := captionNames(o.candidates), make([][]metrics.Candidate, len(o.candidates))
	for i, path := range o.candidates { // all files are read before anything is computed
		if all[i], err = readCandidates(path); err != nil {
			return nil, err
		}
	}
	scorer := &metrics.Scorer{}
	if scorer.Meteor, err = cli.LoadMeteor(o.meteor); err != nil {
		return nil, err
	}
	s := &scores{images: len(references), meteorKey: scorer.MeteorKey(),
		signature: fmt.Sprintf("references=%s tokenizer=ptb metrics=%s", hashReferences(references), scorer.Version())}
	for _, r := range references {
		s.references += len(r.Texts)
	}
	for i, path := range o.candidates {
		items, err := metrics.Pair(references, all[i])
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", o.references, path, err)
		}
		s.skipped = s.references
		for _, item := range items {
			s.skipped -= len(item.References)
		}
		result, err := scorer.Score(items)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.candidates = append(s.candidates, scored{names[i], path, result})
	}
	return s, s.compare()
}

// compare tests each pair of candidates, if there are any.
func (s *scores) compare() error {
	if len(s.candidates) < 2 {
		return nil
	}
	var arms []stats.Arm
	for _, c := range s.candidates {
		arms = append(arms, stats.Arm{Name: c.name, Signature: s.signature, Runs: []stats.Run{{Images: c.result.Images}}})
	}
	comparison, err := stats.Pairwise(arms, stats.Options{Metrics: metrics.Tested(s.meteorKey)})
	s.comparison = &comparison
	return err
}

func readReferences(path string) ([]metrics.References, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--references: %w", err)
	}
	defer f.Close()
	return metrics.ReadReferences(f, path)
}

func readCandidates(path string) ([]metrics.Candidate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--candidates: %w", err)
	}
	defer f.Close()
	return metrics.ReadCandidates(f, path)
}

// captionNames gives files short names: without folder and extension, unless two would be called alike.
func captionNames(paths []string) []string {
	names := make([]string, len(paths))
	count := map[string]int{}
	for i, path := range paths {
		base := filepath.Base(path)
		names[i] = strings.TrimSuffix(base, filepath.Ext(base))
		count[names[i]]++
	}
	for _, n := range count {
		if n > 1 {
			return paths
		}
	}
	return names
}

// hashReferences is enough of a hash to tell sets of references apart. The order of images does not matter, nor
// whether an identifier was a number.
func hashReferences(references []metrics.References) string {
	ordered := slices.SortedFunc(slices.Values(references), func(a, b metrics.References) int { return strings.Compare(a.ID, b.ID) })
	h := sha256.New()
	for _, r := range ordered {
		for _, text := range r.Texts {
			fmt.Fprintf(h, "%q\t%q\n", r.ID, text)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// remarks are what a reader should know of the input.
func (s *scores) remarks() []string {
	var out []string
	if s.skipped > 0 {
		out = append(out, fmt.Sprintf("%s without a word left out, of %s", term.Plural(s.skipped, "reference"), term.Count(int64(s.references))))
	}
	for _, c := range s.candidates {
		if n := c.blank(); n > 0 {
			out = append(out, fmt.Sprintf("%s: %s without a word, which score 0, of %s", c.path, term.Plural(n, "candidate"), term.Count(int64(s.images))))
		}
	}
	if s.meteorKey != metrics.METEORKey {
		out = append(out, "METEOR matches exact words and stems alone: `glimpse data fetch meteor` gets its synonyms and paraphrases")
	}
	return out
}

// writePerImage writes a row for each candidate and image. The file appears whole or not at all.
func (s *scores) writePerImage(path string) error {
	if err := atomicfile.Write(path, s.perImage); err != nil {
		return fmt.Errorf("--per-image: %w", err)
	}
	return nil
}
