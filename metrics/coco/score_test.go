package coco

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/metrics"
)

const (
	twoReferences = `{"annotations": [
  {"image_id": 1, "caption": "A dog runs over the grass."},
  {"image_id": 2, "caption": "Two people sit on a bench."}
]}`
	twoCandidates = `[{"image_id": 1, "caption": "a dog runs"}, {"image_id": "2", "caption": "two people"}]`
)

// write writes files into a new folder, and gives a function that gives their paths.
func write(t *testing.T, files map[string]string) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

func scoreFiles(t *testing.T, references string, candidates ...string) *Scores {
	t.Helper()
	files, err := ReadFiles(references, candidates)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := files.Score(&metrics.Scorer{})
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

// TestSignature holds that a signature is of the references' images and texts, whatever their order and the type of
// their identifiers, and that other references give another one.
func TestSignature(t *testing.T) {
	at := write(t, map[string]string{
		"refs.json": twoReferences, "good.json": twoCandidates,
		"turned.json": `[{"image_id": "2", "caption": "Two people sit on a bench."}, {"image_id": "1", "caption": "A dog runs over the grass."}]`,
		"more.json":   `[{"image_id": 1, "caption": "A dog runs over the grass!"}, {"image_id": 2, "caption": "Two people sit on a bench."}]`,
	})
	signature := func(references string) string {
		scores := scoreFiles(t, at(references), at("good.json"))
		if scores.Images != 2 || scores.References != 2 || len(scores.Metrics) < 9 {
			t.Errorf("%s: %+v", references, scores)
		}
		return scores.Signature
	}
	if refs, turned, more := signature("refs.json"), signature("turned.json"), signature("more.json"); refs != turned || refs == more {
		t.Errorf("signatures: %s, %s, %s", refs, turned, more)
	}
}

// TestSets holds what is told of several sets: short names unless two are alike, their comparison, what was left out, and a
// row for each set and image.
func TestSets(t *testing.T) {
	at := write(t, map[string]string{
		"refs.json": `[{"image_id": 1, "caption": "A dog runs"}, {"image_id": 1, "caption": "..."}, {"image_id": 2, "caption": "Two people"}]`,
		"a/x.json":  twoCandidates, "b/y.json": `[{"image_id": 1, "caption": ""}, {"image_id": 2, "caption": "two people"}]`,
		"b/x.json": twoCandidates,
	})
	scores := scoreFiles(t, at("refs.json"), at("a/x.json"), at("b/y.json"))
	names := []string{scores.Candidates[0].Name, scores.Candidates[1].Name}
	if !slices.Equal(names, []string{"x", "y"}) || scores.Comparison == nil || scores.Metrics != nil || scores.References != 2 {
		t.Errorf("%v, %+v", names, scores)
	}
	want := []string{
		"1 reference without a word left out, of 3",
		at("b/y.json") + ": 1 candidate without a word, which score 0, of 2",
		"METEOR matches only exact words and stems: for synonyms and paraphrases run `glimpse data fetch meteor`",
	}
	if got := scores.Remarks(); !slices.Equal(got, want) {
		t.Errorf("remarks:\n%s", strings.Join(got, "\n"))
	}
	var rows strings.Builder
	if err := scores.WriteImages(&rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(rows.String()), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "candidates,image_id,bleu1,") || !strings.HasPrefix(lines[3], "y,1,0,0,0,0,") || !strings.HasSuffix(lines[3], ",0,3") {
		t.Errorf("rows:\n%s", rows.String())
	}
	scores.Candidates[0].Name = "=x"
	rows.Reset()
	if err := scores.WriteImages(&rows); err != nil || !strings.Contains(rows.String(), "\n'=x,1,") {
		t.Errorf("a name that begins like a formula: %v\n%s", err, rows.String())
	}
	alike := scoreFiles(t, at("refs.json"), at("a/x.json"), at("b/x.json"))
	if alike.Candidates[0].Name != at("a/x.json") {
		t.Errorf("two sets are called %s and %s", alike.Candidates[0].Name, alike.Candidates[1].Name)
	}
}
