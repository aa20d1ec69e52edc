package exports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrite holds that each target named gets the runs, in one order, and that an error names its target and leaves what was
// written before.
func TestWrite(t *testing.T) {
	db, runs := fixture(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done, err := Write(t.Context(), db, runs, Targets{MLflow: at("mlflow"), COCO: at("coco"), CSV: at("csv")})
	if err != nil || len(done) != 3 {
		t.Fatalf("%+v, %v", done, err)
	}
	for i, want := range []string{"csv", "coco", "mlflow"} {
		if w := done[i]; w.Target != want || w.To != at(want) || w.Runs != len(runs) || w.Written != len(runs) || w.Same != 0 {
			t.Errorf("%s: %+v", want, w)
		}
		if _, err := os.Stat(at(want)); err != nil {
			t.Error(err)
		}
	}
	if len(done[1].Files) != 1 {
		t.Errorf("COCO's files: %v", done[1].Files)
	}
	if err := os.WriteFile(at("file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	done, err = Write(t.Context(), db, runs, Targets{CSV: at("csv"), COCO: at("file/coco")})
	if err == nil || !strings.HasPrefix(err.Error(), "export to coco: ") || len(done) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}
