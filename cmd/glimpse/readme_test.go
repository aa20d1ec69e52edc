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

// README and docs/commands.md show verbs that exist, and docs/commands.md has every verb.
func TestVerbsOfDocs(t *testing.T) {
	shown := map[string]map[string]bool{} // page → verb
	for _, c := range shownCommands(t) {
		if shown[c.page] == nil {
			shown[c.page] = map[string]bool{}
		}
		shown[c.page][c.verb()] = true
	}
	for _, page := range []string{"README.md", "docs/commands.md"} {
		if len(shown[page]) == 0 {
			t.Errorf("%s shows no command", page)
		}
		for verb := range shown[page] {
			if found, _, err := newRoot().Find([]string{verb}); err != nil || found.Name() != verb {
				t.Errorf("%s shows `glimpse %s`, and there is no such verb", page, verb)
			}
		}
	}
	for _, verb := range newRoot().Commands() {
		if !shown["docs/commands.md"][verb.Name()] && !verb.Hidden {
			t.Errorf("docs/commands.md does not show `glimpse %s`", verb.Name())
		}
	}
}
