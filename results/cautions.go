package results

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// cautions are what a reader of any verb has to know of a declaration before
// believing what follows from it: whole sentences.
func (s *Study) cautions(ctx context.Context, d Declaration) ([]string, error) {
	if !d.Compare.Compares() || d.Number > 0 {
		return nil, nil
	}
	var list []string
	if d.Known > 0 {
		list = append(list, fmt.Sprintf("%d of the study’s %d trials had been scored when it was declared on %s (UTC): "+
			"the study is exploratory.",
			d.Known, len(d.Trials), d.Declared.UTC().Format("2006-01-02 15:04")))
	}
	if d.Begun > 0 {
		list = append(list, fmt.Sprintf("%d of the study’s %d trials had begun when it was declared: "+
			"their validation scores may have been known.",
			d.Begun, len(d.Trials)))
	}
	others, err := s.sharing(ctx, d)
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		list = append(list, fmt.Sprintf("Its trials also belong to %s: "+
			"each study controls α on its own, but the error rate over all of them is higher.", strings.Join(others, ", ")))
	}
	return list, nil
}

// sharing names the other studies that compare arms and hold trials of the declaration.
func (s *Study) sharing(ctx context.Context, d Declaration) ([]string, error) {
	declared := make(map[string]bool, len(d.Trials))
	for _, t := range d.Trials {
		declared[t.ID] = true
	}
	var others []string
	seen := map[string]bool{s.Name: true}
	for _, r := range s.Runs {
		if !declared[r.ID] {
			continue
		}
		for _, study := range r.Studies {
			if seen[study] {
				continue
			}
			seen[study] = true
			record, err := s.db.Study(ctx, study)
			if err != nil {
				return nil, err
			}
			if compares(record) {
				others = append(others, study)
			}
		}
	}
	slices.Sort(others)
	return others, nil
}

// compares reports whether a study compares arms, or may: one that cannot be read is taken to.
func compares(study store.Study) bool {
	if len(study.Compare) == 0 { // then it is in the file
		spec, err := experiments.Parse(study.Name+".yaml", []byte(study.Spec))
		return err != nil || spec.Compare.Compares()
	}
	var c experiments.Compare
	return json.Unmarshal(study.Compare, &c) != nil || c.Compares()
}

// pending counts, by cell, the declared trials that have not ended. A failed or
// pruned one has. Trials of a sequential study are due look by look.
func pending(arms []*Arm, sequential bool) map[string]int {
	counts := map[string]int{}
	for _, a := range arms {
		if sequential {
			break
		}
		for _, r := range a.Runs {
			if r.State != store.Completed && r.State != store.Failed && r.State != store.Pruned {
				counts[a.Name]++
			}
		}
		counts[a.Name] += len(a.Trials) - len(a.Runs)
	}
	return counts
}
