package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestWatch holds that a reader learns of what others write, once, and of a file that is gone,
// and that it keeps nobody from writing.
func TestWatch(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	writer, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	watch, err := reader.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	expect := func(want bool) {
		t.Helper()
		if got, err := watch.Changed(ctx); err != nil || got != want {
			t.Errorf("changed: %v, %v; want %v", got, err, want)
		}
	}
	expect(false)
	run := Run{ID: "aaaaaaaaaaaa", Arm: "soft", Settings: []byte(`{}`)}
	if err := writer.SaveStudy(ctx, Study{Name: "s"}, []Run{run}, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	expect(true)
	expect(false)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Changed(ctx); !errors.Is(err, ErrMoved) {
		t.Errorf("a file that was moved: %v", err)
	}
}
