package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// runColumns are the columns of a run, without its studies and metrics.
var runColumns = columns[Run]{
	table: "runs",
	names: []string{"r.id", "r.seed", "r.settings", "r.state", "r.failure", "r.error", "r.attempt", "r.beats",
		"r.owner_host", "r.owner_place", "r.owner_pid", "r.owner_start", "r.lease_ms", "r.progress",
		"r.created_ms", "r.started_ms", "r.heard_ms", "r.finished_ms", "r.seconds", "r.epochs", "r.best_epoch",
		"r.parameters", "r.signature", "r.captions_sha256", "r.weights_sha256", "r.environment", "r.stop_attempt"},
	into: func(r *Run) []any {
		return []any{&r.ID, &r.Seed, (*document)(&r.Settings), &r.State, &r.Failure, &r.Error, &r.Attempt, &r.Beats,
			&r.Owner.Host, &r.Owner.Place, &r.Owner.PID, &r.Owner.Start, (*span)(&r.Owner.Lease), (*document)(&r.Progress),
			(*moment)(&r.Created), (*moment)(&r.Started), (*moment)(&r.Heard), (*moment)(&r.Finished),
			(*number)(&r.Seconds), &r.Epochs, &r.BestEpoch,
			&r.Parameters, &r.Signature, &r.CaptionsSHA256, &r.WeightsSHA256, (*document)(&r.Environment), stopRequest{r}}
	},
	row: func(r *Run) string { return "run " + r.ID },
	settle: func(r *Run) error {
		if r.State == Interrupted && r.Failure == Pruned {
			r.State, r.Failure = Pruned, ""
		}
		return nil
	},
}

// standingColumns are runColumns with NULL for the large ones.
var standingColumns = func() columns[Run] {
	c := runColumns
	c.names = slices.Clone(c.names)
	for i, name := range c.names {
		if slices.Contains([]string{"r.settings", "r.progress", "r.environment"}, name) {
			c.names[i] = "NULL"
		}
	}
	return c
}()

// Runs returns the runs of a study in the order of its plan; for the empty name, every run of the
// database once, in order of creation. It returns none for an unknown study.
func (db *DB) Runs(ctx context.Context, study string) ([]Run, error) {
	var runs []Run
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		if runs, err = memberRuns(ctx, tx, runColumns, study); err != nil {
			return err
		}
		if err := addTags(ctx, tx, indexed(runs), study, ""); err != nil {
			return err
		}
		return addMetrics(ctx, tx, indexed(runs), study, "")
	})
	return runs, err
}

// Members is [DB.Runs] without Settings, Metrics, Progress, Environment and Tags, which take long
// to read for thousands of runs.
func (db *DB) Members(ctx context.Context, study string) ([]Run, error) {
	var runs []Run
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		runs, err = memberRuns(ctx, tx, standingColumns, study)
		return err
	})
	return runs, err
}

// Refresh returns what [DB.Runs] would, for a study whose runs were read before. It reads in full
// only runs that are new, running, or in another state than before: the other runs cannot have
// changed.
func (db *DB) Refresh(ctx context.Context, study string, before []Run) ([]Run, error) {
	if len(before) == 0 {
		return db.Runs(ctx, study)
	}
	known := indexed(before)
	var runs []Run
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		if runs, err = memberRuns(ctx, tx, standingColumns, study); err != nil {
			return err
		}
		for i := range runs {
			r, old := &runs[i], known[runs[i].ID]
			if old != nil && old.State == r.State && r.State != Running && old.Attempt == r.Attempt && old.Finished.Equal(r.Finished) {
				r.Settings, r.Progress, r.Environment, r.Metrics = old.Settings, old.Progress, old.Environment, old.Metrics
				continue
			}
			whole, err := queryRuns(ctx, tx, "FROM runs r WHERE r.id = ?", r.ID)
			if err != nil {
				return err
			}
			r.Settings, r.Progress, r.Environment = whole[0].Settings, whole[0].Progress, whole[0].Environment
			if err := addMetrics(ctx, tx, map[string]*Run{r.ID: r}, "", r.ID); err != nil {
				return err
			}
		}
		return addTags(ctx, tx, indexed(runs), study, "")
	})
	return runs, err
}

