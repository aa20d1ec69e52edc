package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"glimpse/metrics/audit"
)

// SaveAudit stores the audit of a completed run. It replaces an earlier one.
func (db *DB) SaveAudit(ctx context.Context, run string, rows []audit.Row) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		if err := checkCompleted(ctx, tx, run, "audit"); err != nil {
			return err
		}
		clear := func() error {
			_, err := tx.ExecContext(ctx, "DELETE FROM audits WHERE run = ?", run)
			return err
		}
		return theRun(run).reseal(ctx, tx, named("audits"), clear, func() error { return insertAudit(ctx, tx, run, rows) })
	})
}

func insertAudit(ctx context.Context, tx *sql.Tx, run string, rows []audit.Row) error {
	now := time.Now().UnixMilli()
	for position, row := range rows {
		_, err := tx.ExecContext(ctx, `INSERT INTO audits (run, split, protocol, position, says, source, images,
			bleu1, bleu2, bleu3, bleu4, claim_bleu1, claim_bleu2, reaches, reportable, why, audited_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			run, row.Split, row.Protocol, position, row.Says, row.Source, row.Images,
			number(row.BLEU[0]), number(row.BLEU[1]), number(row.BLEU[2]), number(row.BLEU[3]),
			number(row.Claim.BLEU1), number(row.Claim.BLEU2), row.Reaches, row.Reportable, row.Why, now)
		if err != nil {
			return fmt.Errorf("audit of run %s, split %s, protocol %s: %w", run, row.Split, row.Protocol, err)
		}
	}
	return nil
}

// checkCompleted returns an error unless the run is completed. what names what is to be stored, such as "audit".
func checkCompleted(ctx context.Context, tx *sql.Tx, run, what string) error {
	var state string
	err := tx.QueryRowContext(ctx, "SELECT state FROM runs WHERE id = ?", run).Scan(&state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("run %q: %w", run, ErrNotFound)
	case err != nil:
		return err
	case state != Completed:
		return fmt.Errorf("cannot store the %s of run %s: the run is %s; only completed runs can have one", what, run, state)
	}
	return nil
}

// auditColumns are the columns of a row of an audit.
var auditColumns = columns[audit.Row]{
	table: "audits",
	names: []string{"split", "protocol", "says", "source", "images", "bleu1", "bleu2", "bleu3", "bleu4",
		"claim_bleu1", "claim_bleu2", "reaches", "reportable", "why"},
	into: func(r *audit.Row) []any {
		return []any{&r.Split, &r.Protocol, &r.Says, &r.Source, (*count)(&r.Images),
			(*number)(&r.BLEU[0]), (*number)(&r.BLEU[1]), (*number)(&r.BLEU[2]), (*number)(&r.BLEU[3]),
			(*number)(&r.Claim.BLEU1), (*number)(&r.Claim.BLEU2), &r.Reaches, &r.Reportable, &r.Why}
	},
	row: func(r *audit.Row) string { return fmt.Sprintf("split %s, protocol %s", r.Split, r.Protocol) },
}

// auditOf is the query for a run's audit.
const auditOf = "FROM audits WHERE run = ? ORDER BY position"

// Audit returns the rows of a run's last audit, in order. It returns none if the run was never
// audited.
func (db *DB) Audit(ctx context.Context, run string) ([]audit.Row, error) {
	var audited []audit.Row
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		audited, err = auditColumns.read(ctx, tx, auditOf, run)
		return ofRun(run, err)
	})
	return audited, err
}
