package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mattn/go-sqlite3"
)

var (
	// ErrNotFound is returned for a run or study that the database lacks.
	ErrNotFound = errors.New("not found")
	// ErrTaken is returned by [DB.Claim] if the run has changed since it was read: another
	// process claimed it, or its holder sent a heartbeat.
	ErrTaken = errors.New("the run was claimed by another process or changed meanwhile")
	// ErrFenced is returned to a writer whose claim is no longer the current one.
	ErrFenced = errors.New("the claim is no longer held: the run was taken over or has ended")
	// ErrReadOnly is returned by methods that write to a database that is opened or stored
	// read-only.
	ErrReadOnly = errors.New("the results database is read-only")
	// ErrNotResults is returned for a file that is not a results database.
	ErrNotResults = errors.New("not a results database of glimpse")
	// ErrNewer is returned for a schema that this program does not know.
	ErrNewer = errors.New("the results database was written by a newer glimpse")
	// ErrNetwork is returned for a file on a filesystem where SQLite's log cannot be shared.
	ErrNetwork = errors.New("the results database is on a network filesystem")
	// ErrDamaged is returned for a file that fails SQLite's checks.
	ErrDamaged = errors.New("the results database is damaged")
	// ErrDiskFull is returned when there is no space left to write to.
	ErrDiskFull = errors.New("no space left for the results database")
	// ErrDisk is returned when the disk fails.
	ErrDisk = errors.New("the disk of the results database failed")
	// ErrMoved is returned when the file at the database's path is no longer the open one.
	ErrMoved = errors.New("the results database was moved or deleted while in use")
	// ErrLocked is returned when another process kept the file locked for too long.
	ErrLocked = errors.New("the results database is locked by another process")
)

// AmbiguousError is returned for a prefix that several runs share.
type AmbiguousError struct {
	Prefix     string
	Candidates []string // ids, sorted; at most ten
	Total      int
}

// Error lists the candidates.
func (e *AmbiguousError) Error() string {
	more := ""
	if n := e.Total - len(e.Candidates); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%q matches %d runs: %s%s; type more of the ID", e.Prefix, e.Total, strings.Join(e.Candidates, ", "), more)
}

// FileError is an error of the database's file or its disk, as opposed to a wrong query. It wraps
// the reason, such as [ErrDiskFull].
type FileError struct{ err error }

func (e *FileError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.err }

// OtherError is an error of opening or reading the other file from which [DB.Take] takes a run. The
// database itself is not at fault.
type OtherError struct {
	Path string // of the other file
	err  error
}

func (e *OtherError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *OtherError) Unwrap() error { return e.err }

// askedWrong are SQLite's codes for errors of a statement or of this process. All others are
// errors of the file (https://www.sqlite.org/rescode.html).
var askedWrong = []sqlite3.ErrNo{
	sqlite3.ErrError, sqlite3.ErrInternal, sqlite3.ErrAbort, sqlite3.ErrNomem, sqlite3.ErrInterrupt, sqlite3.ErrSchema,
	sqlite3.ErrTooBig, sqlite3.ErrConstraint, sqlite3.ErrMismatch, sqlite3.ErrMisuse, sqlite3.ErrAuth, sqlite3.ErrRange,
}

// explain adds to an error of SQLite the file and what to do, and wraps an error of the file in a
// *FileError. Other errors pass unchanged.
func explain(path string, err error) error {
	var failure sqlite3.Error
	if err == nil || !errors.As(err, &failure) {
		return err
	}
	if err = describe(path, failure.Code, err); slices.Contains(askedWrong, failure.Code) {
		return err
	}
	return &FileError{err}
}

func describe(path string, code sqlite3.ErrNo, err error) error {
	var kind error
	var advice string
	switch code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		kind, advice = ErrLocked, "find the process that holds it (fuser, lsof), or try again later"
	case sqlite3.ErrNotADB:
		kind, advice = ErrNotResults, "use another --db"
	case sqlite3.ErrCorrupt:
		kind, advice = ErrDamaged, "restore a backup, or use another --db"
	case sqlite3.ErrFull:
		kind, advice = ErrDiskFull, "free some space and run again; recorded results are kept"
	case sqlite3.ErrIoErr:
		kind, advice = ErrDisk, "look for the cause in the system log (dmesg), then run again; recorded results are kept"
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		kind, advice = ErrReadOnly, "get write permission on the file and its directory, or use another --db"
	case sqlite3.ErrCantOpen:
		return fmt.Errorf("%s: cannot open the results database: check that its directory exists and that you can read and write there: %w", path, err)
	default:
		return fmt.Errorf("%s: results database: %w", path, err)
	}
	return fmt.Errorf("%s: %w (%w): %s", path, kind, err, advice)
}

// isSQL reports whether an error comes from a statement that does not fit the schema, rather than
// from the file.
func isSQL(err error) bool {
	var failure sqlite3.Error
	return !errors.As(err, &failure) || failure.Code == sqlite3.ErrError
}
