package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Ensemble is the scored result of decoding all runs of a cell of a study's design together.
type Ensemble struct {
	Study, Cell    string
	Split          string
	Members        []string // ids of the runs, in the order of their seeds
	Signature      string   // the protocol, which is that of every member
	Metrics        map[string]float64
	CaptionsSHA256 string
	Seconds        float64   // spent on decoding
	Made           time.Time // when it was stored
}

var ensembleTables = named("ensembles", "ensemble_captions")

// SaveEnsemble stores an ensemble with its captions, all scored, in one transaction. It replaces
// the cell's earlier one, and sets Made and CaptionsSHA256. It returns an error if a member is
// not a completed run of the study.
func (db *DB) SaveEnsemble(ctx context.Context, e Ensemble, captions []Caption) error {
	if unscored := slices.ContainsFunc(captions, func(c Caption) bool { return !c.Scored }); unscored || len(captions) == 0 {
		return fmt.Errorf("ensemble of %s, study %s: it must have captions, all scored", e.Cell, e.Study)
	}
	e.CaptionsSHA256, e.Made = CaptionsSHA256(captions), time.Now()
	return db.write(ctx, func(tx *sql.Tx) error {
		for _, run := range e.Members {
			var completed bool
			err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM study_runs m JOIN runs r ON r.id = m.run
				WHERE m.study = ? AND r.id = ? AND r.state = 'completed')`, e.Study, run).Scan(&completed)
			if err != nil {
				return err
			}
			if !completed {
				return fmt.Errorf("ensemble of %s, study %s: run %s is not a completed run of the study: %w", e.Cell, e.Study, run, ErrNotFound)
			}
		}
		clear := func() error {
			for _, t := range ensembleTables {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE study = ? AND cell = ?", e.Study, e.Cell); err != nil {
					return err
				}
			}
			return nil
		}
		return theStudy(e.Study).reseal(ctx, tx, ensembleTables, clear, func() error { return insertEnsemble(ctx, tx, e, captions) })
	})
}

func insertEnsemble(ctx context.Context, tx *sql.Tx, e Ensemble, captions []Caption) error {
	values, err := encodeMetrics(e.Metrics)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ensembles (study, cell, split, members, signature, metrics, captions_sha256, seconds, made_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.Study, e.Cell, e.Split, strings.Join(e.Members, " "), e.Signature, values,
		e.CaptionsSHA256, number(e.Seconds), e.Made.UnixMilli())
	if err != nil {
		return fmt.Errorf("ensemble of %s, study %s: %w", e.Cell, e.Study, err)
	}
	columns := append([]string{"study", "cell", "image", "words", "log_prob", "meteor_stats"}, scoreColumns...)
	insert, err := named("ensemble_captions")[0].insert(ctx, tx, columns, false)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for i := range captions {
		c := &captions[i]
		row := []any{e.Study, e.Cell, c.Image, c.Words, number(c.LogProb), meteorCounts(c.Score.MeteorStats)}
		if err := insert.put(ctx, append(row, scoreFields(&c.Score)...)); err != nil {
			return fmt.Errorf("ensemble of %s, study %s, caption of %s: %w", e.Cell, e.Study, c.Image, err)
		}
	}
	return nil
}

// ensembleColumns are the columns of an ensemble.
var ensembleColumns = columns[Ensemble]{
	table: "ensembles",
	names: []string{"cell", "study", "split", "members", "signature", "metrics", "captions_sha256", "seconds", "made_ms"},
	into: func(e *Ensemble) []any {
		return []any{&e.Cell, &e.Study, &e.Split, (*idList)(&e.Members), &e.Signature, (*metricValues)(&e.Metrics), &e.CaptionsSHA256,
			(*number)(&e.Seconds), (*moment)(&e.Made)}
	},
	row: func(e *Ensemble) string { return "ensemble of " + e.Cell },
}

// idList is a column of ids separated by spaces.
type idList []string

// Scan implements sql.Scanner.
func (l *idList) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("cannot read ids from %s", shown(src))
	}
	*l = strings.Fields(text)
	return nil
}

// ensembleCaption is a caption of an ensemble, with its cell.
type ensembleCaption struct {
	cell string
	Caption
}

// ensembleCaptionColumns are the columns of such a caption.
var ensembleCaptionColumns = func() columns[ensembleCaption] {
	of := captionColumns.only(append([]string{"image", "words", "log_prob", "meteor_stats"}, scoreColumns...))
	return columns[ensembleCaption]{
		table: "ensemble_captions",
		names: append([]string{"cell"}, of.names...),
		into:  func(c *ensembleCaption) []any { return append([]any{&c.cell}, of.into(&c.Caption)...) },
		row:   func(c *ensembleCaption) string { return "ensemble of " + c.cell + ", " + of.row(&c.Caption) },
		settle: func(c *ensembleCaption) error {
			c.Scored = true
			return captionColumns.settle(&c.Caption)
		},
	}
}()

// Ensembles returns the ensembles of a study, sorted by cell. It returns none if the study has
// none, or the schema is older than ensembles.
func (db *DB) Ensembles(ctx context.Context, study string) ([]Ensemble, error) {
	var all []Ensemble
	err := db.read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = ensembleColumns.read(ctx, tx, "FROM ensembles WHERE study = ? ORDER BY cell", study)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("study %s, ensembles: %w", study, err)
	}
	return all, nil
}

// EnsembleCaptions returns the captions of the ensemble of a study's cell, sorted by image id.
func (db *DB) EnsembleCaptions(ctx context.Context, study, cell string) ([]Caption, error) {
	var captions []Caption
	err := db.read(ctx, func(tx *sql.Tx) error {
		return ensembleCaptionColumns.each(ctx, tx, "FROM ensemble_captions WHERE study = ? AND cell = ? ORDER BY image",
			[]any{study, cell}, func(c ensembleCaption) { captions = append(captions, c.Caption) })
	})
	if err != nil {
		return nil, fmt.Errorf("study %s, captions of the ensemble of %s: %w", study, cell, err)
	}
	return captions, nil
}
