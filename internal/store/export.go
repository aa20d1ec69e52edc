package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"glimpse/internal/atomicfile"
	"glimpse/internal/sheet"
)

// The forms of an export.
const (
	JSONLines = "jsonl" // lossless; [Import] reads it
	CSV       = "csv"   // for spreadsheets ([sheet.Writer]); NULL and the empty text look alike
)

// manifestName is the file that lists the contents of an export.
const manifestName = "manifest.json"

// manifest describes an export in JSON Lines.
type manifest struct {
	Format string          `json:"format"` // manifestFormat
	Schema int             `json:"schema"`
	Tables []exportedTable `json:"tables"`
}

const manifestFormat = "glimpse results 1"

type exportedTable struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"` // of its file
}

// Export writes a snapshot of every table to a file in a new folder: runs.jsonl or runs.csv and
// so on, rows sorted by key, columns in the order of the table. Equal contents give equal bytes.
// It returns the number of rows by table. It rejects a path that exists (fs.ErrExist).
func (db *DB) Export(ctx context.Context, dir, form string) (map[string]int, error) {
	if form != JSONLines && form != CSV {
		return nil, fmt.Errorf("unknown export format %q: use %s or %s", form, JSONLines, CSV)
	}
	rows := map[string]int{}
	err := atomicfile.Create(dir, func(temporary string) error {
		if err := os.Mkdir(temporary, 0o700); err != nil {
			return err
		}
		return db.read(ctx, func(tx *sql.Tx) error {
			m := manifest{Format: manifestFormat}
			var err error
			if m.Schema, err = schemaVersion(ctx, tx); err != nil {
				return err
			}
			for _, t := range tables {
				there, err := t.has(ctx, tx)
				if err != nil {
					return err
				}
				if !there {
					continue // an older schema
				}
				done, err := exportTable(ctx, tx, t, filepath.Join(temporary, t.name+"."+form), form)
				if err != nil {
					return fmt.Errorf("table %s: %w", t.name, err)
				}
				m.Tables = append(m.Tables, done)
				rows[t.name] = done.Rows
			}
			if form != JSONLines {
				return nil
			}
			text, err := json.MarshalIndent(m, "", "  ")
			if err != nil {
				return err
			}
			return atomicfile.WriteMode(filepath.Join(temporary, manifestName), 0o600, func(w io.Writer) error {
				_, err := w.Write(append(text, '\n'))
				return err
			})
		})
	})
	return rows, err
}

// exportTable writes one table to a file.
func exportTable(ctx context.Context, tx *sql.Tx, t table, path, form string) (exportedTable, error) {
	done := exportedTable{Name: t.name}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return done, err
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, hash), 1<<16)
	row := jsonRows(w)
	if form == CSV {
		columns, err := t.columns(ctx, tx)
		if err != nil {
			return done, err
		}
		row = csvRows(w, columns)
	}
	err = t.each(ctx, tx, "", nil, func(columns []string, values []any) error {
		done.Rows++
		return row(columns, values)
	})
	if err = errors.Join(err, w.Flush(), f.Sync(), f.Close()); err != nil {
		return done, err
	}
	done.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return done, nil
}

// csvRows writes a header, and then each row as a line.
func csvRows(w *bufio.Writer, head []string) func(columns []string, values []any) error {
	out := sheet.NewWriter(w)
	_ = out.Write(head) // its error stays and comes with the flush
	out.Flush()
	return func(columns []string, values []any) error {
		record := make([]string, len(values))
		for i, value := range values {
			switch v := value.(type) {
			case nil:
			case float64:
				record[i] = strconv.FormatFloat(v, 'g', -1, 64)
			default:
				record[i] = fmt.Sprint(v)
			}
		}
		err := out.Write(record)
		out.Flush()
		return errors.Join(err, out.Error())
	}
}
