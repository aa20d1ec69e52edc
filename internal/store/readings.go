package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Reading holds how probable a run's best checkpoint finds the words of its stored caption of an
// image, each given the words before it: natural logarithms, one per word, stored in single
// precision.
type Reading struct {
	Image, Other string    // the caption's image, and the one swapped in for it
	LogProb      []float64 // with the caption's own picture
	LogProbOther []float64 // with the other picture
	// LogProbRegions is with the other picture's regions to attend to and everything else from
	// the caption's own; nil if the arm attends to no regions.
	LogProbRegions []float64
	LogProbEven    []float64 // with uniform attention; nil if the arm has no weights
	BetaOther      []float64 // β with the other picture; nil if the arm has no sentinel
}

// SaveReadings stores the readings of a completed run's captions of a split. It replaces earlier
// ones.
func (db *DB) SaveReadings(ctx context.Context, run, split string, readings []Reading) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		if err := checkCompleted(ctx, tx, run, "readings"); err != nil {
			return err
		}
		clear := func() error {
			_, err := tx.ExecContext(ctx, "DELETE FROM readings WHERE run = ? AND split = ?", run, split)
			return err
		}
		return theRun(run).reseal(ctx, tx, named("readings"), clear, func() error { return insertReadings(ctx, tx, run, split, readings) })
	})
}

func insertReadings(ctx context.Context, tx *sql.Tx, run, split string, readings []Reading) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO readings (run, split, image, other, own_log_prob, other_log_prob,
		regions_log_prob, even_log_prob, other_beta) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for _, r := range readings {
		// Not NULL, even for a caption without words.
		logp, other := append([]float64{}, r.LogProb...), append([]float64{}, r.LogProbOther...)
		_, err := insert.ExecContext(ctx, run, split, r.Image, r.Other, encodeSeries(logp), encodeSeries(other),
			encodeSeries(r.LogProbRegions), encodeSeries(r.LogProbEven), encodeSeries(r.BetaOther))
		if err != nil {
			return fmt.Errorf("reading of run %s, image %s: %w", run, r.Image, err)
		}
	}
	return nil
}

// readingColumns are the columns of a reading.
var readingColumns = columns[Reading]{
	table: "readings",
	names: []string{"image", "other", "own_log_prob", "other_log_prob", "regions_log_prob", "even_log_prob", "other_beta"},
	into: func(r *Reading) []any {
		return []any{&r.Image, &r.Other, (*series)(&r.LogProb), (*series)(&r.LogProbOther), (*series)(&r.LogProbRegions),
			(*series)(&r.LogProbEven), (*series)(&r.BetaOther)}
	},
	row: func(r *Reading) string { return "image " + r.Image },
}

// readingsOf is the query for the readings of a run's split.
const readingsOf = "FROM readings WHERE run = ? AND split = ? ORDER BY image"

// Readings returns the readings of a run's captions of a split, sorted by image. It returns none
// if they were never measured.
func (db *DB) Readings(ctx context.Context, run, split string) ([]Reading, error) {
	var readings []Reading
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		readings, err = readingColumns.read(ctx, tx, readingsOf, run, split)
		if err != nil {
			err = fmt.Errorf("run %s, readings of %s: %w", run, split, err)
		}
		return err
	})
	return readings, err
}
