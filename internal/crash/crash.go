// Package crash turns panics into errors that say what broke and where, so that a fault in this program costs one picture,
// one trial or one command, and says how to report it.
//
// It must not import any other package of this module.
package crash

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
)

// Error is a panic, as an error.
type Error struct {
	Value any    // what was panicked with
	Where string // function, file and line, "" where they are not known
	Stack []byte // of the goroutine, as runtime/debug writes it
}

// Error implements error.
func (e *Error) Error() string {
	message := fmt.Sprintf("a fault in this program, not in its use: %v", e.Value)
	if e.Where != "" {
		message += ", in " + e.Where
	}
	return message
}

// Unwrap gives what was panicked with, where that was an error.
func (e *Error) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Recover, deferred, ends a panic of its goroutine and puts it into *err.
func Recover(err *error) {
	if value := recover(); value != nil {
		*err = caught(value)
	}
}

// caught makes an error of a panic that a deferred function recovered from. One that was raised again keeps its place.
func caught(value any) *Error {
	if again, ok := value.(*Error); ok {
		return again
	}
	return &Error{value, where(), debug.Stack()}
}

// where names the place of the panic: the first frame below the runtime's.
func where() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for raised := false; ; {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if raised && !inRuntime {
			return fmt.Sprintf("%s (%s:%d)", frame.Function, filepath.Base(frame.File), frame.Line)
		}
		raised = raised || frame.Function == "runtime.gopanic"
		if !more {
			return ""
		}
	}
}

// Workers are goroutines that one other waits for. A panic in one of them is raised again there, where it can be recovered
// from: elsewhere it would end the process.
type Workers struct {
	all   sync.WaitGroup
	first atomic.Pointer[Error]
}

// Go calls f in a goroutine of its own.
func (w *Workers) Go(f func()) {
	w.all.Go(func() {
		defer func() {
			if value := recover(); value != nil {
				w.first.CompareAndSwap(nil, caught(value))
			}
		}()
		f()
	})
}

// Wait waits until all have ended. It panics with the first panic of theirs, an *Error, if there was one.
func (w *Workers) Wait() {
	w.all.Wait()
	if err := w.first.Load(); err != nil {
		panic(err)
	}
}
