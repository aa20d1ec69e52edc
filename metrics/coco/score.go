package coco

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/sheet"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// Files are references and one or more sets of candidates, as read from files.
type Files struct {
	path       string // of the references
	references []References
	sets       []candidates
}

type candidates struct {
	name, path string
	captions   []Candidate
}

// ReadFiles reads a file of references and one or more of candidates.
func ReadFiles(references string, paths []string) (*Files, error) {
	f := &Files{path: references}
	var err error
	if f.references, err = readFile("--references", references, ReadReferences); err != nil {
		return nil, err
	}
	for i, name := range shortNames(paths) {
		captions, err := readFile("--candidates", paths[i], ReadCandidates)
		if err != nil {
			return nil, err
		}
		f.sets = append(f.sets, candidates{name, paths[i], captions})
	}
	return f, nil
}

// readFile reads a file that the flag names.
func readFile[T any](flag, path string, read func(r io.Reader, name string) (T, error)) (T, error) {
	file, err := os.Open(path)
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", flag, err)
	}
	defer file.Close()
	return read(file, path)
}

// shortNames names files without folder and extension, unless two would be called alike.
func shortNames(paths []string) []string {
	var names []string
	for _, path := range paths {
		base := strings.TrimSuffix(filepath.Base(path), ".gz")
		name := strings.TrimSuffix(base, filepath.Ext(base))
		if slices.Contains(names, name) {
			return paths
		}
		names = append(names, name)
	}
	return names
}

// Scores are the scores of one or more sets of candidates. Their JSON is a stable interface: keys
// may be added, but not removed.
type Scores struct {
	Metrics    map[string]term.Number `json:"metrics,omitempty"` // where there is one set, its metrics
	Images     int                    `json:"images"`
	Signature  string                 `json:"signature"`  // of references, tokenizer and metrics
	References int                    `json:"references"` // captions that were scored against
	Candidates []Set                  `json:"candidates"`
	Comparison *stats.PairAnalysis    `json:"comparison,omitempty"` // of several sets, pair by pair over images

	wordless  int    // references left out
	meteorKey string // METEOR's name among the metrics
}

// Set is a scored set of candidates.
type Set struct {
	Name    string                 `json:"name"` // of the file, without folder and extension where that is enough
	File    string                 `json:"file"`
	Blank   int                    `json:"blank"` // candidates without a word
	Metrics map[string]term.Number `json:"metrics"`

	images []metrics.ImageScore
}

// Score scores each set of candidates, and compares them if there are several.
func (f *Files) Score(scorer *metrics.Scorer) (*Scores, error) {
	s := &Scores{
		Images: len(f.references), meteorKey: scorer.MeteorKey(),
		Signature: fmt.Sprintf("references=%s tokenizer=ptb metrics=%s", hash(f.references), scorer.Version()),
	}
	for _, set := range f.sets {
		items, err := Pair(f.references, set.captions)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", f.path, set.path, err)
		}
		s.References = 0 // pairing leaves out the same ones each time
		for _, item := range items {
			s.References += len(item.References)
		}
		result, err := scorer.Score(items)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set.path, err)
		}
		scored := Set{Name: set.name, File: set.path, Metrics: term.Numbers(result.Metrics), images: result.Images}
		for _, image := range result.Images {
			if image.Blank {
				scored.Blank++
			}
		}
		s.Candidates = append(s.Candidates, scored)
	}
	for _, r := range f.references {
		s.wordless += len(r.Texts)
	}
	s.wordless -= s.References
	if len(s.Candidates) == 1 {
		s.Metrics = s.Candidates[0].Metrics
		return s, nil
	}
	return s, s.compare()
}

// compare tests each pair of sets.
func (s *Scores) compare() error {
	var arms []stats.Arm
	for _, set := range s.Candidates {
		arms = append(arms, stats.Arm{Name: set.Name, Signature: s.Signature, Runs: []stats.Run{{Images: set.images}}})
	}
	comparison, err := stats.Pairwise(arms, stats.Options{Metrics: metrics.Tested(s.meteorKey)})
	s.Comparison = &comparison
	return err
}

// hash is enough of a hash to tell sets of references apart. The order of images does not matter, nor whether an identifier
// was a number.
func hash(references []References) string {
	ordered := slices.SortedFunc(slices.Values(references), func(a, b References) int { return strings.Compare(a.ID, b.ID) })
	h := sha256.New()
	for _, r := range ordered {
		for _, text := range r.Texts {
			fmt.Fprintf(h, "%q\t%q\n", r.ID, text)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// Remarks returns what a reader should know about the input.
func (s *Scores) Remarks() []string {
	var out []string
	if s.wordless > 0 {
		out = append(out, fmt.Sprintf("%s without a word left out, of %s", term.Plural(s.wordless, "reference"), term.Count(int64(s.wordless+s.References))))
	}
	for _, set := range s.Candidates {
		if set.Blank > 0 {
			out = append(out, fmt.Sprintf("%s: %s without a word, which score 0, of %s", set.File, term.Plural(set.Blank, "candidate"), term.Count(int64(s.Images))))
		}
	}
	if s.meteorKey != metrics.METEORKey {
		out = append(out, "METEOR matches only exact words and stems: for synonyms and paraphrases run `glimpse data fetch meteor`")
	}
	return out
}

// WriteImages writes the scores of each image as CSV, a row for each set and image: fractions of 1, CIDEr unscaled, as in
// JSON.
func (s *Scores) WriteImages(w io.Writer) error {
	rows := sheet.NewWriter(w)
	keys := metrics.Tested(s.meteorKey)
	if err := rows.Write(slices.Concat([]string{"candidates", "image_id"}, keys, []string{"length", "ref_length"})); err != nil {
		return err
	}
	for _, set := range s.Candidates {
		for _, image := range set.images {
			row := []string{set.Name, image.ID}
			for _, key := range keys {
				m, _ := metrics.Find(key)
				row = append(row, strconv.FormatFloat(m.Image(&image), 'g', -1, 64))
			}
			if err := rows.Write(append(row, strconv.Itoa(image.Length), strconv.Itoa(image.RefLength))); err != nil {
				return err
			}
		}
	}
	rows.Flush()
	return rows.Error()
}
