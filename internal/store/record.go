package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Start records what a trial knows of itself once its model stands.
func (db *DB) Start(ctx context.Context, claim Claim, start Start) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET parameters = ?, signature = ?, environment = ? WHERE id = ?",
			start.Parameters, start.Signature, jsonText(start.Environment), claim.Run)
		return err
	})
}

// SaveCheckpoint commits a trial's progress and, with it, the epoch that it
// completes: either both are recorded or neither.
func (db *DB) SaveCheckpoint(ctx context.Context, claim Claim, checkpoint Checkpoint) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET progress = ?, seconds = ?, best_epoch = ?, beats = beats + 1,
			heard_ms = ? WHERE id = ?`,
			jsonText(checkpoint.Progress), number(checkpoint.Seconds), checkpoint.BestEpoch, time.Now().UnixMilli(), claim.Run)
		if err != nil || checkpoint.Epoch == nil {
			return err
		}
		epoch := checkpoint.Epoch
		val, err := encodeMetrics(epoch.Val)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO epochs (run, epoch, loss, lr, seconds, captions_per_second, val)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, claim.Run, epoch.Epoch, number(epoch.Loss), number(epoch.LR),
			number(epoch.Seconds), number(epoch.CaptionsPerSecond), val)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE runs SET epochs = ? WHERE id = ?", epoch.Epoch, claim.Run)
		return err
	})
}

// Restart forgets how far a trial had come, so that it begins anew: its
// checkpoints are gone or damaged.
func (db *DB) Restart(ctx context.Context, claim Claim) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		for _, statement := range []string{
			"DELETE FROM epochs WHERE run = ?",
			"DELETE FROM captions WHERE run = ?",
			"UPDATE runs SET progress = NULL, seconds = 0, epochs = 0, best_epoch = 0 WHERE id = ?",
		} {
			if _, err := tx.ExecContext(ctx, statement, claim.Run); err != nil {
				return err
			}
		}
		return nil
	})
}

// SaveCaptions stores the captions of a split, before they are scored, in place
// of any stored earlier.
func (db *DB) SaveCaptions(ctx context.Context, claim Claim, split string, captions []Caption) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM captions WHERE run = ? AND split = ?", claim.Run, split); err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, "INSERT INTO captions (run, split, image, words, log_prob, beta, entropy) VALUES (?, ?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for _, c := range captions {
			_, err := insert.ExecContext(ctx, claim.Run, split, c.Image, c.Words, number(c.LogProb), encodeSeries(c.Beta), encodeSeries(c.Entropy))
			if err != nil {
				return fmt.Errorf("caption of %s: %w", c.Image, err)
			}
		}
		return nil
	})
}

// Complete ends an attempt: it stores the statistics of the captions, the
// metrics, and the hashes, and the run is completed. Captions are never
// stored here: each score must find its stored caption. What the studies that hold
// the run declared is frozen with it.
func (db *DB) Complete(ctx context.Context, claim Claim, result Result) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		for split, scores := range result.Scores {
			if err := saveScores(ctx, tx, claim.Run, split, scores); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM metrics WHERE run = ?", claim.Run); err != nil {
			return err
		}
		for split, values := range result.Metrics {
			for key, value := range values {
				_, err := tx.ExecContext(ctx, "INSERT INTO metrics (run, split, key, value) VALUES (?, ?, ?, ?)",
					claim.Run, split, key, number(value))
				if err != nil {
					return err
				}
			}
		}
		now := time.Now().UnixMilli()
		_, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'completed', failure = '', error = '', finished_ms = ?,
			heard_ms = ?, seconds = ?, best_epoch = ?, captions_sha256 = ?, weights_sha256 = ?, environment = ? WHERE id = ?`,
			now, now, number(result.Seconds), result.BestEpoch, result.CaptionsSHA256, result.WeightsSHA256,
			jsonText(result.Environment), claim.Run)
		if err != nil {
			return err
		}
		if err := freezeHolders(ctx, tx, claim.Run); err != nil {
			return err
		}
		return endAttempt(ctx, tx, claim, Completed, "", now)
	})
}

// Epochs returns the epochs of a run in order.
func (db *DB) Epochs(ctx context.Context, run string) ([]Epoch, error) {
	var epochs []Epoch
	err := db.eachEpoch(ctx, "WHERE e.run = ?", run, func(_ string, e Epoch) error {
		epochs = append(epochs, e)
		return nil
	})
	return epochs, err
}

// EachEpoch calls f with every epoch of a study's runs, run by run and in order; of the runs, in no
// order that means anything.
func (db *DB) EachEpoch(ctx context.Context, study string, f func(run string, e Epoch) error) error {
	return db.eachEpoch(ctx, "JOIN study_runs m ON m.run = e.run WHERE m.study = ?", study, f)
}

func (db *DB) eachEpoch(ctx context.Context, of, name string, f func(run string, e Epoch) error) error {
	return db.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT e.run, e.epoch, e.loss, e.lr, e.seconds, e.captions_per_second, e.val,
			CASE WHEN e.epoch = r.best_epoch THEN 1 ELSE 0 END
			FROM epochs e JOIN runs r ON r.id = e.run `+of+" ORDER BY e.run, e.epoch", name)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var run string
			var e Epoch
			var val *string
			err := rows.Scan(&run, &e.Epoch, (*number)(&e.Loss), (*number)(&e.LR), (*number)(&e.Seconds),
				(*number)(&e.CaptionsPerSecond), &val, &e.Selected)
			if err != nil {
				return err
			}
			if e.Val, err = decodeMetrics(val); err != nil {
				return fmt.Errorf("run %s, epoch %d: validation metrics: %w", run, e.Epoch, err)
			}
			if err := f(run, e); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// Curves returns the validation metrics of the epochs of a study's runs, up to
// one epoch: run → the metrics of epoch 1, 2, …; nil where none were measured.
func (db *DB) Curves(ctx context.Context, study string, until int) (map[string][]map[string]float64, error) {
	curves := map[string][]map[string]float64{}
	err := db.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT e.run, e.val FROM epochs e JOIN study_runs m ON m.run = e.run
			WHERE m.study = ? AND e.epoch <= ? ORDER BY e.run, e.epoch`, study, until)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var run string
			var val *string
			if err := rows.Scan(&run, &val); err != nil {
				return err
			}
			values, err := decodeMetrics(val)
			if err != nil {
				return fmt.Errorf("run %s: validation metrics: %w", run, err)
			}
			curves[run] = append(curves[run], values)
		}
		return rows.Err()
	})
	return curves, err
}
