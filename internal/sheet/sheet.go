// Package sheet writes CSV that people open in spreadsheets. A cell there that begins
// like a formula is one, whoever wrote it, and may call other programs and send what the
// sheet holds elsewhere; so text that does gets a ' in front, which says that it is text
// (OWASP, CSV Injection: https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay as they are.
//
// What is to be read back by programs, byte for byte, is written as JSON instead. It
// must not import any other package of this module.
package sheet

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Writer writes rows of CSV. Errors stay and come with [Writer.Error].
type Writer struct {
	csv   *csv.Writer
	cells []string
}

// NewWriter writes to w, which gets its rows at the latest with [Writer.Flush].
func NewWriter(w io.Writer) *Writer { return &Writer{csv: csv.NewWriter(w)} }

// Write writes a row.
func (w *Writer) Write(row []string) error {
	w.cells = w.cells[:0]
	for _, cell := range row {
		w.cells = append(w.cells, Cell(cell))
	}
	return w.csv.Write(w.cells)
}

// WriteAll writes rows, and flushes.
func (w *Writer) WriteAll(rows [][]string) error {
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// Flush hands on what is written.
func (w *Writer) Flush() { w.csv.Flush() }

// Error gives what has failed so far.
func (w *Writer) Error() error { return w.csv.Error() }

// formula are the beginnings of a cell that a spreadsheet takes for one of a formula, or of a second cell.
const formula = "=+-@\t\r\n＝＋－＠"

// Cell is a text as it stands in a cell.
func Cell(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); !strings.ContainsRune(formula, first) || isNumber(text) {
		return text
	}
	return "'" + text
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}
