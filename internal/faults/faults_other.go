//go:build !linux || !amd64

package faults

import (
	"errors"
	"os/exec"
	"runtime"
)

// Supported returns an error: Run does not work here.
func Supported() error {
	return errors.New("faults are supported only on Linux on amd64, not on " + runtime.GOOS + " on " + runtime.GOARCH)
}

// Run returns the error of [Supported].
func Run(*exec.Cmd, string, Fault) (Result, error) { return Result{}, Supported() }
