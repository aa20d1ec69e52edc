package meteordata

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/metrics/meteor"
)

// wheelOf makes a wheel of the members given and gives its bytes.
func wheelOf(t *testing.T, members ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.whl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for _, name := range members {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte("bytes of " + name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestFetch holds that METEOR's data appear in the cache whole or not at all, and that nothing is left beside them.
func TestFetch(t *testing.T) {
	good := wheelOf(t, "pycocoevalcap/meteor/meteor-1.5.jar", "pycocoevalcap/meteor/data/paraphrase-en.gz", "pycocoevalcap/eval.py")
	partial := wheelOf(t, "pycocoevalcap/meteor/meteor-1.5.jar")
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	for _, c := range []struct {
		name, sum, want string
		wheel           []byte
		err             error
	}{
		{name: "good", wheel: good, sum: sum(good)},
		{name: "other bytes", wheel: good, sum: sum(partial), want: "the download is damaged or the index serves another file"},
		{name: "a member is missing", wheel: partial, sum: sum(partial), want: "paraphrase-en.gz"},
		{name: "no zip", wheel: []byte("no zip"), sum: sum([]byte("no zip")), want: "reading pycocoevalcap.whl"},
		{name: "no wheel", want: "left 0 wheels"},
		{name: "no network", err: errors.New("no route to host"), want: "no route to host; or get that wheel by other means"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "cache")
			dir := filepath.Join(cache, "meteor")
			err := fetch(t.Context(), dir, c.sum, func(_ context.Context, into, requirement string) error {
				if requirement != "pycocoevalcap==1.2" {
					t.Errorf("asked for %s", requirement)
				}
				if c.wheel == nil {
					return c.err
				}
				return os.WriteFile(filepath.Join(into, "pycocoevalcap.whl"), c.wheel, 0o644)
			}, func(path, file string) error {
				text, err := os.ReadFile(filepath.Join(path, "data", "paraphrase-en.gz"))
				if err != nil {
					return err
				}
				return os.WriteFile(file, text, 0o644)
			})
			left, globErr := filepath.Glob(filepath.Join(cache, "*"))
			if globErr != nil {
				t.Fatal(globErr)
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q in it", err, c.want)
				}
				if len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(left) != 1 {
				t.Errorf("the cache holds %v", left)
			}
			text, err := os.ReadFile(filepath.Join(dir, meteor.PackName))
			if err != nil || string(text) != "bytes of pycocoevalcap/meteor/data/paraphrase-en.gz" || !Complete(dir) {
				t.Errorf("packed data: %q, %v, complete: %v", text, err, Complete(dir))
			}
		})
	}
}
