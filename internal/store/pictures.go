package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// MostPictures is the limit for published pictures: per study, and per data set over all studies
// of a database.
const MostPictures = 20

// Picture is a thumbnail for the report of a study.
type Picture struct {
	Image         string // its id, as in captions
	Dataset       string // "" for drawn scenes, which may be published freely
	Width, Height int    // pixels
	JPEG          []byte
}

// AttentionMap is where a run attended before each word of its stored caption.
type AttentionMap struct {
	Run, Image  string
	Side        int         // regions on a side of the grid
	First, Step float64     // centres of regions, in fractions of the picture's width and height
	Alpha       [][]float64 // for each word Side×Side weights, row by row
}

// Illustration holds the pictures and attention maps for the report of a study.
type Illustration struct {
	Pictures []Picture
	Maps     []AttentionMap
}

// SaveIllustration stores the pictures and maps of a study. It replaces earlier ones; an empty
// one removes them. It returns an error for more pictures than may be published ([MostPictures]).
func (db *DB) SaveIllustration(ctx context.Context, study string, kept Illustration) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		var known int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM studies WHERE name = ?", study).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return fmt.Errorf("pictures of study %q: %w", study, ErrNotFound)
		}
		if len(kept.Pictures) > MostPictures {
			return fmt.Errorf("pictures of study %q: %d are too many to publish; the limit is %d", study, len(kept.Pictures), MostPictures)
		}
		clear := func() error {
			for _, table := range []string{"pictures", "attention_maps"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE study = ?", study); err != nil {
					return err
				}
			}
			return nil
		}
		return theStudy(study).reseal(ctx, tx, named("pictures", "attention_maps"), clear, func() error {
			return insertIllustration(ctx, tx, study, kept)
		})
	})
}

func insertIllustration(ctx context.Context, tx *sql.Tx, study string, kept Illustration) error {
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
}

// checkPublished returns an error if all studies together hold too many pictures of a data set.
func checkPublished(ctx context.Context, tx *sql.Tx, dataset string) error {
	var count int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(DISTINCT image) FROM pictures WHERE dataset = ? AND dataset <> ''", dataset).Scan(&count)
	if err == nil && count > MostPictures {
		err = fmt.Errorf("with those of other studies the database would hold %d pictures of %s, but at most %d may be published: "+
			"choose fewer, or remove those of another study with `glimpse illustrate STUDY --images 0`", count, dataset, MostPictures)
	}
	return err
}

// pictureColumns are the columns of a picture.
var pictureColumns = columns[Picture]{
	table: "pictures",
	names: []string{"image", "dataset", "width", "height", "jpeg"},
	into: func(p *Picture) []any {
		return []any{&p.Image, &p.Dataset, &p.Width, &p.Height, (*base64Text)(&p.JPEG)}
	},
	row: func(p *Picture) string { return "image " + p.Image },
}

// picturesOf is the query for the pictures of a study.
const picturesOf = "FROM pictures WHERE study = ? ORDER BY position"

// base64Text is a column of bytes in base64.
type base64Text []byte

// Scan implements sql.Scanner.
func (b *base64Text) Scan(src any) (err error) {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("cannot read base64 from %s", shown(src))
	}
	*b, err = base64.StdEncoding.DecodeString(text)
	return err
}

// mapColumns are the columns of an attention map.
var mapColumns = columns[AttentionMap]{
	table: "attention_maps",
	names: []string{"run", "image", "side", "first", "step", "alpha"},
	into: func(m *AttentionMap) []any {
		return []any{&m.Run, &m.Image, &m.Side, (*number)(&m.First), (*number)(&m.Step), (*weightMaps)(&m.Alpha)}
	},
	row: func(m *AttentionMap) string { return "run " + m.Run + ", image " + m.Image },
	settle: func(m *AttentionMap) error {
		for _, word := range m.Alpha {
			if m.Side < 1 || m.Step <= 0 || len(word) != m.Side*m.Side {
				return fmt.Errorf("%d weights on a grid of %d×%d", len(word), m.Side, m.Side)
			}
		}
		return nil
	},
}

// mapsOf is the query for the attention maps of a study.
const mapsOf = "FROM attention_maps WHERE study = ? ORDER BY run, image"

// weightMaps are weights word by word, as JSON in their column.
type weightMaps [][]float64

// Scan implements sql.Scanner.
func (w *weightMaps) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("cannot read JSON from %s", shown(src))
	}
	return json.Unmarshal([]byte(text), w)
}

// Illustration returns the pictures and maps of a study, in the order in which they were saved.
// It is empty if there are none.
func (db *DB) Illustration(ctx context.Context, study string) (Illustration, error) {
	var kept Illustration
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		if kept.Pictures, err = pictureColumns.read(ctx, tx, picturesOf, study); err == nil {
			kept.Maps, err = mapColumns.read(ctx, tx, mapsOf, study)
		}
		if err != nil {
			return fmt.Errorf("study %s: %w", study, err)
		}
		return nil
	})
	return kept, err
}
