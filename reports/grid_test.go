package reports

import (
	"os"
	"path/filepath"
	"testing"
)

// A grid over two parameters, several seeds each, makes a report.
func TestGridIsReported(t *testing.T) {
	dir := t.TempDir()
	if err := Write(t.Context(), gridSearch(t), "grid", dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "index.html")); err != nil {
		t.Error(err)
	}
}