// Stand returns the run with this id as [DB.Members] would, without its studies, and whether it
// exists.
func (db *DB) Stand(ctx context.Context, id string) (run Run, known bool, err error) {
	err = db.read(ctx, func(tx *sql.Tx) error {
		runs, err := standingColumns.read(ctx, tx, "FROM runs r WHERE r.id = ?", id)
		if len(runs) > 0 {
			run, known = runs[0], true
		}
		return err
	})
	return run, known, err
}

// memberRuns reads the runs of a study, or all, with their memberships.
func memberRuns(ctx context.Context, tx *sql.Tx, c columns[Run], study string) ([]Run, error) {
	// Those of one study were created at once: in the order of its plan.
	from, args := `FROM runs r ORDER BY r.created_ms, (SELECT MIN(m.position) FROM study_runs m WHERE m.run = r.id), r.id`, []any(nil)
	if study != "" {
		from, args = "FROM runs r JOIN study_runs m ON m.run = r.id WHERE m.study = ? ORDER BY m.position, r.id", []any{study}
	}
	runs, err := c.read(ctx, tx, from, args...)
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

// Run returns the run whose id is, or uniquely starts with, idOrPrefix. If there is none it
// returns ErrNotFound; if there are several, an *AmbiguousError that lists them.
func (db *DB) Run(ctx context.Context, idOrPrefix string) (Run, error) {
	var run Run
	err := db.read(ctx, func(tx *sql.Tx) error {
		id, err := resolve(ctx, tx, idOrPrefix)
		if err != nil {
			return err
		}
		runs, err := queryRuns(ctx, tx, "FROM runs r WHERE r.id = ?", id)
		if err != nil {
			return err
		}
		run = runs[0]
		byID := map[string]*Run{id: &run}
		if err := addMemberships(ctx, tx, byID, "", id); err != nil {
			return err
		}
		if err := addTags(ctx, tx, byID, "", id); err != nil {
			return err
		}
		return addMetrics(ctx, tx, byID, "", id)
	})
	return run, err
}

// TrainedBefore returns the ids of a study's completed runs, in order, whose weights existed
// before: a completed run outside the study has the same weights and finished before the given
// time. Runs without recorded weights do not count.
func (db *DB) TrainedBefore(ctx context.Context, study string, before time.Time) ([]string, error) {
	return db.ids(ctx, `SELECT r.id FROM runs r JOIN study_runs m ON m.run = r.id
		WHERE m.study = ? AND r.state = 'completed' AND r.weights_sha256 <> '' AND r.weights_sha256 IN (
			SELECT weights_sha256 FROM runs WHERE state = 'completed' AND finished_ms < ?
			AND id NOT IN (SELECT run FROM study_runs WHERE study = ?))
		ORDER BY m.position, r.id`, study, before.UnixMilli(), study)
}

// Audited returns the ids of a study's runs that have an audit.
func (db *DB) Audited(ctx context.Context, study string) ([]string, error) {
	return db.ids(ctx, `SELECT m.run FROM study_runs m WHERE m.study = ? AND EXISTS (SELECT 1 FROM audits a WHERE a.run = m.run)`, study)
}

// WithReadings returns the ids of a study's runs that have readings of a split.
func (db *DB) WithReadings(ctx context.Context, study, split string) ([]string, error) {
	return db.ids(ctx, `SELECT m.run FROM study_runs m WHERE m.study = ?
		AND EXISTS (SELECT 1 FROM readings a WHERE a.run = m.run AND a.split = ?)`, study, split)
}

// ids returns the run ids that a query selects.
func (db *DB) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	err = db.read(ctx, func(tx *sql.Tx) error {
		ids, err = names(ctx, tx, query, args...)
		return err
	})
	return ids, err
}

// resolve finds the one run whose id is or starts with a prefix.
func resolve(ctx context.Context, tx *sql.Tx, prefix string) (string, error) {
	if prefix == "" {
		return "", fmt.Errorf("run: %w: the run ID is empty", ErrNotFound)
	}
	const last = "\U0010FFFF" // sorts after any continuation of an id, so that the index can be used
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
		var study bool
		err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM studies WHERE name = ?)", prefix).Scan(&study)
		if study {
			return "", fmt.Errorf("run %q: %w: it is a study; list its runs with `glimpse runs %s`", prefix, ErrNotFound, prefix)
		}
		return "", errors.Join(fmt.Errorf("run %q: %w: no run ID starts with that; list runs with `glimpse runs`", prefix, ErrNotFound), err)
	case 1:
		return ids[0], nil
	}
	return "", &AmbiguousError{Prefix: prefix, Candidates: ids[:min(len(ids), 10)], Total: len(ids)}
}

