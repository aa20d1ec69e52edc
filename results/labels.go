package results

import (
	"context"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// Labels names the runs of a study by what differs between them: run id → label.
func Labels(ctx context.Context, db *store.DB, study string) (map[string]string, error) {
	recorded, err := db.Declarations(ctx, study)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	name := func(d experiments.Declaration) {
		for _, cell := range d.Cells() {
			for _, id := range cell.Trials {
				labels[id] = cell.Label
			}
		}
	}
	if len(recorded) > 0 { // number 0, which counts, has the last word
		recorded = append(recorded[1:], recorded[0])
	}
	for _, r := range recorded {
		d, err := readDeclaration(r)
		if err != nil {
			return nil, err
		}
		name(d)
	}
	if len(recorded) == 0 {
		record, err := db.Study(ctx, study)
		if err != nil {
			return nil, err
		}
		runs, err := db.Members(ctx, study)
		if err != nil {
			return nil, err
		}
		var d Declaration
		if len(record.Compare) == 0 { // then it is in the file
			d, err = inferred(record, runs)
		} else {
			err = d.infer(record, runs)
		}
		if err != nil {
			return nil, err
		}
		name(d.Declaration)
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
