package reports

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
)

// Write writes the report of a study into the folder dir, which it makes:
// index.html, which needs no other file; report.md; every figure as SVG and
// PNG; and the tables as CSV and LaTeX. Equal data give equal bytes. A study that is not
// finished, or not even begun, has a report that says so.
//
// It fails when db has no such study, when its runs were scored under different
// protocols or on different images (the error names the difference), and when
// dir cannot be written. Files of an earlier report are replaced one by one,
// each as a whole.
func Write(ctx context.Context, db *store.DB, study, dir string) error {
	return WriteWithScenes(ctx, db, study, dir, nil)
}

// WriteWithScenes is [Write] for a study of drawn scenes, which the page shows with their captions.
func WriteWithScenes(ctx context.Context, db *store.DB, study, dir string, scenes Scenes) error {
	evidence, err := gather(ctx, db, study)
	if err != nil {
		return err
	}
	evidence.Scenes = scenes
	r, err := analyse(ctx, evidence)
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
		if err := atomicfile.Write(filepath.Join(dir, name), files[name]); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// render gives the report's files by name.
func render(ctx context.Context, r *result) (map[string]file, error) {
	files := r.tableFiles()
	p := newPage(r, slices.Sorted(maps.Keys(files)))
	if r.said.err != nil {
		return nil, r.said.err
	}
	if r.failed != nil {
		return nil, r.failed
	}
	var sheet stylesheet
	for f := range p.figures() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		body, err := f.body()
		if err != nil {
			return nil, err
		}
		png, err := f.png()
		if err != nil {
			return nil, err
		}
		files[f.Name+".svg"], files[f.Name+".png"] = whole(f.svg(body)), whole(png)
		f.Inline = f.inline(body, &sheet)
	}
	files["report.md"] = whole(markdown(p))
	index, err := webPage(p, &sheet)
	if err != nil {
		return nil, err
	}
	files["index.html"] = whole(index)
	return files, nil
}
