package exports

import (
	"context"
	"fmt"

	"glimpse/internal/secret"
	"glimpse/internal/store"
)

// Targets say where runs go; an empty one is left out.
type Targets struct {
	MLflow      string // a tracking server's URL, or a folder for a file store
	TensorBoard string // a folder, as are the others
	CSV         string
	JSONL       string
	COCO        string
}

// Written says what one target got. As JSON, it is a contract.
type Written struct {
	Target string `json:"target"` // mlflow, tensorboard, csv, jsonl, coco
	To     string `json:"to"`     // without the password of a URL
	Runs   int    `json:"runs"`
	// Written is how many runs are new there or replaced; Same how many were there already, as they are.
	Written int      `json:"written"`
	Same    int      `json:"same"`
	Files   []string `json:"files,omitempty"`
}

// Write hands runs over to each target. With an error, it gives what was written before.
func Write(ctx context.Context, db *store.DB, runs []Run, to Targets) ([]Written, error) {
	var done []Written
	for _, target := range []struct {
		name, to string
		write    func(*Written) error
	}{
		{"csv", to.CSV, func(*Written) error { return CSV(ctx, db, runs, to.CSV) }},
		{"jsonl", to.JSONL, func(*Written) error { return JSONL(ctx, db, runs, to.JSONL) }},
		{"coco", to.COCO, func(w *Written) (err error) { w.Files, err = COCO(ctx, db, runs, to.COCO); return err }},
		{"tensorboard", to.TensorBoard, func(w *Written) (err error) { w.Files, err = TensorBoard(runs, to.TensorBoard); return err }},
		{"mlflow", to.MLflow, func(w *Written) error {
			sent, err := MLflow(ctx, db, runs, to.MLflow)
			w.Written, w.Same = sent.Written, sent.Same
			return err
		}},
	} {
		if target.to == "" {
			continue
		}
		w := Written{Target: target.name, To: secret.URL(target.to), Runs: len(runs), Written: len(runs)}
		if err := target.write(&w); err != nil {
			return done, fmt.Errorf("export to %s: %w", target.name, err)
		}
		done = append(done, w)
	}
	return done, nil
}
