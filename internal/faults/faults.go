// Package faults runs a program and lets one of its writes to files fail, as a
// full disk, a broken one or a quota makes them fail: the n-th of all that the
// program and its children do below a folder, for every n, one run after the
// other. It is for tests, and imports none of the project's packages.
//
// It takes a command and gives how many writes there were, which one was
// struck, and how the program ended. It stops the program at each system call
// (ptrace), so that writes of Go, which knows no library to replace, and of SQLite
// are struck alike. Where that cannot be had, [Supported] says why.
package faults

import (
	"syscall"
	"time"
)

// Fault says which write fails, and how.
type Fault struct {
	At      int           // the number of the write, from 1; 0 lets all succeed
	Error   syscall.Errno // what it fails with
	Short   bool          // half of the bytes are written first, where there are bytes
	Lasting bool          // all writes after it fail too, as on a disk that stays full
}

// Result is what happened.
type Result struct {
	Writes int    // writes that were seen
	Struck string // the first that failed: system call and file; empty if none did
	Code   int    // exit code of the program, -1 if a signal ended it
}

// patience is how long a program may run before it is killed.
const patience = 2 * time.Minute
