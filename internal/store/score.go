package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strconv"
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
	if c.parse(raw) {
		return nil
	}
	*c = meteorCounts{}
	if err := json.Unmarshal(raw, (*meteor.Stats)(c)); err != nil {
		return fmt.Errorf("METEOR's counts: %w", err)
	}
	return nil
}

// parse reads counts as Value writes them, which is nearly always how they are: a tenth of the
// time of reading a million of them. It is false for any other JSON.
func (c *meteorCounts) parse(raw []byte) bool {
	for i, field := range []struct {
		key    string
		whole  *int
		weight *float64
	}{
		{`"test_length":`, &c.TestLength, nil}, {`"ref_length":`, &c.RefLength, nil},
		{`"test_matches":`, &c.TestMatches, nil}, {`"ref_matches":`, &c.RefMatches, nil}, {`"chunks":`, &c.Chunks, nil},
		{`"test_weight":`, nil, &c.TestWeight}, {`"ref_weight":`, nil, &c.RefWeight},
		{`"test_match_weight":`, nil, &c.TestMatchWeight}, {`"ref_match_weight":`, nil, &c.RefMatchWeight},
	} {
		before := ","
		if i == 0 {
			before = "{"
		}
		rest, found := bytes.CutPrefix(raw, []byte(before+field.key))
		end := bytes.IndexAny(rest, ",}")
		if !found || end < 0 || !isNumber(string(rest[:end])) {
			return false
		}
		digits := string(rest[:end])
		var err error
		if field.whole != nil {
			*field.whole, err = strconv.Atoi(digits)
		} else {
			*field.weight, err = strconv.ParseFloat(digits, 64)
		}
		if err != nil {
			return false
		}
		raw = rest[end:]
	}
	return string(raw) == "}"
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

// scoredColumns are those of them that say what is known of a score, and saidColumns what was said beside it, without
// attention and METEOR's counts.
var (
	scoredColumns = captionColumns.only(append([]string{"image", "scored", "meteor_stats"}, scoreColumns...))
	saidColumns   = captionColumns.only(append([]string{"image", "words", "log_prob", "scored"}, scoreColumns...))
)

// captionsOf is the query for the captions of a run's split.
const captionsOf = "FROM captions WHERE run = ? AND split = ? ORDER BY image"

// Scores returns the scores of a run's captions of a split, in image-id order: what
// [DB.Captions] has as Score, without the captions. It is nil where one of them has not been scored.
func (db *DB) Scores(ctx context.Context, run, split string) ([]metrics.ImageScore, error) {
	var scores []metrics.ImageScore
	unscored := false
	err := db.read(ctx, func(tx *sql.Tx) error {
		return scoredColumns.each(ctx, tx, captionsOf, []any{run, split}, func(c Caption) {
			unscored = unscored || !c.Scored
			scores = append(scores, c.Score)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("run %s, scores of %s: %w", run, split, err)
	}
	if unscored {
		return nil, nil
	}
	return scores, nil
}

// EachCaption calls f with the captions of runs, in their order, and of each run those of the
// splits, in image-id order, as one moment saw them. f gets the place of the run. What attention did, and METEOR's counts, stay
// empty.
func (db *DB) EachCaption(ctx context.Context, runs, splits []string, f func(run int, split string, c *Caption) error) error {
	return db.read(ctx, func(tx *sql.Tx) error {
		for i, run := range runs {
			for _, split := range splits {
				var failed error
				err := saidColumns.each(ctx, tx, captionsOf, []any{run, split}, func(c Caption) {
					if failed == nil {
						failed = f(i, split, &c)
					}
				})
				if err != nil {
					return fmt.Errorf("run %s, captions of %s: %w", run, split, err)
				}
				if failed != nil {
					return failed
				}
			}
		}
		return nil
	})
}

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
