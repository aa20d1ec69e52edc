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

// cocoResult is a caption in COCO's format of results.
type cocoResult struct {
	Image   string `json:"image_id"`
	Caption string `json:"caption"`
}

// COCO writes the captions of each run and split in COCO's format of results,
// [{"image_id": …, "caption": …}], into dir/STUDY/RUN.SPLIT.json, which `glimpse
// score` and coco-caption read, and those that the seeds of an arm write together
// (compare.ensemble) into dir/STUDY/together-ARM.SPLIT.json. It returns the files, in order.
func COCO(ctx context.Context, db *store.DB, runs []Run, dir string) ([]string, error) {
	var files []string
	write := func(study, name string, text []byte) error {
		if text == nil {
			return nil
		}
		if err := os.MkdirAll(filepath.Join(dir, study), 0o777); err != nil {
			return err
		}
		path := filepath.Join(dir, study, name+".json")
		if err := atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
			return err
		}
		files = append(files, path)
		return nil
	}
	for i := range runs {
		for _, split := range splits {
			text, err := cocoResults(ctx, db, runs[i].ID, split)
			if err == nil {
				err = write(runs[i].Study, runs[i].ID+"."+split, text)
			}
			if err != nil {
				return files, err
			}
		}
	}
	ensembles, err := gatherEnsembles(ctx, db, runs)
	if err != nil {
		return files, err
	}
	for _, e := range ensembles {
		said, err := db.EnsembleCaptions(ctx, e.Study, e.Cell)
		if err != nil {
			return files, err
		}
		captions := make([]cocoResult, len(said))
		for i, c := range said {
			captions[i] = cocoResult{c.Image, c.Words}
		}
		text, err := cocoText(captions)
		if err == nil {
			err = write(e.Study, "together-"+fileName(e.Label)+"."+e.Split, text)
		}
		if err != nil {
			return files, err
		}
	}
	return files, nil
}

// cocoResults is the file of a run's split, nil where it has no captions.
func cocoResults(ctx context.Context, db *store.DB, run, split string) ([]byte, error) {
	var captions []cocoResult
	err := db.EachCaption(ctx, []string{run}, []string{split}, func(_ int, _ string, c *store.Caption) error {
		captions = append(captions, cocoResult{c.Image, c.Words})
		return nil
	})
	if err != nil || len(captions) == 0 {
		return nil, err
	}
	return cocoText(captions)
}

func cocoText(captions []cocoResult) ([]byte, error) {
	text, err := json.MarshalIndent(captions, "", " ")
	return append(text, '\n'), err
}
