package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"glimpse/metrics/audit"
)

// survey checks all rows of a run or a study.
type survey struct {
	ctx     context.Context
	q       querier
	found   *Findings
	owner   owner
	stored  map[string]string // the stored hashes, by part
	current map[string]string // those of the current rows
}

func surveyOf(ctx context.Context, q querier, found *Findings, o owner) (*survey, error) {
	stored, err := o.stored(ctx, q)
	return &survey{ctx, q, found, o, stored, map[string]string{}}, err
}

// wrong records a value that cannot be read, or that its column may not hold.
func (s *survey) wrong(e *fieldError) {
	if e.row == s.owner.String() {
		e.row = "" // the owner's only row
	}
	s.found.add(Finding{
		Subject: s.owner.String(), Problem: e.Error(), Table: e.table, Column: e.column, Rows: 1, Fix: fixOf(e.table, s.owner),
	})
}

var errNotJSON = errors.New("not valid JSON")

// isJSON checks that a document is valid JSON. Its meaning is opaque to this package.
func (s *survey) isJSON(table, column, row string, text json.RawMessage) {
	if text != nil && !json.Valid(text) {
		s.wrong(&fieldError{table, column, row, errNotJSON})
	}
}

// look reads each row of the owner in a table as readers do, checks the types of all its values,
// and hashes it. It calls use with each value it could read and the row's split, if it has one.
func look[T any](s *survey, c columns[T], use func(v T, split string)) error {
	t := named(c.table)[0]
	h, err := newRowHash(s.ctx, t, s.stored[t.name])
	if err != nil {
		return err
	}
	var (
		types   []string // of the columns of a row
		from    []int    // the index in the row of each column that is read
		picked  = make([]any, len(c.names))
		splitAt = -1
		v       = new(T)
		targets = c.into(v)
	)
	err = t.of(s.ctx, s.q, s.owner, func(names []string, values []any) error {
		if h.add(names, values); from == nil {
			for i := range c.names {
				from = append(from, slices.Index(names, c.column(i)))
			}
			for _, name := range names {
				types = append(types, s.found.types[t.name][name])
			}
			if !slices.Contains(c.names, "split") { // otherwise the row's name includes it
				splitAt = slices.Index(names, "split")
			}
		}
		for i, at := range from {
			picked[i] = values[at]
		}
		split := ""
		if splitAt >= 0 {
			split, _ = values[splitAt].(string)
		}
		faults := c.fill(v, targets, picked)
		for _, fault := range faults {
			s.wrong(fault.of(split))
		}
		for i, value := range values {
			if types[i] == "" || isOf(types[i], value) {
				continue
			}
			e := &fieldError{t.name, names[i], c.row(v), fmt.Errorf("%s is not of type %s", shown(value), types[i])}
			if !slices.ContainsFunc(faults, func(known *fieldError) bool { return known.column == e.column }) {
				s.wrong(e.of(split))
			}
		}
		if len(faults) == 0 {
			use(*v, split)
		}
		return nil
	})
	h.note(s.current)
	return err
}

// ignore is for rows that only need to be readable.
func ignore[T any](T, string) {}

// run checks a run. judge gets it with its captions by split, if all of them could be read.
func (s *survey) run(judge func(Run, map[string][]Caption) []string) error {
	found := func() int { return len(s.found.List) + s.found.More }
	before := found()
	var run Run
	err := look(s, runColumns, func(r Run, _ string) {
		run = r
		s.isJSON("runs", "settings", "", r.Settings)
		s.isJSON("runs", "progress", "", r.Progress)
		s.isJSON("runs", "environment", "", r.Environment)
	})
	if err != nil {
		return err
	}
	if err := look(s, metricColumns, func(m storedMetric, _ string) { run.setMetric(m) }); err != nil {
		return err
	}
	captions := map[string][]Caption{}
	err = look(s, captionColumns, func(c Caption, split string) {
		captions[split] = append(captions[split], c)
		s.perWord("beta", &c, split, c.Beta)
		s.perWord("entropy", &c, split, c.Entropy)
	})
	if err != nil {
		return err
	}
	if judge != nil && found() == before {
		for _, problem := range judge(run, captions) {
			s.found.add(Finding{Subject: s.owner.String(), Problem: problem, Fix: FixRun})
		}
	}
	err = look(s, attemptColumns, ignore[Attempt])
	if err == nil {
		err = look(s, epochColumns, ignore[Epoch])
	}
	if err == nil {
		err = look(s, auditColumns, ignore[audit.Row])
	}
	if err == nil {
		err = look(s, readingColumns, ignore[Reading])
	}
	if err == nil {
		err = look(s, noteColumns(s.owner), ignore[Note])
	}
	if err != nil {
		return err
	}
	s.hashes(run.State != Running)
	return nil
}

// perWord checks that a caption has one value per word.
func (s *survey) perWord(column string, c *Caption, split string, values []float64) {
	if values == nil {
		return
	}
	words := 0
	for range strings.FieldsSeq(c.Words) {
		words++
	}
	if len(values) != words {
		err := fmt.Errorf("it has %d values for %d words", len(values), words)
		s.wrong((&fieldError{"captions", column, captionColumns.row(c), err}).of(split))
	}
}

// study checks a study.
func (s *survey) study() error {
	err := look(s, studyColumns, func(study Study, _ string) { s.isJSON("studies", "compare", "", study.Compare) })
	if err == nil {
		err = look(s, membershipColumns, ignore[membership])
	}
	if err == nil {
		err = look(s, declarationColumns, func(d Declaration, _ string) {
			s.isJSON("declarations", "declaration", declarationColumns.row(&d), d.Text)
		})
	}
	if err == nil {
		err = look(s, pictureColumns, ignore[Picture])
	}
	if err == nil {
		err = look(s, mapColumns, ignore[AttentionMap])
	}
	if err == nil {
		err = look(s, ensembleColumns, ignore[Ensemble])
	}
	if err == nil {
		err = look(s, ensembleCaptionColumns, ignore[ensembleCaption])
	}
	if err == nil {
		err = look(s, noteColumns(s.owner), ignore[Note])
	}
	if err == nil {
		err = look(s, deletionColumns, ignore[Deleted])
	}
	if err != nil {
		return err
	}
	s.hashes(true)
	return nil
}

// hashes compares the current rows with their hashes. All rows of an idle owner should have
// hashes.
func (s *survey) hashes(atRest bool) {
	for _, part := range changed(s.stored, s.current) {
		s.found.add(Finding{Subject: s.owner.String(), Table: part, Fix: fixOf(part, s.owner),
			Problem: "table " + part + ": rows no longer match their hashes: some were changed, added or removed"})
	}
	if atRest && !isSealed(s.stored) {
		s.found.Unsealed = append(s.found.Unsealed, s.owner.String())
	}
}

// isOf reports whether a column of a declared type may hold a value.
func isOf(declared string, value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case int64:
		return declared != "TEXT"
	case float64:
		return declared == "DOUBLE PRECISION"
	case string:
		if declared == "DOUBLE PRECISION" {
			_, err := parseNonFinite(v)
			return err == nil
		}
		return declared == "TEXT"
	}
	return false
}
