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

// CommandLine is this process's command line, as a shell would take it, without what looks like a secret: it is recorded.
func CommandLine() string {
	words := []string{"glimpse"}
	for _, arg := range os.Args[1:] {
		words = append(words, Quote(arg))
	}
	return secret.Redact(strings.Join(words, " "))
}

// Quote writes a word as a shell reads it.
func Quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// abortOnCrash has Go end the process by SIGABRT where it cannot go on: at a panic that nothing recovers from, or a fault in
// native code. Go would exit with 2, which is the code of wrong usage. There is no core dump, as Go leaves none.
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

// grace is how long a verb that was told to stop may take to end by itself.
const grace = 500 * time.Millisecond

// ending ends the process, once it was told to stop and grace is over, wherever it is: in a loop of statistics, in a system
// call that waits for a pipe's other end. Nothing is lost by that: what is written to the database is written in transactions,
// files appear whole or not at all, and what is half written beside them is removed by whoever writes there next. Verbs that
// have training to save take their time.
type ending struct {
	cancel context.CancelFunc
	mu     sync.Mutex
	saves  bool
}

// endingKey is the key of the process's ending in the context of its command.
type endingKey struct{}

// now ends the process unless its verb saves first.
func (e *ending) now() {
	e.mu.Lock() // and keeps it: a verb that is about to save has come too late
	if e.saves {
		e.mu.Unlock()
		return
	}
	fmt.Fprintln(os.Stderr, "glimpse: interrupted")
	os.Exit(ExitInterrupted)
}

// SavesFirst says that from here on the verb ends by itself when the context of its command ends, however long that takes:
// it has something to save. saved takes that back, unless the context has ended by then: the verb then has the time to tell
// what it did.
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

// Interrupt does to the process what Ctrl-C does. Within a test, where no process is to end, it does nothing.
func Interrupt(ctx context.Context) {
	if e, ok := ctx.Value(endingKey{}).(*ending); ok {
		e.cancel()
	}
}

// OnCheckpoint gives a channel that tells of each SIGUSR1, which asks for a checkpoint.
func OnCheckpoint() (asked <-chan os.Signal, release func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	return signals, func() { signal.Stop(signals) }
}

// OnSecondStop gives a channel that is closed at the second Ctrl-C or SIGTERM. The first one is the context's.
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
