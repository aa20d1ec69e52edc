//go:build !linux || !amd64

package faults

import (
	"errors"
	"os/exec"
	"runtime"
)

// Supported returns nil where Run works, else why it does not.
func Supported() error {
	return errors.New("faults are made on Linux on amd64 alone, not on " + runtime.GOOS + " on " + runtime.GOARCH)
}

// Run runs a command to its end, where that is supported.
func Run(*exec.Cmd, string, Fault) (Result, error) { return Result{}, Supported() }
