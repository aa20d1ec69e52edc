package store

import (
	"errors"
	"testing"

	"github.com/mattn/go-sqlite3"
)

// TestErrorsOfTheFile holds which of SQLite's errors are the file's: all that are not known to be of something else.
func TestErrorsOfTheFile(t *testing.T) {
	for code, want := range map[sqlite3.ErrNo]bool{
		sqlite3.ErrFull: true, sqlite3.ErrIoErr: true, sqlite3.ErrReadonly: true, sqlite3.ErrPerm: true, sqlite3.ErrCantOpen: true,
		sqlite3.ErrBusy: true, sqlite3.ErrCorrupt: true, sqlite3.ErrNotADB: true, sqlite3.ErrProtocol: true, sqlite3.ErrNo(99): true,
		sqlite3.ErrError: false, sqlite3.ErrConstraint: false, sqlite3.ErrMisuse: false, sqlite3.ErrTooBig: false, sqlite3.ErrNomem: false,
	} {
		err := explain("results.db", sqlite3.Error{Code: code})
		if got := errors.As(err, new(*FileError)); got != want {
			t.Errorf("code %d, %v: the file's is %v, want %v", code, err, got, want)
		}
		if !errors.As(err, new(sqlite3.Error)) {
			t.Errorf("code %d: %v has lost its cause", code, err)
		}
	}
	if err := explain("results.db", ErrFenced); errors.As(err, new(*FileError)) || !errors.Is(err, ErrFenced) {
		t.Errorf("a claim that is lost became %v", err)
	}
}
