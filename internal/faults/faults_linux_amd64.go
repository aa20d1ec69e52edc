package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	waitAll      = 0x40000000 // __WALL: threads as well as children
	waitOwn      = 0x20000000 // __WNOTHREAD: only children of this thread, since other tests have children too
	exitKill     = 0x00100000 // PTRACE_O_EXITKILL: a killed test leaves no stopped processes
	syscallStop  = syscall.SIGTRAP | 0x80
	traceOptions = syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACEFORK |
		syscall.PTRACE_O_TRACEVFORK | syscall.PTRACE_O_TRACEEXEC | exitKill
)

// writes are the system calls that write: how to find their file, and whether they have a number
// of bytes that can be cut.
var writes = map[uint64]struct {
	name string
	file func(tid int, r *syscall.PtraceRegs) string
	cuts bool
}{
	syscall.SYS_WRITE:     {"write", descriptor, true},
	syscall.SYS_PWRITE64:  {"pwrite64", descriptor, true},
	syscall.SYS_WRITEV:    {"writev", descriptor, false},
	syscall.SYS_FSYNC:     {"fsync", descriptor, false},
	syscall.SYS_FDATASYNC: {"fdatasync", descriptor, false},
	syscall.SYS_FTRUNCATE: {"ftruncate", descriptor, false},
	syscall.SYS_FALLOCATE: {"fallocate", descriptor, false},
	syscall.SYS_OPEN:      {"open", created, false},
	syscall.SYS_OPENAT:    {"openat", created, false},
	syscall.SYS_RENAME:    {"rename", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.Rsi) }, false},
	syscall.SYS_RENAMEAT:  {"renameat", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.R10) }, false},
	316:                   {"renameat2", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.R10) }, false},
	syscall.SYS_LINKAT:    {"linkat", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.R10) }, false},
	syscall.SYS_MKDIR:     {"mkdir", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.Rdi) }, false},
	syscall.SYS_MKDIRAT:   {"mkdirat", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.Rsi) }, false},
	syscall.SYS_UNLINK:    {"unlink", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.Rdi) }, false},
	syscall.SYS_UNLINKAT:  {"unlinkat", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.Rsi) }, false},
	syscall.SYS_FCHMODAT:  {"fchmodat", func(tid int, r *syscall.PtraceRegs) string { return path(tid, r.Rsi) }, false},
	syscall.SYS_FCHMOD:    {"fchmod", descriptor, false},
}

// descriptor returns the file of the descriptor in the first argument.
func descriptor(tid int, r *syscall.PtraceRegs) string {
	file, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(r.Rdi)))
	return strings.TrimSuffix(file, " (deleted)")
}

// created returns the file that is opened, if the call may create it.
func created(tid int, r *syscall.PtraceRegs) string {
	name, flags := r.Rsi, r.Rdx
	if r.Orig_rax == syscall.SYS_OPEN {
		name, flags = r.Rdi, r.Rsi
	}
	if flags&syscall.O_CREAT == 0 {
		return ""
	}
	return path(tid, name)
}

// path reads a path from the memory of a program.
func path(tid int, address uint64) string {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", tid))
	if err != nil {
		return ""
	}
	defer func() { _ = memory.Close() }()
	text := make([]byte, 4096)
	n, _ := memory.ReadAt(text, int64(address)) // short at the end of a page
	text, _, _ = bytes.Cut(text[:n], []byte{0})
	return string(text)
}

// Supported returns nil if Run works here, else an error that says why not.
func Supported() error {
	_, err := Run(exec.Command("/bin/true"), "/nowhere", Fault{})
	return err
}

// Run runs a command and its children to the end, and makes a file write below a folder fail as
// fault says. The command must not have been started, and its output, if any, must go to files.
func Run(cmd *exec.Cmd, below string, fault Fault) (Result, error) {
	runtime.LockOSThread() // ptrace works between threads
	defer runtime.UnlockOSThread()
	below, err := filepath.EvalSymlinks(below)
	if err != nil && fault.At > 0 {
		return Result{}, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return Result{}, fmt.Errorf("cannot trace processes here: %w", err)
	}
	pid := cmd.Process.Pid
	defer func() { _ = cmd.Process.Release() }()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, waitAll, nil); err != nil || !status.Stopped() {
		return Result{}, fmt.Errorf("wait for the program to start: %w, %v", err, status)
	}
	if err := errors.Join(syscall.PtraceSetOptions(pid, traceOptions), syscall.PtraceSyscall(pid, 0)); err != nil {
		_ = cmd.Process.Kill()
		return Result{}, fmt.Errorf("cannot trace processes here: %w", err)
	}
	killer := time.AfterFunc(patience, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	defer killer.Stop()
	t := tracer{below: below + "/", fault: fault, inside: map[int]bool{}, failing: map[int]bool{}}
	for {
		tid, err := syscall.Wait4(-1, &status, waitAll|waitOwn, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ECHILD):
			return t.result, nil
		case err != nil:
			return t.result, fmt.Errorf("wait for traced processes: %w", err)
		case status.Stopped():
			_ = syscall.PtraceSyscall(tid, t.stopped(tid, status)) // it fails if the thread was killed meanwhile
		case tid == pid && status.Signaled():
			t.result.Code = -1
		case tid == pid:
			t.result.Code = status.ExitStatus()
		}
	}
}

// tracer follows the threads of a program.
type tracer struct {
	below   string
	fault   Fault
	result  Result
	inside  map[int]bool // threads inside a system call
	failing map[int]bool // threads whose system call was suppressed
}

// stopped handles a stopped thread and returns the signal to continue it with.
func (t *tracer) stopped(tid int, status syscall.WaitStatus) int {
	signal := status.StopSignal()
	_, known := t.inside[tid]
	switch {
	case signal == syscallStop:
		t.inside[tid] = !t.inside[tid]
		if t.inside[tid] {
			t.enter(tid)
		} else if t.failing[tid] {
			t.leave(tid)
		}
		return 0
	case signal == syscall.SIGTRAP:
		return 0 // a thread, a child or a program starts
	case signal == syscall.SIGSTOP && !known:
		t.inside[tid] = false // so does each thread at first
		return 0
	}
	return int(signal)
}

// enter makes a system call fail at its start, if it is its turn.
func (t *tracer) enter(tid int) {
	var registers syscall.PtraceRegs
	if syscall.PtraceGetRegs(tid, &registers) != nil {
		return
	}
	call, known := writes[registers.Orig_rax]
	if !known {
		return
	}
	file := call.file(tid, &registers)
	if !strings.HasPrefix(file, t.below) {
		return
	}
	t.result.Writes++
	at := t.result.Writes
	if t.fault.At == 0 || at < t.fault.At || at > t.fault.At && !t.fault.Lasting {
		return
	}
	if at == t.fault.At {
		t.result.Struck = call.name + " " + strings.TrimPrefix(file, t.below)
	}
	if at == t.fault.At && t.fault.Short && call.cuts && registers.Rdx > 1 {
		registers.Rdx /= 2
	} else {
		registers.Orig_rax = ^uint64(0) // no system call
		t.failing[tid] = true
	}
	_ = syscall.PtraceSetRegs(tid, &registers)
}

// leave makes a suppressed system call return the error.
func (t *tracer) leave(tid int) {
	delete(t.failing, tid)
	var registers syscall.PtraceRegs
	if syscall.PtraceGetRegs(tid, &registers) != nil {
		return
	}
	registers.Rax = -uint64(t.fault.Error)
	_ = syscall.PtraceSetRegs(tid, &registers)
}
