package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// columns maps rows of a table to values of a type: which columns are read, in what order, and
// where each goes. Readers and [DB.Findings] share it, so that a row that passes the check can be
// read.
type columns[T any] struct {
	table  string
	names  []string       // as SQL has them; those that name the row come first
	into   func(*T) []any // a target for each
	row    func(*T) string
	settle func(*T) error // checks or completes the value once all columns are read; may be nil
}

// read reads the rows of a query; from is the query after its columns. It stops at the first row
// that cannot be read.
func (c columns[T]) read(ctx context.Context, q querier, from string, args ...any) ([]T, error) {
	var all []T
	err := c.each(ctx, q, from, args, func(v T) { all = append(all, v) })
	return all, err
}

// each calls use with each row of a query; with none if the table is absent.
func (c columns[T]) each(ctx context.Context, q querier, from string, args []any, use func(T)) error {
	if absent, err := named(c.table)[0].absent(ctx, q); err != nil || absent {
		return err
	}
	rows, err := q.QueryContext(ctx, "SELECT "+strings.Join(c.names, ", ")+" "+from, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values, raw := make([]any, len(c.names)), make([]any, len(c.names))
	for i := range values {
		raw[i] = &values[i]
	}
	v := new(T) // one for all rows, since there are many
	targets := c.into(v)
	for rows.Next() {
		if err := rows.Scan(raw...); err != nil {
			return err
		}
		if faults := c.fill(v, targets, values); len(faults) > 0 {
			return faults[0]
		}
		use(*v)
	}
	return rows.Err()
}

// only keeps the columns of these names, in the order of c.
func (c columns[T]) only(names []string) columns[T] {
	var places []int
	for i, name := range c.names {
		if slices.Contains(names, name) {
			places = append(places, i)
		}
	}
	all := c
	c.names = make([]string, len(places))
	for i, at := range places {
		c.names[i] = all.names[at]
	}
	c.into = func(v *T) []any {
		targets, picked := all.into(v), make([]any, len(places))
		for i, at := range places {
			picked[i] = targets[at]
		}
		return picked
	}
	return c
}

// fill stores the values of a row in targets, which point into v, and returns what could not be
// read.
func (c columns[T]) fill(v *T, targets, values []any) (faults []*fieldError) {
	*v = *new(T)
	for i, target := range targets {
		if err := assign(target, values[i]); err != nil {
			faults = append(faults, &fieldError{c.table, c.column(i), c.row(v), err})
		}
	}
	if len(faults) == 0 && c.settle != nil {
		if err := c.settle(v); err != nil {
			faults = append(faults, &fieldError{c.table, "", c.row(v), err})
		}
	}
	return faults
}

// column is the name of a column without that of its table.
func (c columns[T]) column(i int) string {
	name := c.names[i]
	return name[strings.LastIndexByte(name, '.')+1:]
}

// assign stores a column's value in target. It accepts no text as a number, nor a number as text:
// this package never writes them that way.
func assign(target, value any) error {
	switch to := target.(type) {
	case sql.Scanner:
		return to.Scan(value)
	case *string:
		if text, ok := value.(string); ok {
			*to = text
			return nil
		}
	case *int:
		if whole, ok := value.(int64); ok {
			*to = int(whole)
			return nil
		}
	case *int64:
		if whole, ok := value.(int64); ok {
			*to = whole
			return nil
		}
	case *bool:
		if whole, ok := value.(int64); ok && (whole == 0 || whole == 1) {
			*to = whole == 1
			return nil
		}
	}
	return fmt.Errorf("cannot read %s from %s", kindOf(target), shown(value))
}

// kindOf names the kind of value that target holds.
func kindOf(target any) string {
	switch target.(type) {
	case *string:
		return "text"
	case *bool:
		return "a boolean"
	}
	return "a whole number"
}

// fieldError is the error of a column that cannot be read, or of a row whose columns contradict
// one another.
type fieldError struct {
	table  string
	column string // "" for the row
	row    string // identifies the row within its run or study; "" if it is the only one
	err    error
}

// Error says where the fault is, and what it is.
func (e *fieldError) Error() string {
	where := "table " + e.table
	if e.column != "" {
		where += ", column " + e.column
	}
	if e.row != "" {
		where += ", " + e.row
	}
	return where + ": " + e.err.Error()
}

// of adds the row's split, if it has one.
func (e *fieldError) of(split string) *fieldError {
	if split != "" {
		e.row = "split " + split + ", " + e.row
	}
	return e
}

// Unwrap returns the cause.
func (e *fieldError) Unwrap() error { return e.err }

// count is a whole number. NULL, which means not measured, reads as 0.
type count int

// Scan implements sql.Scanner.
func (c *count) Scan(src any) error {
	*c = 0
	switch v := src.(type) {
	case nil:
	case int64:
		*c = count(v)
	default:
		return fmt.Errorf("cannot read a whole number from %s", shown(src))
	}
	return nil
}

// measure is a number. NULL, which means not measured, reads as 0.
type measure float64

// Scan implements sql.Scanner.
func (m *measure) Scan(src any) error {
	if *m = 0; src == nil {
		return nil
	}
	return (*number)(m).Scan(src)
}

// document is JSON in a column, kept unparsed. NULL reads as nil.
type document json.RawMessage

// Scan implements sql.Scanner.
func (d *document) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = nil
	case string:
		*d = document(v)
	default:
		return fmt.Errorf("cannot read JSON from %s", shown(src))
	}
	return nil
}

// moment is a time in a column of milliseconds; the zero time is NULL.
type moment time.Time

// Value implements driver.Valuer.
func (m moment) Value() (driver.Value, error) {
	if time.Time(m).IsZero() {
		return nil, nil
	}
	return time.Time(m).UnixMilli(), nil
}

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m = moment{}
	case int64:
		*m = moment(time.UnixMilli(v))
	default:
		return fmt.Errorf("cannot read a time from %s", shown(src))
	}
	return nil
}

// span is a duration in a column of milliseconds.
type span time.Duration

// Scan implements sql.Scanner.
func (s *span) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("cannot read a duration from %s", shown(src))
	}
	*s = span(time.Duration(v) * time.Millisecond)
	return nil
}

// shown is a value of a column as errors show it.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case string:
		return fmt.Sprintf("text %.40q", v)
	case []byte:
		return fmt.Sprintf("a blob of %d bytes", len(v))
	}
	return fmt.Sprint(value)
}
