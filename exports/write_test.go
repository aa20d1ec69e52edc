package exports

import (
	"errors"
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

// TestKilledTensorBoardExport holds that what killed exports left, now and in earlier versions, is gone after the next:
// TensorBoard reads every file with tfevents in its name.
func TestKilledTensorBoardExport(t *testing.T) {
	_, runs := fixture(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, runs[0].Study, fileName(runs[0].name()))
	for _, name := range []string{eventFile + ".ABCDEFGHIJ.tmp", ".glimpse-ABCDEFGHIJ.tmp"} {
		if err := errors.Join(os.MkdirAll(folder, 0o777), os.WriteFile(filepath.Join(folder, name), []byte("half"), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := TensorBoard(runs, dir); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 || files[0].Name() != eventFile {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}
