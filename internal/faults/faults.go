// Package faults runs a program and makes one of its file writes fail, as a full disk, a broken
// disk or a quota would: the n-th write of the program and its children below a folder. It is for
// tests, and imports none of the project's packages.
//
// It runs a command and returns how many writes there were, which one failed, and how the program
// ended. It stops the program at each system call (ptrace): that works both for SQLite and for
// Go, whose writes do not pass through a library that could be replaced. If ptrace is not
// available, [Supported] says why.
package faults

import (
	"syscall"
	"time"
)

// Fault says which write fails, and how.
type Fault struct {
	At      int           // the number of the write, from 1; 0 lets all succeed
	Error   syscall.Errno // the error it fails with
	Short   bool          // half of its bytes, if any, are written first
	Lasting bool          // all writes after it fail too, as on a disk that stays full
}

// Result is what happened.
type Result struct {
	Writes int    // how many writes there were
	Struck string // the first that failed: system call and file; empty if none did
	Code   int    // exit code of the program; -1 if a signal ended it
}

// patience is how long a program may run before it is killed.
const patience = 2 * time.Minute
