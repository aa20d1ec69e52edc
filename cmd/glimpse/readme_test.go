package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"glimpse/experiments"
)

// The study in docs/studies.md loads.
func TestStudyOfDocsLoads(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(readDoc(t, "docs/studies.md"))
	if block == nil {
		t.Fatal("docs/studies.md shows no study")
	}
	path := filepath.Join(t.TempDir(), "shown.yaml")
	if err := os.WriteFile(path, block[1], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := experiments.Load(path, nil); err != nil {
		t.Errorf("the study of docs/studies.md: %v", err)
	}
}

// readDoc reads a file of the project by its path from the root.
func readDoc(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The verbs in README and docs/commands.md exist, and docs/commands.md has every verb.
func TestVerbsOfDocs(t *testing.T) {
	for _, path := range []string{"README.md", "docs/commands.md"} {
		verbs := shownVerbs(readDoc(t, path))
		if len(verbs) == 0 {
			t.Errorf("%s shows no command", path)
		}
		for verb := range verbs {
			if found, _, err := newRoot().Find([]string{verb}); err != nil || found.Name() != verb {
				t.Errorf("%s shows `glimpse %s`, and there is no such verb", path, verb)
			}
		}
	}
	shown := shownVerbs(readDoc(t, "docs/commands.md"))
	for _, verb := range newRoot().Commands() {
		if !shown[verb.Name()] && !verb.Hidden {
			t.Errorf("docs/commands.md does not show `glimpse %s`", verb.Name())
		}
	}
}

// shownVerbs returns the verbs at the start of lines in the shell blocks of a Markdown text.
func shownVerbs(text []byte) map[string]bool {
	verbs := map[string]bool{}
	for _, shell := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		for _, line := range regexp.MustCompile(`(?m)^(?:bin/)?glimpse ([a-z]+)`).FindAllSubmatch(shell[1], -1) {
			verbs[string(line[1])] = true
		}
	}
	return verbs
}
