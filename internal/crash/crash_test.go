package crash

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"
)

func breaks(list []int) int { return list[len(list)] }

func TestRecover(t *testing.T) {
	call := func(f func()) (err error) {
		defer Recover(&err)
		f()
		return nil
	}
	if err := call(func() {}); err != nil {
		t.Errorf("no panic gave %v", err)
	}
	err := call(func() { breaks(nil) })
	var fault *Error
	var cause runtime.Error
	if !errors.As(err, &fault) || !errors.As(err, &cause) {
		t.Fatalf("%v is no fault with its cause", err)
	}
	for _, part := range []string{"a fault in this program", "index out of range", "crash.breaks (crash_test.go:11)"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
	if !strings.Contains(string(fault.Stack), "crash.breaks(") {
		t.Errorf("the stack lacks where it broke:\n%s", fault.Stack)
	}
	if err := call(func() { panic(fs.ErrClosed) }); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v is not what was panicked with", err)
	}
}

// A panic of a worker reaches who waits, with the place where it was raised.
func TestWorkers(t *testing.T) {
	wait := func(works ...func()) (err error) {
		defer Recover(&err)
		var w Workers
		for _, work := range works {
			w.Go(work)
		}
		w.Wait()
		return nil
	}
	done := false
	err := wait(func() { breaks(nil) }, func() { done = true })
	if err == nil || !strings.Contains(err.Error(), "crash.breaks (crash_test.go:11)") || !done {
		t.Errorf("error %v, the other worker done: %v", err, done)
	}
	if err := wait(func() {}); err != nil {
		t.Errorf("no panic gave %v", err)
	}
}
