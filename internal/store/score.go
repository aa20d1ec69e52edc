package store

import (
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

// scoreColumns are the columns of a caption's score, without METEOR's counts; scoreFields returns
// its fields, in the same order.
var scoreColumns = []string{"match1", "match2", "match3", "match4", "length", "ref_length", "rouge_l", "cider", "cider_d", "meteor"}

func scoreFields(s *metrics.ImageScore) []any {
	return []any{&s.Match[0], &s.Match[1], &s.Match[2], &s.Match[3], &s.Length, &s.RefLength,
		(*number)(&s.RougeL), (*number)(&s.CIDEr), (*number)(&s.CIDErD), (*number)(&s.METEOR)}
}

// scoreTargets returns the same fields as targets for reading: NULL, which means not measured,
// reads as 0.
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

// meteorCounts is the column of METEOR's counts: a packed list, JSON in older databases, or NULL
// for none.
type meteorCounts meteor.Stats

// countKeys are the keys of the counts in JSON, in the order of the list.
var countKeys = [...]string{"test_length", "ref_length", "test_matches", "ref_matches", "chunks",
	"test_weight", "ref_weight", "test_match_weight", "ref_match_weight"}

// Value implements driver.Valuer.
func (c meteorCounts) Value() (driver.Value, error) {
	if c == (meteorCounts{}) {
		return nil, nil
	}
	raw, err := json.Marshal(meteor.Stats(c))
	if err != nil {
		return nil, err
	}
	if packed := pack("meteor_stats", string(raw)); packed != nil {
		return packed, nil
	}
	return string(raw), nil
}

// Scan implements sql.Scanner.
func (c *meteorCounts) Scan(src any) error {
	*c = meteorCounts{}
	switch src := src.(type) {
	case nil:
		return nil
	case []byte:
		if list, ok := unpackList(src); ok && c.parse(list) {
			return nil
		}
	case string:
		if list, ok := countsList(src); ok && c.parse(list) {
			return nil
		}
		*c = meteorCounts{}
		if err := json.Unmarshal([]byte(src), (*meteor.Stats)(c)); err != nil {
			return fmt.Errorf("METEOR's counts: %w", err)
		}
		return nil
	}
	return fmt.Errorf("cannot read METEOR's counts from %s", shown(src))
}

// parse reads a list of counts. It returns false for any other text.
func (c *meteorCounts) parse(list string) bool {
	whole := [...]*int{&c.TestLength, &c.RefLength, &c.TestMatches, &c.RefMatches, &c.Chunks}
	weights := [...]*float64{&c.TestWeight, &c.RefWeight, &c.TestMatchWeight, &c.RefMatchWeight}
	for i := range countKeys {
		count, rest, more := strings.Cut(list, " ")
		if more != (i < len(countKeys)-1) || !isNumber(count) {
			return false
		}
		var err error
		if i < len(whole) {
			*whole[i], err = strconv.Atoi(count)
		} else {
			*weights[i-len(whole)], err = strconv.ParseFloat(count, 64)
		}
		if err != nil {
			return false
		}
		list = rest
	}
	return true
}

// countsList converts counts in JSON, exactly as [meteorCounts.Value] writes them, to a list. It
// returns false for any other JSON.
func countsList(text string) (string, bool) {
	var list strings.Builder
	list.Grow(len(text))
	for i, key := range countKeys {
		before := ","
		if i == 0 {
			before = "{"
		} else {
			list.WriteByte(' ')
		}
		var found bool
		for _, part := range [...]string{before, `"`, key, `":`} {
			if text, found = strings.CutPrefix(text, part); !found {
				return "", false
			}
		}
		end := strings.IndexAny(text, ",}")
		if end < 0 || !isNumber(text[:end]) {
			return "", false
		}
		list.WriteString(text[:end])
		text = text[end:]
	}
	return list.String(), text == "}"
}

// countsText is the inverse of countsList.
func countsText(list string) (string, bool) {
	var text strings.Builder
	for i, key := range countKeys {
		count, rest, more := strings.Cut(list, " ")
		if more != (i < len(countKeys)-1) || !isNumber(count) {
			return "", false
		}
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		text.WriteByte(before)
		text.WriteString(`"` + key + `":` + count)
		list = rest
	}
	return text.String() + "}", true
}

// saveScores stores the scores of a split's stored captions.
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

// captionColumns are the columns of a caption.
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

// scoredColumns are the columns of a caption's score. saidColumns also have the caption, but no
// METEOR counts.
var (
	scoredColumns = captionColumns.only(append([]string{"image", "scored", "meteor_stats"}, scoreColumns...))
	saidColumns   = captionColumns.only(append([]string{"image", "words", "log_prob", "scored"}, scoreColumns...))
)

// captionsOf is the query for the captions of a run's split.
const captionsOf = "FROM captions WHERE run = ? AND split = ? ORDER BY image"

// Scores returns the scores of a run's captions of a split, sorted by image id: the field Score
// of [DB.Captions]. It returns nil if a caption is unscored.
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

// EachCaption calls f with the captions of runs, from one snapshot: by run, then by split, sorted
// by image id. f gets the index of the run. Attention and METEOR's counts are left empty.
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

// Captions returns the stored captions of a run's split, sorted by image id.
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
