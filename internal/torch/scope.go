package torch

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
)

// ErrOutOfMemory is wrapped by the error of an operation for which the device
// had too little memory.
var ErrOutOfMemory = errors.New("out of memory")

// Scope owns the tensors made through it and frees them when it ends. It keeps the first error of
// an operation; see the package comment.
type Scope struct {
	owned []*Tensor
	err   error
}

// Run calls f with a new scope, on a goroutine locked to its thread, and frees
// the scope's tensors at the end. It returns f's error, or else the scope's.
func Run(f func(s *Scope) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	adoptThreads()
	return (&Scope{}).run(f)
}

// Do runs f in a scope within s, so that what f makes is freed before s ends.
// A failed s does not run f.
func (s *Scope) Do(f func(s *Scope) error) error {
	if s.err != nil {
		return s.err
	}
	return (&Scope{}).run(f)
}

func (s *Scope) run(f func(s *Scope) error) error {
	defer s.free()
	if err := f(s); err != nil {
		return err
	}
	return s.err
}

// Err returns the first error of an operation of this scope.
func (s *Scope) Err() error { return s.err }

// Keep removes t from the scope and returns it; the caller must free it.
func (s *Scope) Keep(t *Tensor) *Tensor {
	for i := len(s.owned) - 1; i >= 0; i-- {
		if s.owned[i] == t {
			s.owned = append(s.owned[:i], s.owned[i+1:]...)
			break
		}
	}
	return t
}

func (s *Scope) free() {
	for _, t := range s.owned {
		t.Free()
	}
	s.owned = nil
}

// op runs one operation that gives one tensor. It does nothing when the scope
// has failed or an operand is empty.
func (s *Scope) op(name string, f func(out *lib.Ctensor), operands ...*Tensor) *Tensor {
	t := &Tensor{}
	if !s.ready(name, operands) {
		return t
	}
	f(&t.c)
	s.adopt(name, t, operands)
	return t
}

// op2 is op for operations that give two tensors.
func (s *Scope) op2(name string, f func(out *lib.Ctensor), operands ...*Tensor) (*Tensor, *Tensor) {
	a, b := &Tensor{}, &Tensor{}
	if !s.ready(name, operands) {
		return a, b
	}
	var out [2]lib.Ctensor
	f(&out[0])
	a.c, b.c = out[0], out[1]
	s.adopt(name, a, operands)
	s.adopt(name, b, operands)
	return a, b
}

// ready reports whether an operation can run: the scope has not failed and no operand is empty.
func (s *Scope) ready(name string, operands []*Tensor) bool {
	if s.err != nil {
		return false
	}
	for i, t := range operands {
		if t == nil || t.c == nil {
			s.fail(fmt.Errorf("torch: %s: operand %d is empty (freed, or never made)", name, i+1))
			return false
		}
	}
	return true
}

// adopt adds a fresh tensor to the scope, or records the exception that prevented it.
func (s *Scope) adopt(name string, t *Tensor, operands []*Tensor) {
	if t.c == nil {
		s.fail(exception(name, operands))
		return
	}
	s.owned = append(s.owned, t)
}

// check takes over the exception, if any, of an operation that gives no tensor.
func (s *Scope) check(name string, operands ...*Tensor) {
	if p := lib.GetAndResetLastErr(); p != nil {
		s.fail(translate(name, takeString(unsafe.Pointer(p)), operands))
	}
}

func (s *Scope) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// exception fetches the C++ exception of the operation that has just failed.
func exception(name string, operands []*Tensor) error {
	message := "no result and no exception"
	if p := lib.GetAndResetLastErr(); p != nil {
		message = takeString(unsafe.Pointer(p))
	}
	return translate(name, message, operands)
}

// translate returns a Go error for a C++ exception: its first lines, without the stack trace, and
// the shapes of the operands.
func translate(name, message string, operands []*Tensor) error {
	if i := strings.Index(message, "\nException raised from"); i >= 0 {
		message = message[:i]
	}
	message = strings.TrimSpace(message)
	shapes := make([]string, len(operands))
	for i, t := range operands {
		shapes[i] = fmt.Sprint(t.Shape())
	}
	err := fmt.Errorf("torch: %s(%s): %s", name, strings.Join(shapes, ", "), message)
	if strings.Contains(message, "can't allocate memory") || strings.Contains(message, "out of memory") {
		return fmt.Errorf("%w: %w", ErrOutOfMemory, err)
	}
	return err
}
