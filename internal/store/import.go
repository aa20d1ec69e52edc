package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/atomicfile"
)

// maxLine bounds a line of an export: no valid row is longer.
const maxLine = 64 << 20

// Import creates a database at path from an export in JSON Lines ([DB.Export]), of this schema or
// an older one. If the export is incomplete or was changed, it returns an error with file and
// line and leaves no database. An existing file is not replaced (fs.ErrExist). It returns the
// number of rows by table.
func Import(ctx context.Context, dir, path string) (map[string]int, error) {
	m, err := readManifest(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	rows := map[string]int{}
	err = atomicfile.Create(path, func(temporary string) error {
		writer, err := openUnshared(temporary)
		if err != nil {
			return err
		}
		db := &DB{path: temporary, writer: writer, reader: writer}
		err = migrate(ctx, writer, temporary, m.Schema)
		if err == nil {
			err = db.write(ctx, func(tx *sql.Tx) error { return importTables(ctx, tx, dir, m, rows) })
		}
		if err == nil {
			err = migrate(ctx, writer, temporary, newest())
			shrink(ctx, writer)
		}
		if err == nil {
			err = checkNames(ctx, writer)
		}
		return errors.Join(err, writer.Close(), flush(temporary))
	})
	return rows, err
}

// flush waits until a file is on the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func readManifest(path string) (manifest, error) {
	var m manifest
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s: %w: give the folder of an export in JSON Lines", path, fs.ErrNotExist)
	}
	if err != nil {
		return m, fmt.Errorf("import: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: not the manifest of an export: %w", path, err)
	}
	switch {
	case m.Format != manifestFormat:
		return m, fmt.Errorf("%s: unknown format %q; this program reads %q", path, m.Format, manifestFormat)
	case m.Schema > newest():
		return m, fmt.Errorf("%s: %w: it has schema %d, this program knows %d; upgrade glimpse", path, ErrNewer, m.Schema, newest())
	case m.Schema < 1:
		return m, fmt.Errorf("%s: schema %d does not exist", path, m.Schema)
	}
	return m, nil
}

// importTables fills an empty database.
func importTables(ctx context.Context, tx *sql.Tx, dir string, m manifest, rows map[string]int) error {
	listed := map[string]exportedTable{}
	for _, t := range m.Tables {
		if !slices.ContainsFunc(tables, func(known table) bool { return known.name == t.Name }) {
			return fmt.Errorf("%s: unknown table %q", filepath.Join(dir, manifestName), t.Name)
		}
		listed[t.Name] = t
	}
	for _, t := range tables {
		there, err := t.has(ctx, tx)
		if err != nil {
			return err
		}
		want, found := listed[t.name]
		if !there && !found {
			continue // the schema of the export knows no such table
		}
		if there != found {
			return fmt.Errorf("%s: table %s does not match schema %d", filepath.Join(dir, manifestName), t.name, m.Schema)
		}
		file := filepath.Join(dir, t.name+"."+JSONLines)
		got, err := importTable(ctx, tx, t, file)
		if err != nil {
			return err
		}
		if got.Rows != want.Rows || got.SHA256 != want.SHA256 {
			return fmt.Errorf("%s: changed or truncated after the export (it has %d rows, %d were exported): export again", file, got.Rows, want.Rows)
		}
		rows[t.name] = got.Rows
	}
	return nil
}

// importTable reads one table's file.
func importTable(ctx context.Context, tx *sql.Tx, t table, file string) (exportedTable, error) {
	done := exportedTable{Name: t.name}
	columns, err := t.columns(ctx, tx)
	if err != nil {
		return done, err
	}
	insert, err := t.insert(ctx, tx, columns, false)
	if err != nil {
		return done, err
	}
	defer func() { _ = insert.Close() }()
	f, err := os.Open(file)
	if err != nil {
		return done, fmt.Errorf("import: %w", err)
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(bufio.NewReaderSize(f, 1<<16), hash))
	lines.Buffer(nil, maxLine)
	usual := newRowScanner(columns)
	whole := context.WithoutCancel(ctx) // watching ctx costs as much as inserting a row
	for lines.Scan() {
		done.Rows++
		values, err := usual.values, error(nil)
		if !usual.scan(lines.Bytes()) {
			values, err = parseRow(lines.Bytes(), columns)
		}
		if err == nil {
			err = insert.put(whole, values)
		}
		if err == nil && done.Rows%1000 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return done, fmt.Errorf("%s:%d: %w", file, done.Rows, err)
		}
	}
	if err := lines.Err(); err != nil {
		return done, fmt.Errorf("%s:%d: %w", file, done.Rows+1, err)
	}
	done.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return done, nil
}

// parseRow reads an object that has each of the columns and no other key.
func parseRow(line []byte, columns []string) ([]any, error) {
	var row map[string]json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		return nil, fmt.Errorf("not a row: %w", err)
	}
	values := make([]any, len(columns))
	for i, column := range columns {
		raw, found := row[column]
		if !found {
			return nil, fmt.Errorf("column %s is missing", column)
		}
		var err error
		if values[i], err = parseValue(raw); err != nil {
			return nil, fmt.Errorf("column %s: %w", column, err)
		}
		delete(row, column)
	}
	for name := range row {
		return nil, fmt.Errorf("unknown column %q", name)
	}
	return values, nil
}

// parseValue is the inverse of appendValue. It does not check whether a number must be whole: the
// column decides.
func parseValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case '{':
		var text rawText
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&text); err != nil {
			return nil, err
		}
		return string(text.Base64), nil
	case 't', 'f', '[':
		return nil, fmt.Errorf("%s is not a column value", raw[:min(len(raw), 20)])
	}
	return parseNumber(string(raw))
}

// parseNumber reads a number of JSON.
func parseNumber(text string) (any, error) {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil && !strings.HasPrefix(text, "-0") {
		return whole, nil
	}
	return strconv.ParseFloat(text, 64)
}
