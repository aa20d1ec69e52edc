package runner

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/crash"
	"glimpse/internal/secret"
	"glimpse/internal/store"
)

// The kinds of failure, as stored in a run.
const (
	FailureCrash   = "crash"   // the process crashed: a signal, a panic, or an exit without a message
	FailureStalled = "stalled" // the process made no progress for too long
	FailureDisk    = "disk"    // a checkpoint, the log or the database could not be written, for any reason
	FailureData    = "data"    // the data differed from those the run was planned for
	FailureCache   = "cache"   // features were missing or damaged; the next run of the study computes them again
	FailureLoss    = "loss"    // the loss or the gradient became NaN or infinite
	FailureError   = "error"   // anything else that the trial reported
)

// ErrDisk is returned if a trial failed because its results could not be written. The study ends,
// since the other trials would fail the same way.
var ErrDisk = errors.New("the study stops before its other trials fail the same way; fix the cause (space, quota, disk, " +
	"folder, permissions), then run again to resume")

// ErrInterrupted is returned if a trial, or a study, was stopped early and can be resumed.
var ErrInterrupted = errors.New("interrupted; run again to resume")

// Retryable reports whether a trial with this kind of failure may succeed if it is run again.
// Other kinds would only recur until their cause is fixed.
func Retryable(failure string) bool {
	return failure == FailureCrash || failure == FailureStalled || failure == FailureDisk || failure == FailureCache
}

// failureOf returns the kind of failure of a trial's error.
func failureOf(err error) string {
	var loss *lossError
	if errors.As(err, &loss) || errors.Is(err, data.ErrDiverged) {
		return FailureLoss
	}
	if errors.As(err, new(*crash.Error)) {
		return FailureCrash
	}
	if errors.As(err, new(*DataError)) || errors.As(err, new(*FeaturesError)) || errors.Is(err, data.ErrPrecomputedChanged) {
		return FailureData
	}
	if errors.Is(err, data.ErrFeatures) {
		return FailureCache
	}
	if isDisk(err) {
		return FailureDisk
	}
	return FailureError
}

// isDisk reports whether an error is the disk's: anything that prevents writing a checkpoint, the
// log or the database, or reading a checkpoint, and errors that name the disk.
func isDisk(err error) bool {
	return errors.As(err, new(*atomicfile.WriteError)) || errors.As(err, new(*store.FileError)) || errors.As(err, new(*unreadableError)) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// lossError is the error of a loss that is not finite.
type lossError struct {
	run         string
	epoch, step int // step 0: the mean of the epoch
	loss        float64
}

func (e *lossError) Error() string {
	where := fmt.Sprintf("step %d", e.step)
	if e.step == 0 {
		where = "mean"
	}
	return fmt.Sprintf("run %s: the loss is %v at epoch %d, %s: lower the learning rate or clip the gradient",
		e.run, e.loss, e.epoch, where)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

const (
	tailLines = 12        // stored from a failed trial's log
	tailBytes = 256 << 10 // read from it
	lineBytes = 500       // stored per line
	logLines  = 100       // returned by LogTail
)

// headlines start the lines in which a crashing process gives the reason, before it lists threads
// and registers.
var headlines = []string{
	"panic: ", "fatal error: ", "unexpected fault", "terminate called",
	"SIGSEGV: ", "SIGBUS: ", "SIGABRT: ", "SIGILL: ", "SIGFPE: ", "SIGTRAP: ",
}

// tail returns the last lines of a log after offset. If a process printed why it crashed, it
// returns the lines around that, and the first such line as headline. Anything that looks like a
// secret is removed.
func tail(path string, offset int64) (text, headline string) {
	lines, err := lastLines(path, offset)
	if err != nil {
		return "", ""
	}
	for i, line := range lines {
		lines[i] = strings.ToValidUTF8(line[:min(len(line), lineBytes)], "")
	}
	from := max(0, len(lines)-tailLines)
	if at := slices.IndexFunc(lines, isHeadline); at >= 0 {
		from, headline = max(0, at-tailLines/3), strings.TrimSpace(lines[at])
	}
	lines = lines[from:min(len(lines), from+tailLines)]
	return secret.Redact(strings.Join(lines, "\n")), secret.Redact(headline)
}

// lastLines reads the last lines of a file after offset.
func lastLines(path string, offset int64) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	cut := info.Size()-offset > tailBytes
	if cut {
		offset = info.Size() - tailBytes
	}
	raw := make([]byte, max(0, info.Size()-offset))
	n, _ := f.ReadAt(raw, offset)
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(raw[:n]), "?")), "\n")
	if cut {
		lines = lines[1:] // its start is missing
	}
	return lines, nil
}

// LogTail returns the end of a log, without anything that looks like a secret.
func LogTail(path string) (string, error) {
	lines, err := lastLines(path, 0)
	return secret.Redact(strings.Join(lines[max(0, len(lines)-logLines):], "\n")), err
}

func isHeadline(line string) bool {
	line = strings.TrimSpace(line)
	return slices.ContainsFunc(headlines, func(start string) bool { return strings.HasPrefix(line, start) })
}

// withLog appends the last lines of a trial's log to a cause, unless they add nothing. It names
// the log by its path relative to the database, which may be published.
func withLog(cause, path string, offset int64) string {
	lines, _ := tail(path, offset)
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
