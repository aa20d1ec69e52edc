package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

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
// Images come in the order of their first caption. Identifiers are strings or
// whole numbers; 42 and "42" are the same image. What is not UTF-8, not JSON
// (NaN is not) or lacks a field gives an error with name and line.
func ReadReferences(r io.Reader, name string) ([]References, error) {
	var out []References
	index := make(map[string]int)
	err := readEntries(r, name, true, func(e entryJSON, _ int) error {
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
	lines := make(map[string]int)
	err := readEntries(r, name, false, func(e entryJSON, line int) error {
		id := string(*e.ImageID)
		if first, ok := lines[id]; ok {
			return fmt.Errorf("%s:%d: image %q has a candidate already, in line %d; keep one for each image", name, line, id, first)
		}
		lines[id] = line
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
			return nil, fmt.Errorf("image %q has no reference with a word in it; leave the image out on both sides", item.ID)
		}
	}
	return items, nil
}

// inParallel calls f for 0 to n-1, on all cores.
func inParallel(n int, f func(i int)) {
	var wg sync.WaitGroup
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
		return fmt.Errorf("references and candidates are not of the same images: %s; score the same set on both sides", strings.Join(problems, ", "))
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

// imageID is an identifier in JSON, a string or a whole number.
type imageID string

func (id *imageID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if strings.TrimSpace(s) == "" {
			return errors.New("image_id is empty")
		}
		*id = imageID(s)
		return nil
	}
	if len(b) > 0 && len(bytes.Trim(bytes.TrimPrefix(b, []byte{'-'}), "0123456789")) == 0 {
		*id = imageID(b)
		return nil
	}
	return fmt.Errorf("image_id is %.40s, not a string or a whole number", b)
}

// Bounds in bytes. The tokenizer's time grows with the square of a caption, at worst.
const (
	maxImageID = 1 << 10
	maxCaption = 1 << 15
)

type entryJSON struct {
	ImageID *imageID `json:"image_id"`
	Caption *string  `json:"caption"`
}

// readEntries calls f with each caption of a file and its line. The list may
// be inside an object only for references.
func readEntries(r io.Reader, name string, references bool, f func(e entryJSON, line int) error) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if at := invalidUTF8(data); at >= 0 {
		return fmt.Errorf("%s:%d: not UTF-8 at byte %d; save the file as UTF-8", name, lineAt(data, at), at)
	}
	d := &entryReader{name: name, data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	if err := d.readFile(references, f); err != nil {
		return d.explain(err)
	}
	if d.entries == 0 {
		return fmt.Errorf("%s: no captions in it", name)
	}
	return nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func lineAt(data []byte, offset int) int {
	return bytes.Count(data[:min(offset, len(data))], []byte{'\n'}) + 1
}
