package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"glimpse/internal/secret"
)

// CommandLine returns this process's command line, quoted for a shell, for the record. What looks
// like a secret is removed.
func CommandLine() string {
	words := []string{"glimpse"}
	for _, arg := range os.Args[1:] {
		words = append(words, Quote(arg))
	}
	return secret.Redact(strings.Join(words, " "))
}

// Quote quotes a word for a shell.
func Quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// abortOnCrash makes Go end the process with SIGABRT at an unrecovered panic or a fault in native
// code. By default Go exits with 2, which is the exit code for wrong usage. Core dumps are
// disabled, as they are by default in Go.
func abortOnCrash() {
	if os.Getenv("GOTRACEBACK") != "" {
		return
	}
	debug.SetTraceback("crash")
	var core syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &core) == nil {
		core.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &core)
	}
}

// grace is how long an interrupted verb may take to end by itself.
const grace = 500 * time.Millisecond

// ending ends an interrupted process when grace is over, wherever it is: in a loop of statistics,
// or in a system call that waits for the other end of a pipe. Nothing is lost: the database is
// written in transactions, files appear completely or not at all, and the next writer removes
// partial ones. Verbs that have training to save are given the time to do so.
type ending struct {
	cancel context.CancelFunc
	mu     sync.Mutex
	saves  bool
}

// endingKey is the key of the process's ending in its command's context.
type endingKey struct{}

// now ends the process unless its verb saves first.
func (e *ending) now() {
	e.mu.Lock() // never unlocked if the process ends here: a verb that is about to save is too late
	if e.saves {
		e.mu.Unlock()
		return
	}
	fmt.Fprintln(os.Stderr, "glimpse: interrupted")
	os.Exit(ExitInterrupted)
}

// SavesFirst declares that from now on the verb has something to save: when the context of its
// command ends, it ends by itself, however long that takes. saved revokes this, unless the
// context has ended by then: the verb then still has time to report what it did.
func SavesFirst(ctx context.Context) (saved func()) {
	e, ok := ctx.Value(endingKey{}).(*ending)
	if !ok {
		return func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.saves = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.saves = ctx.Err() != nil
	}
}

// Interrupt acts like Ctrl-C. In tests, which must not end the process, it does nothing.
func Interrupt(ctx context.Context) {
	if e, ok := ctx.Value(endingKey{}).(*ending); ok {
		e.cancel()
	}
}

// OnCheckpoint returns a channel that receives each SIGUSR1, which requests a checkpoint.
func OnCheckpoint() (asked <-chan os.Signal, release func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	return signals, func() { signal.Stop(signals) }
}

// OnSecondStop returns a channel that is closed at the second Ctrl-C or SIGTERM. The first one
// ends the context.
func OnSecondStop() (kill <-chan struct{}, release func()) {
	signals, second, done := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range 2 {
			select {
			case <-signals:
			case <-done:
				return
			}
		}
		close(second)
	}()
	return second, func() {
		signal.Stop(signals)
		close(done)
	}
}
