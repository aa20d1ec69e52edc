package results

import (
	"context"

	"glimpse/internal/store"
)

// Labels names the runs of a study by what differs between them: run id → label.
func Labels(ctx context.Context, db *store.DB, study string) (map[string]string, error) {
	s, err := Open(ctx, db, study)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for _, d := range append(s.Amendments, s.Declared) { // the one that counts has the last word
		for _, cell := range d.Cells() {
			for _, id := range cell.Trials {
				labels[id] = cell.Label
			}
		}
	}
	return labels, nil
}

// LabelsOf names runs of any studies, each as the study that it is listed under
// does. Runs of no study are not in it.
func LabelsOf(ctx context.Context, db *store.DB, runs []store.Run) (map[string]string, error) {
	labels, byStudy := map[string]string{}, map[string]map[string]string{}
	for _, r := range runs {
		if r.Study == "" {
			continue
		}
		of, known := byStudy[r.Study]
		if !known {
			var err error
			if of, err = Labels(ctx, db, r.Study); err != nil {
				return nil, err
			}
			byStudy[r.Study] = of
		}
		labels[r.ID] = of[r.ID]
	}
	return labels, nil
}
