package runner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"glimpse/internal/store"
)

// The kinds of failure, as stored in a run.
const (
	FailureCrash   = "crash"   // the process died: a signal, an exit without a word
	FailureStalled = "stalled" // the process made no progress for too long
	FailureDisk    = "disk"    // a file or the database could not be written
	FailureLoss    = "loss"    // the loss became NaN or infinite
	FailureError   = "error"   // anything else that the trial reported
)

// Retryable tells whether running the trial again can mend a kind of failure.
// The others would only happen again, until their cause is mended.
func Retryable(failure string) bool {
	return failure == FailureCrash || failure == FailureStalled || failure == FailureDisk
}

// failureOf tells which kind of failure an error of a trial is.
func failureOf(err error) string {
	var loss *lossError
	if errors.As(err, &loss) {
		return FailureLoss
	}
	for _, cause := range []error{store.ErrDiskFull, store.ErrLocked, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		if errors.Is(err, cause) {
			return FailureDisk
		}
	}
	return FailureError
}

// tailLines and tailBytes bound what is kept of a failed trial's log.
const (
	tailLines = 12
	tailBytes = 4 << 10
)

// tail returns the last lines of a log that were written after offset.
func tail(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	cut := size-offset > tailBytes
	if cut {
		offset = size - tailBytes
	}
	raw := make([]byte, max(0, size-offset))
	n, _ := f.ReadAt(raw, offset)
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(raw[:n]), "?")), "\n")
	if cut {
		lines = lines[1:] // its beginning is missing
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// withLog adds the last lines of a log to a cause.
func withLog(cause, path string, offset int64) string {
	lines := tail(path, offset)
	if lines == "" {
		return cause
	}
	return fmt.Sprintf("%s\nlast lines of %s:\n%s", cause, path, lines)
}
