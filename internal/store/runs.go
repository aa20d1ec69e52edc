package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// runColumns are those that a run is scanned from; standing are as many, without what is large.
const runColumns = `r.id, r.seed, r.settings, r.state, r.failure, r.error, r.attempt, r.beats,
	r.owner_host, r.owner_place, r.owner_pid, r.owner_start, r.lease_ms, r.progress,
	r.created_ms, r.started_ms, r.heard_ms, r.finished_ms, r.seconds, r.epochs, r.best_epoch,
	r.parameters, r.signature, r.captions_sha256, r.weights_sha256, r.environment,
	CASE WHEN r.stop_attempt = r.attempt THEN 1 ELSE 0 END`

var standing = strings.NewReplacer("r.settings", "''", "r.progress", "NULL", "r.environment", "NULL").Replace(runColumns)

// Runs returns the runs of a study in the order of its plan or, for the empty
// name, every run of the database once, by creation. An unknown study has none.
func (db *DB) Runs(ctx context.Context, study string) ([]Run, error) {
	var runs []Run
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		if runs, err = memberRuns(ctx, tx, runColumns, study); err != nil {
			return err
		}
		return addMetrics(ctx, tx, indexed(runs), study, "")
	})
	return runs, err
}

// Members returns what tells how runs stand, of a study in the order of its plan or, for the empty name, of the
// whole database: [DB.Runs] without Settings, Metrics, Progress and Environment, which of thousands
// of runs take long to read.
func (db *DB) Members(ctx context.Context, study string) ([]Run, error) {
	var runs []Run
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		runs, err = memberRuns(ctx, tx, standing, study)
		return err
	})
	return runs, err
}

// Stand returns how the run of an id stands, as [DB.Members] does but for its studies, and whether there is one.
func (db *DB) Stand(ctx context.Context, id string) (run Run, known bool, err error) {
	err = db.read(ctx, func(tx *sql.Tx) error {
		runs, err := queryRuns(ctx, tx, standing, "FROM runs r WHERE r.id = ?", id)
		if len(runs) > 0 {
			run, known = runs[0], true
		}
		return err
	})
	return run, known, err
}

// memberRuns reads the runs of a study, or all, with their places in studies.
func memberRuns(ctx context.Context, tx *sql.Tx, columns, study string) ([]Run, error) {
	from, args := "FROM runs r ORDER BY r.created_ms, r.id", []any(nil)
	if study != "" {
		from, args = "FROM runs r JOIN study_runs m ON m.run = r.id WHERE m.study = ? ORDER BY m.position, r.id", []any{study}
	}
	runs, err := queryRuns(ctx, tx, columns, from, args...)
	if err != nil {
		return nil, err
	}
	return runs, addMemberships(ctx, tx, indexed(runs), study, "")
}

// indexed finds runs by their ids.
func indexed(runs []Run) map[string]*Run {
	byID := make(map[string]*Run, len(runs))
	for i := range runs {
		byID[runs[i].ID] = &runs[i]
	}
	return byID
}

// Run returns the run whose id is, or uniquely starts with, idOrPrefix. It
// returns ErrNotFound, or an *AmbiguousError that lists the candidates.
func (db *DB) Run(ctx context.Context, idOrPrefix string) (Run, error) {
	var run Run
	err := db.read(ctx, func(tx *sql.Tx) error {
		id, err := resolve(ctx, tx, idOrPrefix)
		if err != nil {
			return err
		}
		runs, err := queryRuns(ctx, tx, runColumns, "FROM runs r WHERE r.id = ?", id)
		if err != nil {
			return err
		}
		run = runs[0]
		byID := map[string]*Run{id: &run}
		if err := addMemberships(ctx, tx, byID, "", id); err != nil {
			return err
		}
		return addMetrics(ctx, tx, byID, "", id)
	})
	return run, err
}

// TrainedBefore returns the ids of a study's completed runs, in their order, whose weights
// were trained already: another completed run, which is no member of the study, has the same
// and was finished before the time given. Runs whose weights were not recorded do not count.
func (db *DB) TrainedBefore(ctx context.Context, study string, before time.Time) ([]string, error) {
	return db.ids(ctx, `SELECT r.id FROM runs r JOIN study_runs m ON m.run = r.id
		WHERE m.study = ? AND r.state = 'completed' AND r.weights_sha256 <> '' AND r.weights_sha256 IN (
			SELECT weights_sha256 FROM runs WHERE state = 'completed' AND finished_ms < ?
			AND id NOT IN (SELECT run FROM study_runs WHERE study = ?))
		ORDER BY m.position, r.id`, study, before.UnixMilli(), study)
}

// Audited returns the ids of a study's runs that keep an audit, and WithReadings of those that keep
// readings of a split: few of many, as a rule.
func (db *DB) Audited(ctx context.Context, study string) ([]string, error) {
	return db.ids(ctx, `SELECT m.run FROM study_runs m WHERE m.study = ? AND EXISTS (SELECT 1 FROM audits a WHERE a.run = m.run)`, study)
}

