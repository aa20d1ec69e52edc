package reports

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"glimpse/internal/store"
)

// Write writes the report of a study into the folder dir, which it makes:
// index.html, which needs no other file; report.md; every figure as SVG and
// PNG; and the tables as CSV. Equal data give equal bytes. A study that is not
// finished, or not even begun, has a report that says so.
//
// It fails when db has no such study, when its runs were scored under different
// protocols or on different images (the error names the difference), and when
// dir cannot be written. Files of an earlier report are replaced one by one,
// each as a whole.
func Write(ctx context.Context, db *store.DB, study, dir string) error {
	evidence, err := gather(ctx, db, study)
	if err != nil {
		return err
	}
	r, err := analyse(evidence)
	if err != nil {
		return err
	}
	files, err := render(ctx, r)
	if err != nil {
		return fmt.Errorf("report of study %q: %w", study, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the report's folder: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := replace(filepath.Join(dir, name), files[name]); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// render gives the report's files by name.
func render(ctx context.Context, r *result) (map[string][]byte, error) {
	p := newPage(r)
	files := r.csvFiles()
	for _, f := range p.figures() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		svg, err := f.svg()
		if err != nil {
			return nil, err
		}
		png, err := f.png()
		if err != nil {
			return nil, err
		}
		files[f.Name+".svg"], files[f.Name+".png"] = svg, png
	}
	files["report.md"] = markdown(p)
	index, err := webPage(p)
	if err != nil {
		return nil, err
	}
	files["index.html"] = index
	return files, nil
}

// replace writes a file under another name first, so that nobody ever reads
// half of it.
func replace(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // gone already if all went well
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Chmod(0o644)
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
