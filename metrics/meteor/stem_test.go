package meteor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The fixture comes from ../testdata/make_fixtures.py, which names the programs
// that it was made with.
func TestStemParity(t *testing.T) {
	var fixture map[string]string
	data, err := os.ReadFile(filepath.Join("testdata", "stems.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	for word, want := range fixture {
		if got := stem(word); got != want {
			t.Errorf("stem(%q) = %q, want %q", word, got, want)
		}
	}
}
