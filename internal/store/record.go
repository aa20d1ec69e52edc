package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Start records what a trial knows once its model is built.
func (db *DB) Start(ctx context.Context, claim Claim, start Start) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET parameters = ?, signature = ?, environment = ? WHERE id = ?",
			start.Parameters, start.Signature, jsonText(start.Environment), claim.Run)
		return err
	})
}

// SaveCheckpoint records a trial's progress and the epoch that it completes, if any, in one
// transaction.
func (db *DB) SaveCheckpoint(ctx context.Context, claim Claim, checkpoint Checkpoint) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET progress = ?, seconds = ?, best_epoch = ?, beats = beats + 1,
			heard_ms = ? WHERE id = ?`,
			jsonText(checkpoint.Progress), number(checkpoint.Seconds), checkpoint.BestEpoch, time.Now().UnixMilli(), claim.Run)
		if err != nil || checkpoint.Epoch == nil {
			return err
		}
		epoch := checkpoint.Epoch
		val, err := encodeMetrics(joined(epoch.Val, epoch.Sampled))
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

// Rewind resets a trial to an earlier checkpoint, after the given number of epochs, or to its
// start, because later checkpoints are missing or damaged. It also deletes the captions of its
// final split.
func (db *DB) Rewind(ctx context.Context, claim Claim, epochs int, to Checkpoint) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM epochs WHERE run = ? AND epoch > ?", claim.Run, epochs); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM captions WHERE run = ?", claim.Run); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE runs SET progress = ?, seconds = ?, epochs = ?, best_epoch = ? WHERE id = ?",
			jsonText(to.Progress), number(to.Seconds), epochs, to.BestEpoch, claim.Run)
		return err
	})
}

// SaveCaptions stores the captions of a split before they are scored. It replaces earlier ones.
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

// Complete ends an attempt and marks the run as completed. It stores the statistics of the
// captions, the metrics and the hashes; the captions themselves must be stored already. It also
// freezes the declarations of the studies that hold the run.
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
		if err := endAttempt(ctx, tx, claim, Completed, "", now); err != nil {
			return err
		}
		return theRun(claim.Run).seal(ctx, tx)
	})
}

// epochColumns are the columns of an epoch, without whether it is the best one.
var epochColumns = columns[Epoch]{
	table: "epochs",
	names: []string{"epoch", "loss", "lr", "seconds", "captions_per_second", "val"},
	into: func(e *Epoch) []any {
		return []any{&e.Epoch, (*number)(&e.Loss), (*number)(&e.LR), (*number)(&e.Seconds), (*number)(&e.CaptionsPerSecond),
			&epochValues{Epoch: e}}
	},
	row: func(e *Epoch) string { return fmt.Sprintf("epoch %d", e.Epoch) },
}

// sampledPrefix starts the keys of an epoch's sampled values in the column val: no validation
// metric has a dot in its key.
const sampledPrefix = "sampled."

// joined returns the column val of an epoch.
func joined(val, sampled map[string]float64) map[string]float64 {
	if sampled == nil {
		return val
	}
	all := maps.Clone(val)
	if all == nil {
		all = make(map[string]float64, len(sampled))
	}
	for key, v := range sampled {
		all[sampledPrefix+key] = v
	}
	return all
}

// epochValues is the column val, read into an epoch.
type epochValues struct {
	*Epoch
	again map[string]float64 // reused for each row; nil if each row gets its own map
}

// Scan implements sql.Scanner.
func (e *epochValues) Scan(src any) error {
	all := metricValues(e.again)
	clear(all)
	if text, is := src.(string); e.again == nil || !is || !parseMetrics(text, all) {
		if err := all.Scan(src); err != nil {
			return err
		}
	}
	e.Val, e.Sampled = all, nil
	for key, v := range all {
		name, sampled := strings.CutPrefix(key, sampledPrefix)
		if !sampled {
			continue
		}
		if e.Sampled == nil {
			e.Sampled = make(map[string]float64)
		}
		e.Sampled[name] = v
		delete(all, key)
	}
	if len(all) == 0 && e.Sampled != nil {
		e.Val = nil
	}
	return nil
}

// epochsOf is the query for a run's epochs.
const epochsOf = "FROM epochs WHERE run = ? ORDER BY epoch"

// Epochs returns the epochs of a run in order.
func (db *DB) Epochs(ctx context.Context, run string) ([]Epoch, error) {
	var epochs []Epoch
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		if epochs, err = epochColumns.read(ctx, tx, epochsOf, run); err != nil || len(epochs) == 0 {
			return ofRun(run, err)
		}
		var best int
		err = tx.QueryRowContext(ctx, "SELECT best_epoch FROM runs WHERE id = ?", run).Scan(&best)
		for i := range epochs {
			epochs[i].Selected = epochs[i].Epoch == best
		}
		return err
	})
	return epochs, err
}

// EachEpoch calls f with every epoch of a study's runs: run by run, in no particular order of
// runs, and the epochs of a run in order. The maps of an epoch are valid until f returns.
func (db *DB) EachEpoch(ctx context.Context, study string, f func(run string, e Epoch)) error {
	return db.read(ctx, func(tx *sql.Tx) error {
		return studyEpochColumns.each(ctx, tx, `FROM study_runs m JOIN runs r ON r.id = m.run JOIN epochs e ON e.run = m.run
			WHERE m.study = ? ORDER BY m.run, e.epoch`, []any{study}, func(e studyEpoch) {
			e.Selected = e.Epoch.Epoch == e.best
			f(e.run, e.Epoch)
		})
	})
}

// studyEpoch is an epoch with its run and the run's best epoch.
type studyEpoch struct {
	Epoch
	run  string
	best int
}

// studyEpochColumns are the columns of a studyEpoch.
var studyEpochColumns = columns[studyEpoch]{
	table: epochColumns.table,
	names: append([]string{"m.run", "r.best_epoch"}, within("e", epochColumns.names)...),
	into: func(e *studyEpoch) []any {
		targets := append([]any{&e.run, &e.best}, epochColumns.into(&e.Epoch)...)
		targets[len(targets)-1] = &epochValues{Epoch: &e.Epoch, again: map[string]float64{}} // there are hundreds of thousands
		return targets
	},
	row: func(e *studyEpoch) string { return "run " + e.run + ", " + epochColumns.row(&e.Epoch) },
}

// within qualifies columns by their table.
func within(table string, names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = table + "." + name
	}
	return all
}

// Curves returns the validation metrics of a study's runs up to epoch until: run → the metrics of
// epochs 1, 2, …; nil for an epoch without any.
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
			var values metricValues
			if err := rows.Scan(&run, &values); err != nil {
				return fmt.Errorf("run %s: validation metrics: %w", run, err)
			}
			curves[run] = append(curves[run], values)
		}
		return rows.Err()
	})
	return curves, err
}
