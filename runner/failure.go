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
	FailureCrash   = "crash"   // the process died, or a fault of ours ended the trial: a signal, a panic, an exit without a word
	FailureStalled = "stalled" // the process made no progress for too long
	FailureDisk    = "disk"    // a checkpoint, the log or the database could not be written, whatever the reason
	FailureData    = "data"    // the data were not those that the run was planned for
	FailureCache   = "cache"   // features were missing or damaged, which the next run of the study computes anew
	FailureLoss    = "loss"    // the loss or the gradient became NaN or infinite
	FailureError   = "error"   // anything else that the trial reported
)

// ErrDisk is returned when a trial failed because what is kept of it could not be written: the study ends, since the other
// trials would fail of the same.
var ErrDisk = errors.New("the study stops before its other trials fail the same way; fix the cause (space, quota, disk, " +
	"folder, permissions), then run again to resume")

// Retryable reports whether running the trial again can mend a kind of failure. The others would
// only happen again, until their cause is mended.
func Retryable(failure string) bool {
	return failure == FailureCrash || failure == FailureStalled || failure == FailureDisk || failure == FailureCache
}

// failureOf tells which kind of failure an error of a trial is.
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

// isDisk reports whether an error is the disk's: whatever keeps a checkpoint, the log or the
// database from being written, or a checkpoint from being read, and whatever names the disk by
// itself.
func isDisk(err error) bool {
	return errors.As(err, new(*atomicfile.WriteError)) || errors.As(err, new(*store.FileError)) || errors.As(err, new(*unreadableError)) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// lossError is a loss that is not a number.
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
	return fmt.Sprintf("run %s: the loss is %v at epoch %d, %s; lower the learning rate or clip the gradient",
		e.run, e.loss, e.epoch, where)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

const (
	tailLines = 12        // kept of a failed trial's log
	tailBytes = 256 << 10 // read of it
	lineBytes = 500       // kept of a line
	logLines  = 100       // that LogTail gives
)

// headlines begin the lines with which a dying process says why, before it
// lists where every thread was and what was in the registers.
var headlines = []string{
	"panic: ", "fatal error: ", "unexpected fault", "terminate called",
	"SIGSEGV: ", "SIGBUS: ", "SIGABRT: ", "SIGILL: ", "SIGFPE: ", "SIGTRAP: ",
}

// tail returns the last lines of a log that were written after offset. Where a
// process said why it died, they are the lines around that, and headline is the
// first of those that say it. What looks like a secret is taken out.
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

// lastLines reads the last lines of a file that were written after offset.
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
		lines = lines[1:] // its beginning is missing
	}
	return lines, nil
}

// LogTail returns the end of a log, without what looks like a secret.
func LogTail(path string) (string, error) {
	lines, err := lastLines(path, 0)
	return secret.Redact(strings.Join(lines[max(0, len(lines)-logLines):], "\n")), err
}

func isHeadline(line string) bool {
	line = strings.TrimSpace(line)
	return slices.ContainsFunc(headlines, func(start string) bool { return strings.HasPrefix(line, start) })
}

// withLog adds the last lines of a trial's log to a cause, unless they say no
// more than the cause does. The log is named as it lies beside the database,
// which may be published.
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
