package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"

	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// scoreColumns are the columns of captions that a score is kept in, but for
// METEOR's counts; scoreFields are its fields, in the same order.
var scoreColumns = []string{"match1", "match2", "match3", "match4", "length", "ref_length", "rouge_l", "cider", "cider_d", "meteor"}

func scoreFields(s *metrics.ImageScore) []any {
	return []any{&s.Match[0], &s.Match[1], &s.Match[2], &s.Match[3], &s.Length, &s.RefLength,
		(*number)(&s.RougeL), (*number)(&s.CIDEr), (*number)(&s.CIDErD), (*number)(&s.METEOR)}
}

// scoreTargets are those fields to be read into: what was not measured is 0.
func scoreTargets(s *metrics.ImageScore) []any {
	fields := scoreFields(s)
	for i, field := range fields {
		switch field := field.(type) {
		case *int:
			fields[i] = (*count)(field)
		case *number:
			fields[i] = (*measure)(field)
		}
	}
	return fields
}

// meteorCounts are METEOR's counts in their column: JSON, or NULL for none.
type meteorCounts meteor.Stats

// Value implements driver.Valuer.
func (c meteorCounts) Value() (driver.Value, error) {
	if c == (meteorCounts{}) {
		return nil, nil
	}
	raw, err := json.Marshal(meteor.Stats(c))
	return string(raw), err
}

// Scan implements sql.Scanner.
func (c *meteorCounts) Scan(src any) error {
	*c = meteorCounts{}
	var raw []byte
	switch src := src.(type) {
	case nil:
		return nil
	case string:
		raw = []byte(src)
	case []byte:
		raw = src
	default:
		return fmt.Errorf("cannot read METEOR's counts from %T", src)
	}
	if err := json.Unmarshal(raw, (*meteor.Stats)(c)); err != nil {
		return fmt.Errorf("METEOR's counts: %w", err)
	}
	return nil
}

// saveScores stores the scores of a split's captions, which are there already.
func saveScores(ctx context.Context, tx *sql.Tx, run, split string, scores []metrics.ImageScore) error {
	statement, err := tx.PrepareContext(ctx, "UPDATE captions SET scored = 1, "+strings.Join(scoreColumns, " = ?, ")+
		" = ?, meteor_stats = ? WHERE run = ? AND split = ? AND image = ?")
	if err != nil {
		return err
	}
	defer func() { _ = statement.Close() }()
	for i := range scores {
		s := &scores[i]
		result, err := statement.ExecContext(ctx, append(scoreFields(s), meteorCounts(s.MeteorStats), run, split, s.ID)...)
		if err != nil {
			return fmt.Errorf("scores of %s: %w", s.ID, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("scores of %s: no caption of that image is stored for run %s, split %s", s.ID, run, split)
		}
	}
	return nil
}

// captionColumns are those that a caption is read from.
var captionColumns = columns[Caption]{
	table: "captions",
	names: append([]string{"image", "words", "log_prob", "beta", "entropy", "scored", "meteor_stats"}, scoreColumns...),
	into: func(c *Caption) []any {
		return append([]any{&c.Image, &c.Words, (*number)(&c.LogProb), (*series)(&c.Beta), (*series)(&c.Entropy), &c.Scored,
			(*meteorCounts)(&c.Score.MeteorStats)}, scoreTargets(&c.Score)...)
	},
	row: func(c *Caption) string { return "image " + c.Image },
	settle: func(c *Caption) error {
		if c.Scored {
			c.Score.ID, c.Score.Blank = c.Image, c.Score.Length == 0
		}
		return nil
	},
}

// captionsOf is the query for the captions of a run's split.
const captionsOf = "FROM captions WHERE run = ? AND split = ? ORDER BY image"

// Captions returns the stored captions of a run's split, in image-id order.
func (db *DB) Captions(ctx context.Context, run, split string) ([]Caption, error) {
	var captions []Caption
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		captions, err = captionColumns.read(ctx, tx, captionsOf, run, split)
		if err != nil {
			err = fmt.Errorf("run %s, captions of %s: %w", run, split, err)
		}
		return err
	})
	return captions, err
}
