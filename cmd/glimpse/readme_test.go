package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"glimpse/experiments"
)

// TestReadme holds that the README's study loads and that the verbs it shows are there.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("README.md shows no study")
	}
	path := filepath.Join(t.TempDir(), "readme.yaml")
	if err := os.WriteFile(path, block[1], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := experiments.Load(path, nil); err != nil {
		t.Errorf("the README's study: %v", err)
	}
	var lines [][][]byte
	for _, shell := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		lines = append(lines, regexp.MustCompile(`(?m)^(?:bin/)?glimpse ([a-z]+)`).FindAllSubmatch(shell[1], -1)...)
	}
	if len(lines) == 0 {
		t.Error("README.md shows no command")
	}
	for _, line := range lines {
		verb := string(line[1])
		if found, _, err := newRoot().Find([]string{verb}); err != nil || found.Name() != verb {
			t.Errorf("README.md shows `glimpse %s`, and there is no such verb", verb)
		}
	}
}
