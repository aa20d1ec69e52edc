package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Reading is what a run's best checkpoint makes of the words of its stored
// caption of an image, each after those before it: natural logarithms of their
// probabilities, one a word, stored in single precision.
type Reading struct {
	Image, Other string    // the caption's, and the one that was put in its place
	LogProb      []float64 // with the caption's picture
	LogProbOther []float64 // with the other picture
	// LogProbRegions is with the other picture's regions to attend to and all
	// else the caption's own, nil where the arm looks at no regions.
	LogProbRegions []float64
	LogProbEven    []float64 // with attention spread evenly, nil where the arm has no weights
	BetaOther      []float64 // β with the other picture, nil where the arm has no sentinel
}

// SaveReadings stores how a completed run reads its captions of a split, in
// place of what was stored before.
func (db *DB) SaveReadings(ctx context.Context, run, split string, readings []Reading) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		if err := checkCompleted(ctx, tx, run, "readings"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM readings WHERE run = ? AND split = ?", run, split); err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, `INSERT INTO readings (run, split, image, other, own_log_prob, other_log_prob,
			regions_log_prob, even_log_prob, other_beta) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for _, r := range readings {
			// Not NULL, even of a caption without words.
			logp, other := append([]float64{}, r.LogProb...), append([]float64{}, r.LogProbOther...)
			_, err := insert.ExecContext(ctx, run, split, r.Image, r.Other, encodeSeries(logp), encodeSeries(other),
				encodeSeries(r.LogProbRegions), encodeSeries(r.LogProbEven), encodeSeries(r.BetaOther))
			if err != nil {
				return fmt.Errorf("reading of run %s, image %s: %w", run, r.Image, err)
			}
		}
		return nil
	})
}

// Readings returns how a run reads its captions of a split, by image; none if
// that was never measured.
func (db *DB) Readings(ctx context.Context, run, split string) ([]Reading, error) {
	var readings []Reading
	err := db.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT image, other, own_log_prob, other_log_prob, regions_log_prob, even_log_prob, other_beta
			FROM readings WHERE run = ? AND split = ? ORDER BY image`, run, split)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r Reading
			var texts [5]*string
			if err := rows.Scan(&r.Image, &r.Other, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4]); err != nil {
				return err
			}
			for i, into := range []*[]float64{&r.LogProb, &r.LogProbOther, &r.LogProbRegions, &r.LogProbEven, &r.BetaOther} {
				if *into, err = decodeSeries(texts[i]); err != nil {
					return fmt.Errorf("reading of run %s, image %s: %w", run, r.Image, err)
				}
			}
			readings = append(readings, r)
		}
		return rows.Err()
	})
	return readings, err
}
