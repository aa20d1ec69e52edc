package exports

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
)

// splits are those whose captions a run may hold.
var splits = []string{"test", "val"}

// COCO writes the captions of each run and split in COCO's format of results,
// [{"image_id": …, "caption": …}], into dir/STUDY/RUN.SPLIT.json, which `glimpse
// score` and coco-caption read. It returns the files, in order.
func COCO(ctx context.Context, db *store.DB, runs []Run, dir string) ([]string, error) {
	var files []string
	for i := range runs {
		folder := filepath.Join(dir, runs[i].Study)
		for _, split := range splits {
			text, err := cocoResults(ctx, db, runs[i].ID, split)
			if err != nil {
				return files, err
			}
			if text == nil {
				continue
			}
			if err := os.MkdirAll(folder, 0o777); err != nil {
				return files, err
			}
			path := filepath.Join(folder, runs[i].ID+"."+split+".json")
			if err := atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
				return files, err
			}
			files = append(files, path)
		}
	}
	return files, nil
}

// cocoResults is the file of a run's split, nil where it has no captions.
func cocoResults(ctx context.Context, db *store.DB, run, split string) ([]byte, error) {
	type result struct {
		Image   string `json:"image_id"`
		Caption string `json:"caption"`
	}
	var results []result
	err := db.EachCaption(ctx, []string{run}, []string{split}, func(_ int, _ string, c *store.Caption) error {
		results = append(results, result{c.Image, c.Words})
		return nil
	})
	if err != nil || len(results) == 0 {
		return nil, err
	}
	text, err := json.MarshalIndent(results, "", " ")
	return append(text, '\n'), err
}