// WithReadings is described at [DB.Audited].
func (db *DB) WithReadings(ctx context.Context, study, split string) ([]string, error) {
	return db.ids(ctx, `SELECT m.run FROM study_runs m WHERE m.study = ?
		AND EXISTS (SELECT 1 FROM readings a WHERE a.run = m.run AND a.split = ?)`, study, split)
}

// ids gives what a query finds: run ids.
func (db *DB) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	err = db.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

// resolve finds the one run whose id is or starts with a prefix.
func resolve(ctx context.Context, tx *sql.Tx, prefix string) (string, error) {
	if prefix == "" {
		return "", fmt.Errorf("run: %w: the id is empty", ErrNotFound)
	}
	const last = "\U0010FFFF" // no id goes on with it: the index finds those between
	rows, err := tx.QueryContext(ctx, "SELECT id FROM runs WHERE id >= ? AND id < ? AND SUBSTR(id, 1, LENGTH(?)) = ? ORDER BY id",
		prefix, prefix+last, prefix, prefix)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return "", err
		}
		if id == prefix {
			return id, nil
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("run %q: %w: no run's id starts so", prefix, ErrNotFound)
	case 1:
		return ids[0], nil
	}
	return "", &AmbiguousError{Prefix: prefix, Candidates: ids[:min(len(ids), 10)], Total: len(ids)}
}

func queryRuns(ctx context.Context, tx *sql.Tx, columns, from string, args ...any) ([]Run, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+columns+" "+from, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var runs []Run
	for rows.Next() {
		run, err := scanRun(rows)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, rows.Err()
}

func scanRun(rows *sql.Rows) (Run, error) {
	var run Run
	var settings string
	var progress, environment *string
	var created, lease int64
	var started, heard, finished *int64
	var seconds number
	err := rows.Scan(&run.ID, &run.Seed, &settings, &run.State, &run.Failure, &run.Error, &run.Attempt, &run.Beats,
		&run.Owner.Host, &run.Owner.Place, &run.Owner.PID, &run.Owner.Start, &lease, &progress,
		&created, &started, &heard, &finished, &seconds, &run.Epochs, &run.BestEpoch,
		&run.Parameters, &run.Signature, &run.CaptionsSHA256, &run.WeightsSHA256, &environment, &run.Stopped)
	if err != nil {
		return Run{}, err
	}
	if run.State == Interrupted && run.Failure == Pruned {
		run.State, run.Failure = Pruned, ""
	}
	if settings != "" {
		run.Settings = json.RawMessage(settings)
	}
	run.Owner.Lease = time.Duration(lease) * time.Millisecond
	run.Progress = rawJSON(progress)
	run.Created, run.Started, run.Heard, run.Finished = time.UnixMilli(created), instant(started), instant(heard), instant(finished)
	run.Seconds = float64(seconds)
	run.Environment = rawJSON(environment)
	return run, nil
}

// instant turns a column of milliseconds into a time; NULL is the zero time.
func instant(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms)
}

// addMemberships fills Study, Studies, Arm and Swept. With a study given, the
// runs take their place in it, else that in the oldest study that holds them.
func addMemberships(ctx context.Context, tx *sql.Tx, runs map[string]*Run, study, run string) error {
	query := "SELECT m.run, m.study, m.arm, m.swept FROM study_runs m JOIN studies s ON s.name = m.study"
	var args []any
	switch {
	case run != "":
		query, args = query+" WHERE m.run = ?", []any{run}
	case study != "":
		query, args = query+" WHERE m.run IN (SELECT run FROM study_runs WHERE study = ?)", []any{study}
	}
	rows, err := tx.QueryContext(ctx, query+" ORDER BY s.created_ms, s.name", args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, name, arm, swept string
		if err := rows.Scan(&id, &name, &arm, &swept); err != nil {
			return err
		}
		run := runs[id]
		if run == nil {
			continue
		}
		run.Studies = append(run.Studies, name)
		if name != study && (study != "" || len(run.Studies) > 1) {
			continue
		}
		run.Study, run.Arm = name, arm
		if err := json.Unmarshal([]byte(swept), &run.Swept); err != nil {
			return fmt.Errorf("run %s: swept: %w", id, err)
		}
	}
	return rows.Err()
}

func addMetrics(ctx context.Context, tx *sql.Tx, runs map[string]*Run, study, run string) error {
	query := "SELECT run, split, key, value FROM metrics"
	var args []any
	switch {
	case run != "":
		query, args = query+" WHERE run = ?", []any{run}
	case study != "":
		query, args = query+" WHERE run IN (SELECT run FROM study_runs WHERE study = ?)", []any{study}
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	names := map[string]string{} // so that equal keys of thousands of runs are one text
	intern := func(name string) string {
		known, found := names[name]
		if !found {
			known, names[name] = name, name
		}
		return known
	}
	for rows.Next() {
		var id, split, key string
		var value number
		if err := rows.Scan(&id, &split, &key, &value); err != nil {
			return err
		}
		run := runs[id]
		if run == nil {
			continue
		}
		if run.Metrics == nil {
			run.Metrics = map[string]map[string]float64{}
		}
		if run.Metrics[split] == nil {
			run.Metrics[intern(split)] = map[string]float64{}
		}
		run.Metrics[split][intern(key)] = float64(value)
	}
	return rows.Err()
}
