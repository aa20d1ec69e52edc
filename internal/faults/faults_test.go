package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestEachWriteIsStruckInItsTurn(t *testing.T) {
	if err := Supported(); err != nil {
		t.Skip(err)
	}
	// A shell, its child, and a write elsewhere, which is not counted.
	run := func(fault Fault) (string, Result, string) {
		dir := t.TempDir()
		cmd := exec.Command("/bin/sh", "-c", `echo first > a; printf '%s' second > b; (printf '%s' third) > c; echo x > /dev/null; exit 7`)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		script := cmd.Args[2]
		for _, name := range []string{"a", "b", "c"} {
			script = strings.ReplaceAll(script, "> "+name, "> "+filepath.Join(dir, name))
		}
		cmd.Args[2] = script
		result, err := Run(cmd, dir, fault)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, name := range []string{"a", "b", "c"} {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				raw = []byte("-")
			}
			text += string(raw) + "|"
		}
		return text, result, dir
	}
	for _, c := range []struct {
		fault  Fault
		want   string
		struck string
	}{
		{Fault{}, "first\n|second|third|", ""},
		{Fault{At: 1, Error: syscall.ENOSPC}, "-|second|third|", "openat a"},
		{Fault{At: 2, Error: syscall.EIO}, "|second|third|", "write a"},
		{Fault{At: 4, Error: syscall.ENOSPC, Lasting: true}, "first\n||-|", "write b"},
		{Fault{At: 6, Error: syscall.ENOSPC, Short: true, Lasting: true}, "first\n|second|th|", "write c"},
		{Fault{At: 7, Error: syscall.EIO}, "first\n|second|third|", ""},
	} {
		text, result, _ := run(c.fault)
		if text != c.want || result.Struck != c.struck || result.Code != 7 {
			t.Errorf("%+v: %q, %+v; want %q, %q", c.fault, text, result, c.want, c.struck)
		}
		if c.fault.At == 0 && result.Writes != 6 {
			t.Errorf("%d writes, want 6", result.Writes)
		}
	}
}
