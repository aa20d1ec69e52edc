package wheel

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPip(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if err := Pip(context.Background(), t.TempDir(), "x==1"); err == nil || !strings.Contains(err.Error(), "python3-pip") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("fails", func(t *testing.T) {
		bin := t.TempDir()
		script := "#!/bin/sh\ncase \"$*\" in *--version*) exit 0;; esac\necho starting\necho 'ERROR: no such package at https://me:hunter2-pass@index/simple' >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(bin, "pip3"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin)
		err := Pip(context.Background(), t.TempDir(), "x==1")
		if err == nil || !strings.Contains(err.Error(), "pip download x==1: exit status 1: starting / ERROR: no such package at https://index/simple") {
			t.Errorf("got %v", err)
		}
	})
}
