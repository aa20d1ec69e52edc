package reports

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// written writes the report of the study called attention and gives its files.
func written(t *testing.T, trials []trial) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	check(t, Write(context.Background(), usual(t, trials), "attention", dir))
	return read(t, dir)
}

func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	files := map[string][]byte{}
	for _, e := range entries {
		files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name()))
		check(t, err)
	}
	return files
}

func TestEqualDataGiveEqualBytes(t *testing.T) {
	db := usual(t, finished(5, levels, "none", "soft", "adaptive"))
	var reports [2]map[string][]byte
	for i := range reports {
		dir := filepath.Join(t.TempDir(), "a", "b") // made by Write
		check(t, Write(context.Background(), db, "attention", dir))
		reports[i] = read(t, dir)
	}
	for name, content := range reports[0] {
		if !bytes.Equal(content, reports[1][name]) {
			t.Errorf("%s differs between two writings", name)
		}
	}
	for _, name := range []string{"index.html", "report.md", "arms.csv", "contrasts.csv", "runs.csv", "epochs.csv", "beta.csv",
		"scores.svg", "scores.png", "contrasts.svg", "contrasts.png", "loss.svg", "loss.png", "validation.svg", "validation.png", "beta.svg", "beta.png"} {
		if len(reports[0][name]) == 0 {
			t.Errorf("%s was not written", name)
		}
	}
	if keep := os.Getenv("REPORT_DIR"); keep != "" {
		check(t, Write(context.Background(), db, "attention", keep))
	}
}
