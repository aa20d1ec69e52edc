package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"glimpse/data"
	"glimpse/internal/store"
)

// The kinds of failure, as stored in a run.
const (
	FailureCrash   = "crash"   // the process died: a signal, an exit without a word
	FailureStalled = "stalled" // the process made no progress for too long
	FailureDisk    = "disk"    // a file or the database could not be written
	FailureLoss    = "loss"    // the loss or the gradient became NaN or infinite
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
	if errors.As(err, &loss) || errors.Is(err, data.ErrDiverged) {
		return FailureLoss
	}
	for _, cause := range []error{store.ErrDiskFull, store.ErrDisk, store.ErrLocked, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		if errors.Is(err, cause) {
			return FailureDisk
		}
	}
	return FailureError
}

const (
	tailLines = 12        // kept of a failed trial's log
	tailBytes = 256 << 10 // read of it
	lineBytes = 500       // kept of a line
)

// headlines begin the lines with which a dying process says why, before it
// lists where every thread was.
var headlines = []string{"panic:", "fatal error:", "SIG", "unexpected fault", "terminate called", "what():"}

// tail returns the last lines of a log that were written after offset, and
// before them those that say why the process died.
func tail(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	cut := info.Size()-offset > tailBytes
	if cut {
		offset = info.Size() - tailBytes
	}
	raw := make([]byte, max(0, info.Size()-offset))
	n, _ := f.ReadAt(raw, offset)
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(raw[:n]), "?")), "\n")
	if cut {
		lines = lines[1:] // its beginning is missing
	}
	var kept []string
	for i, line := range lines {
		line = strings.ToValidUTF8(line[:min(len(line), lineBytes)], "")
		if i >= len(lines)-tailLines || headline(line) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-2*tailLines):], "\n")
}

func headline(line string) bool {
	line = strings.TrimSpace(line)
	for _, start := range headlines {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// withLog adds the last lines of a trial's log to a cause, unless they say no
// more than the cause does. The log is named as it lies beside the database,
// which may be published.
func withLog(cause, path string, offset int64) string {
	lines := tail(path, offset)
	if at := strings.LastIndex(lines, cause); at >= 0 && at+len(cause) == len(lines) {
		lines = strings.TrimSpace(lines[:1+strings.LastIndexByte(lines[:at], '\n')])
	}
	if lines == "" {
		return cause
	}
	run := filepath.Dir(path)
	name := filepath.Join(filepath.Base(filepath.Dir(run)), filepath.Base(run), filepath.Base(path))
	return fmt.Sprintf("%s\nlast lines of %s:\n%s", cause, name, lines)
}
