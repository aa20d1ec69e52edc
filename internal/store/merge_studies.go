package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// inMerge are the tables of a study that are merged.
var inMerge = named("studies", "study_runs", "declarations", "ensembles", "ensemble_captions", "deletions")

// mergeStudies merges the studies and their lists of runs. The runs themselves are here by now.
func (db *DB) mergeStudies(ctx context.Context, from *sql.Tx) ([]Merged, error) {
	var merged []Merged
	theirs, err := queryStudies(ctx, from)
	if err != nil {
		return nil, err
	}
	err = db.write(ctx, func(tx *sql.Tx) error {
		merged = nil
		ours, err := queryStudies(ctx, tx)
		if err != nil {
			return err
		}
		here := map[string]bool{}
		for _, study := range ours {
			here[study.Name] = true
		}
		others, err := otherStudies(ctx, from, tx)
		if err != nil {
			return err
		}
		for _, study := range theirs {
			m := Merged{Study: study.Name, Outcome: MergeAdded}
			reason, conflict := others[study.Name]
			damage, err := theStudy(study.Name).damage(ctx, from, inMerge)
			if err != nil {
				return err
			}
			switch {
			case damage != "":
				m.Outcome, m.Detail = MergeDamaged, "it is damaged there: "+damage+"; its runs were added, but do not belong to it here"
			case conflict:
				m.Outcome, m.Detail = MergeConflict, reason+"; its runs were added, but do not belong to it here: "+otherwise
			case here[study.Name]:
				m.Outcome = MergeSame
			}
			err = theStudy(study.Name).reseal(ctx, tx, inMerge, nil, func() error {
				return takeStudy(ctx, from, tx, &m)
			})
			if err == nil && m.Outcome != MergeConflict && m.Outcome != MergeDamaged {
				err = mergeNotes(ctx, from, tx, theStudy(study.Name))
			}
			if err != nil {
				return fmt.Errorf("merge study %s: %w", study.Name, err)
			}
			merged = append(merged, m)
		}
		return nil
	})
	return merged, err
}

// takeStudy adds a study that is missing here, appends the runs that it lacks here, and adds its
// declarations.
func takeStudy(ctx context.Context, from, to *sql.Tx, m *Merged) error {
	switch m.Outcome {
	case MergeConflict, MergeDamaged:
		return nil
	case MergeAdded:
		into := newCopier(to)
		defer into.close()
		if err := into.copy(ctx, from, tables[0], "name = ?", m.Study); err != nil {
			return err
		}
	}
	members, err := queryMembers(ctx, from, m.Study)
	if err != nil {
		return err
	}
	here, err := queryMembers(ctx, to, m.Study)
	if err != nil {
		return err
	}
	known, next, more := map[string]bool{}, int64(0), false
	for _, member := range here {
		known[member.run], next = true, max(next, member.position+1)
	}
	for _, member := range members {
		if known[member.run] {
			continue
		}
		var taken int
		if err := to.QueryRowContext(ctx, "SELECT COUNT(*) FROM runs WHERE id = ?", member.run).Scan(&taken); err != nil {
			return err
		}
		if taken == 0 {
			continue // it was damaged there, so it was not merged
		}
		position := member.position
		if len(here) > 0 {
			position = next
			next++
		}
		_, err := to.ExecContext(ctx, "INSERT INTO study_runs (study, run, position, arm, swept) VALUES (?, ?, ?, ?, ?)",
			m.Study, member.run, position, member.arm, member.swept)
		if err != nil {
			return err
		}
		more = true
	}
	declared, err := takeDeclarations(ctx, from, to, m.Study)
	if err == nil {
		err = freeze(ctx, to, m.Study)
	}
	if err == nil {
		err = takeEnsembles(ctx, from, to, m.Study)
	}
	if err == nil {
		err = takeDeletions(ctx, from, to, m.Study)
	}
	if err != nil || m.Outcome != MergeSame {
		return err
	}
	var details []string
	if more {
		details = append(details, "runs were added to it")
	}
	if declared != "" {
		details = append(details, declared)
	}
	m.Detail = strings.Join(details, "; ")
	return nil
}

// takeEnsembles adds the ensembles of cells that have none here. If the cell has other members
// here, readers notice from the list of members, and the ensemble is decoded again.
func takeEnsembles(ctx context.Context, from, to *sql.Tx, study string) error {
	here, err := names(ctx, to, "SELECT cell FROM ensembles WHERE study = ?", study)
	if err != nil {
		return err
	}
	into := newCopier(to)
	defer into.close()
	for _, t := range ensembleTables {
		err := t.each(ctx, from, "study = ?", []any{study}, func(columns []string, values []any) error {
			if cell, _ := values[slices.Index(columns, "cell")].(string); slices.Contains(here, cell) {
				return nil
			}
			return into.put(ctx, t, columns, values)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// member is a run's place in a study.
type member struct {
	run, arm, swept string
	position        int64
}

func queryMembers(ctx context.Context, tx *sql.Tx, study string) ([]member, error) {
	rows, err := tx.QueryContext(ctx, "SELECT run, position, arm, swept FROM study_runs WHERE study = ? ORDER BY position, run", study)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var members []member
	for rows.Next() {
		var m member
		if err := rows.Scan(&m.run, &m.position, &m.arm, &m.swept); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, rows.Err()
}

// sameJSON reports whether two texts hold the same values.
func sameJSON(a, b json.RawMessage) bool {
	if string(a) == string(b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
