package exports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Text of a run that begins like a formula is none in a spreadsheet; numbers are numbers, and JSON has the text as it is.
func TestTablesHoldNoFormulas(t *testing.T) {
	db, runs := fixture(t)
	const formula = `=HYPERLINK("http://h")`
	runs[0].Arm, runs[1].Error = formula, "-2+3"
	dir := t.TempDir()
	for _, write := range []func() error{
		func() error { return CSV(t.Context(), db, runs, dir) },
		func() error { return JSONL(t.Context(), db, runs, dir) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"runs.csv": `a1,s,"'=HYPERLINK(""http://h"")",1,`, "epochs.csv": `"'=HYPERLINK`, "captions.csv": `1.jpg,"a ""red"" cat",-2,`,
		"runs.jsonl": `"error":"-2+3"`, "epochs.jsonl": `"arm":"=HYPERLINK`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s, %v:\n%s", name, want, err, text)
		}
	}
}
