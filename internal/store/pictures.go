package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// MostPictures is how many pictures of a study are kept, and how many of one
// data set by all studies of a database together: no more may be published.
const MostPictures = 20

// Picture is a thumbnail for the report of a study.
type Picture struct {
	Image         string // as captions name it
	Dataset       string // "" for drawn scenes, which are nobody's
	Width, Height int    // pixels
	JPEG          []byte
}

// AttentionMap is where a run looked before each word of its stored caption.
type AttentionMap struct {
	Run, Image  string
	Side        int         // regions on a side of the grid
	First, Step float64     // centres of regions, in fractions of the picture's width and height
	Alpha       [][]float64 // for each word Side×Side weights, row by row
}

// Illustration is what the report of a study shows of its pictures.
type Illustration struct {
	Pictures []Picture
	Maps     []AttentionMap
}

// SaveIllustration keeps the pictures and maps of a study in place of those it
// had; none removes them. More than may be published are refused.
func (db *DB) SaveIllustration(ctx context.Context, study string, kept Illustration) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		var known int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM studies WHERE name = ?", study).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return fmt.Errorf("pictures of study %q: %w", study, ErrNotFound)
		}
		for _, table := range []string{"pictures", "attention_maps"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE study = ?", study); err != nil {
				return err
			}
		}
		if len(kept.Pictures) > MostPictures {
			return fmt.Errorf("pictures of study %q: %d are too many to publish, the limit is %d", study, len(kept.Pictures), MostPictures)
		}
		for position, p := range kept.Pictures {
			_, err := tx.ExecContext(ctx, "INSERT INTO pictures (study, image, position, dataset, width, height, jpeg) VALUES (?, ?, ?, ?, ?, ?, ?)",
				study, p.Image, position, p.Dataset, p.Width, p.Height, base64.StdEncoding.EncodeToString(p.JPEG))
			if err != nil {
				return fmt.Errorf("picture %s: %w", p.Image, err)
			}
		}
		for _, p := range kept.Pictures {
			if err := checkPublished(ctx, tx, p.Dataset); err != nil {
				return err
			}
		}
		for _, m := range kept.Maps {
			alpha, err := json.Marshal(m.Alpha)
			if err == nil {
				_, err = tx.ExecContext(ctx, "INSERT INTO attention_maps (study, run, image, side, first, step, alpha) VALUES (?, ?, ?, ?, ?, ?, ?)",
					study, m.Run, m.Image, m.Side, number(m.First), number(m.Step), string(alpha))
			}
			if err != nil {
				return fmt.Errorf("attention map of run %s, image %s: %w", m.Run, m.Image, err)
			}
		}
		return nil
	})
}

// checkPublished counts the pictures of a data set over all studies.
func checkPublished(ctx context.Context, tx *sql.Tx, dataset string) error {
	var count int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(DISTINCT image) FROM pictures WHERE dataset = ? AND dataset <> ''", dataset).Scan(&count)
	if err == nil && count > MostPictures {
		err = fmt.Errorf("%d pictures of %s would be in the database with those of other studies, and no more than %d may be published; "+
			"take fewer, or those of another study out: glimpse illustrate STUDY --images 0", count, dataset, MostPictures)
	}
	return err
}

// Illustration returns the pictures and maps of a study, in the order in which
// they were saved; nothing where there are none.
func (db *DB) Illustration(ctx context.Context, study string) (Illustration, error) {
	var kept Illustration
	err := db.read(ctx, func(tx *sql.Tx) error {
		if err := readPictures(ctx, tx, study, &kept); err != nil {
			return err
		}
		return readMaps(ctx, tx, study, &kept)
	})
	return kept, err
}

func readPictures(ctx context.Context, tx *sql.Tx, study string, kept *Illustration) error {
	rows, err := tx.QueryContext(ctx, "SELECT image, dataset, width, height, jpeg FROM pictures WHERE study = ? ORDER BY position", study)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p Picture
		var text string
		if err := rows.Scan(&p.Image, &p.Dataset, &p.Width, &p.Height, &text); err != nil {
			return err
		}
		if p.JPEG, err = base64.StdEncoding.DecodeString(text); err != nil {
			return fmt.Errorf("picture %s of study %s: %w", p.Image, study, err)
		}
		kept.Pictures = append(kept.Pictures, p)
	}
	return rows.Err()
}

func readMaps(ctx context.Context, tx *sql.Tx, study string, kept *Illustration) error {
	rows, err := tx.QueryContext(ctx, "SELECT run, image, side, first, step, alpha FROM attention_maps WHERE study = ? ORDER BY run, image", study)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m AttentionMap
		var alpha string
		if err := rows.Scan(&m.Run, &m.Image, &m.Side, (*number)(&m.First), (*number)(&m.Step), &alpha); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(alpha), &m.Alpha); err != nil {
			return fmt.Errorf("attention map of run %s, image %s: %w", m.Run, m.Image, err)
		}
		for _, word := range m.Alpha {
			if m.Side < 1 || m.Step <= 0 || len(word) != m.Side*m.Side {
				return fmt.Errorf("attention map of run %s, image %s: %d weights on a grid of %d×%d", m.Run, m.Image, len(word), m.Side, m.Side)
			}
		}
		kept.Maps = append(kept.Maps, m)
	}
	return rows.Err()
}
