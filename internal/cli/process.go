package cli

import (
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

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
