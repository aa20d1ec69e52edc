package coco

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"glimpse/internal/crash"
	"glimpse/internal/jsonfile"
	"glimpse/metrics"
	"glimpse/metrics/ptb"
)

// References are the reference captions of one image, as text.
type References struct {
	ID    string
	Texts []string
}

// Candidate is the caption to be scored for one image, as text.
type Candidate struct {
	ID   string
	Text string
}

// ReadReferences reads reference captions in COCO's format: an object with the
// list "annotations", or that list alone, of {"image_id": …, "caption": "…"}.
// Where the name ends in .jsonl, each line is an entry; with .gz, the file is
// unpacked. Images come in the order of their first caption, and are told apart
// by [jsonfile.ID]. What is not UTF-8, not JSON (NaN is not) or lacks a field
// gives an error with name, line and entry.
func ReadReferences(r io.Reader, name string) ([]References, error) {
	var out []References
	index := make(map[string]int)
	err := readEntries(r, name, true, func(e captionEntry, _ jsonfile.Place) error {
		id := string(*e.ImageID)
		i, ok := index[id]
		if !ok {
			i = len(out)
			index[id] = i
			out = append(out, References{ID: id})
		}
		out[i].Texts = append(out[i].Texts, *e.Caption)
		return nil
	})
	return out, err
}

// ReadCandidates reads captions to be scored in COCO's format of results, a
// list of {"image_id": …, "caption": "…"}, by the rules of [ReadReferences].
// Two captions of one image are an error. An empty caption is read, and scores
// 0.
func ReadCandidates(r io.Reader, name string) ([]Candidate, error) {
	var out []Candidate
	entries := make(map[string]jsonfile.Place)
	err := readEntries(r, name, false, func(e captionEntry, at jsonfile.Place) error {
		id := string(*e.ImageID)
		if first, ok := entries[id]; ok {
			return fmt.Errorf("image %q already has a candidate, in %s of line %d: keep one per image", id, first, first.Line)
		}
		entries[id] = at
		out = append(out, Candidate{id, *e.Caption})
		return nil
	})
	return out, err
}

// Pair tokenizes captions and joins each candidate with its references, in the
// references' order. Both sides must have the same images; if not, the error
// names some. A reference without a token (nothing but punctuation) is left
// out, and an image whose references all are like that is an error.
func Pair(references []References, candidates []Candidate) ([]metrics.Item, error) {
	if err := sameImages(references, candidates); err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(candidates))
	for _, c := range candidates {
		texts[c.ID] = c.Text
	}
	items := make([]metrics.Item, len(references))
	inParallel(len(references), func(i int) {
		r := references[i]
		items[i] = metrics.Item{ID: r.ID, Candidate: ptb.Tokenize(texts[r.ID])}
		for _, text := range r.Texts {
			if tokens := ptb.Tokenize(text); len(tokens) > 0 {
				items[i].References = append(items[i].References, tokens)
			}
		}
	})
	for _, item := range items {
		if len(item.References) == 0 {
			return nil, fmt.Errorf("image %q has no reference with words: remove the image from references and candidates", item.ID)
		}
	}
	return items, nil
}

// inParallel calls f for 0 to n-1, on all cores.
func inParallel(n int, f func(i int)) {
	var wg crash.Workers
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		wg.Go(func() {
			for i := first; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}

func sameImages(references []References, candidates []Candidate) error {
	has := make(map[string]bool, len(candidates))
	for _, c := range candidates {
		has[c.ID] = true
	}
	var noCandidate, noReference []string
	for _, r := range references {
		if !has[r.ID] {
			noCandidate = append(noCandidate, r.ID)
		}
		delete(has, r.ID)
	}
	for _, c := range candidates {
		if has[c.ID] {
			noReference = append(noReference, c.ID)
		}
	}
	var problems []string
	if len(noCandidate) > 0 {
		problems = append(problems, fmt.Sprintf("%d have references but no candidate (%s)", len(noCandidate), someOf(noCandidate)))
	}
	if len(noReference) > 0 {
		problems = append(problems, fmt.Sprintf("%d have a candidate but no references (%s)", len(noReference), someOf(noReference)))
	}
	if len(problems) > 0 {
		return fmt.Errorf("references and candidates are of different images: %s: use the same images in both", strings.Join(problems, ", "))
	}
	return nil
}

// someOf lists a few identifiers.
func someOf(ids []string) string {
	const few = 3
	var quoted []string
	for _, id := range ids[:min(few, len(ids))] {
		quoted = append(quoted, fmt.Sprintf("%q", id))
	}
	if len(ids) > few {
		quoted = append(quoted, "…")
	}
	return strings.Join(quoted, ", ")
}