// stopRequest is the column of the attempt that was asked to end. It must be read after the
// column of the attempt.
type stopRequest struct{ of *Run }

// Scan implements sql.Scanner.
func (s stopRequest) Scan(src any) error {
	attempt, ok := src.(int64)
	if src != nil && !ok {
		return fmt.Errorf("cannot read a whole number from %s", shown(src))
	}
	s.of.Stopped = ok && attempt == s.of.Attempt
	return nil
}

func queryRuns(ctx context.Context, q querier, from string, args ...any) ([]Run, error) {
	return runColumns.read(ctx, q, from, args...)
}

// ofRun adds to an error which run it is about.
func ofRun(run string, err error) error {
	if err != nil {
		err = fmt.Errorf("run %s: %w", run, err)
	}
	return err
}

// membership is a run's place in a study.
type membership struct {
	run, study, arm string
	swept           map[string]string
}

// membershipColumns are the columns of a membership.
var membershipColumns = columns[membership]{
	table: "study_runs",
	names: []string{"m.run", "m.study", "m.arm", "m.swept"},
	into:  func(m *membership) []any { return []any{&m.run, &m.study, &m.arm, (*sweptValues)(&m.swept)} },
	row:   func(m *membership) string { return "run " + m.run + " of study " + m.study },
}

// sweptValues are the swept values of a membership, stored as JSON.
type sweptValues map[string]string

// Scan implements sql.Scanner.
func (s *sweptValues) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("cannot read JSON from %s", shown(src))
	}
	return json.Unmarshal([]byte(text), s)
}

// storedMetric is a metric of a run.
type storedMetric struct {
	run, split, key string
	value           float64
}

// metricColumns are the columns of a metric.
var metricColumns = columns[storedMetric]{
	table: "metrics",
	names: []string{"run", "split", "key", "value"},
	into:  func(v *storedMetric) []any { return []any{&v.run, &v.split, &v.key, (*number)(&v.value)} },
	row:   func(v *storedMetric) string { return "metric " + v.split + "." + v.key },
}

// among returns the condition that a column of run ids holds the run; if run is "", a run of the
// study; if both are "", any run.
func among(column, study, run string) (where string, args []any) {
	switch {
	case run != "":
		return column + " = ?", []any{run}
	case study != "":
		return column + " IN (SELECT run FROM study_runs WHERE study = ?)", []any{study}
	}
	return "1 = 1", nil
}

// addMemberships fills Study, Studies, Arm and Swept. Study, Arm and Swept are those in the given
// study or, if it is "", in the oldest study that holds the run.
func addMemberships(ctx context.Context, q querier, runs map[string]*Run, study, run string) error {
	where, args := among("m.run", study, run)
	from := "FROM study_runs m JOIN studies s ON s.name = m.study WHERE " + where + " ORDER BY s.created_ms, s.name"
	return membershipColumns.each(ctx, q, from, args, func(m membership) {
		run := runs[m.run]
		if run == nil {
			return
		}
		run.Studies = append(run.Studies, m.study)
		if m.study == study || study == "" && len(run.Studies) == 1 {
			run.Study, run.Arm, run.Swept = m.study, m.arm, m.swept
		}
	})
}

func addMetrics(ctx context.Context, q querier, runs map[string]*Run, study, run string) error {
	where, args := among("run", study, run)
	names := map[string]string{} // so that thousands of runs share equal keys
	return metricColumns.each(ctx, q, "FROM metrics WHERE "+where, args, func(m storedMetric) {
		if run := runs[m.run]; run != nil {
			m.split, m.key = shared(names, m.split), shared(names, m.key)
			run.setMetric(m)
		}
	})
}

// shared returns the known copy of an equal text.
func shared(known map[string]string, text string) string {
	if one, found := known[text]; found {
		return one
	}
	known[text] = text
	return text
}

func (r *Run) setMetric(m storedMetric) {
	if r.Metrics == nil {
		r.Metrics = map[string]map[string]float64{}
	}
	if r.Metrics[m.split] == nil {
		r.Metrics[m.split] = map[string]float64{}
	}
	r.Metrics[m.split][m.key] = m.value
}
