package exports

import (
	"context"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/results"
)

// gatherEnsembles reads the ensembles of the studies that runs were gathered of.
func gatherEnsembles(ctx context.Context, db *store.DB, runs []Run) ([]*results.Ensemble, error) {
	var studies []string
	var all []*results.Ensemble
	for i := range runs {
		name := runs[i].Study
		if slices.Contains(studies, name) {
			continue
		}
		studies = append(studies, name)
		_, of, err := results.OpenEnsembles(ctx, db, name)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// ensembleTable has a row for each.
func ensembleTable(all []*results.Ensemble) table {
	keys := keysOf(func(yield func(map[string]float64)) {
		for _, e := range all {
			yield(e.Metrics)
		}
	})
	t := table{name: "ensembles", columns: []string{"study", "arm", "split", "seeds", "runs", "signature", "captions_sha256", "seconds", "made", "stale"}}
	t.columns = append(t.columns, keys...)
	t.rows = func(write func([]cell) error) error {
		for _, e := range all {
			row := []cell{text(e.Study), text(e.Label), text(e.Split), whole(len(e.Members)), text(strings.Join(e.Members, " ")),
				text(e.Signature), text(e.CaptionsSHA256), number(e.Seconds), moment(e.Made), truth(e.Stale)}
			for _, key := range keys {
				v, is := e.Metrics[key]
				row = append(row, known(v, is))
			}
			if err := write(row); err != nil {
				return err
			}
		}
		return nil
	}
	return t
}
