package cli

import (
	"os"
	"regexp"
	"testing"
)

// The program, the changelog and the citation name one release, and one date.
func TestReleaseIsOne(t *testing.T) {
	find := func(path, pattern string) []string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
		if found == nil {
			t.Fatalf("%s has nothing like %s", path, pattern)
		}
		return found[1:]
	}
	changes := find("../../CHANGELOG.md", `(?m)^## (\d+\.\d+\.\d+) – (\d{4}-\d\d-\d\d)$`)
	for path, found := range map[string][]string{
		"CHANGELOG.md": changes[:1],
		"CITATION.cff": find("../../CITATION.cff", `(?m)^version: (\S+)$`),
	} {
		if found[0] != Release {
			t.Errorf("%s says %s, the release is %s", path, found[0], Release)
		}
	}
	if date := find("../../CITATION.cff", `(?m)^date-released: (\S+)$`); date[0] != changes[1] {
		t.Errorf("CITATION.cff is of %s, the release of %s", date[0], changes[1])
	}
}
