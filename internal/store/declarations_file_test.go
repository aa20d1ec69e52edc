package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

func TestDeclarationsSurviveExportAndImport(t *testing.T) {
	db, ctx, dir := open(t), context.Background(), filepath.Join(t.TempDir(), "x")
	for _, d := range []Declaration{declaring("a", ""), declaring("b", "a slip")} {
		if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(2), d, nil); err != nil {
			t.Fatal(err)
		}
		if d.Reason == "" {
			complete(t, db, "aa00")
		}
	}
	if rows, err := db.Export(ctx, dir, JSONLines); err != nil || rows["declarations"] != 2 {
		t.Fatalf("%v, %v", rows, err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Import(ctx, dir, copied); err != nil {
		t.Fatal(err)
	}
	other, err := Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	want, err := db.Declarations(ctx, "")
	got, err2 := other.Declarations(ctx, "")
	if err != nil || err2 != nil || fmt.Sprint(got) != fmt.Sprint(want) || len(got) != 2 || got[1].Reason != "a slip" {
		t.Errorf("%v, %v; want %v, %v", got, err2, want, err)
	}
	// What was frozen stays so in the copy.
	err = other.SaveStudy(ctx, Study{Name: "s"}, runs(2), declaring("c", ""), nil)
	if !errors.As(err, new(*FrozenError)) {
		t.Errorf("a copy forgets: %v", err)
	}
}

// A database of before declarations has none, also when it cannot be written.
func TestNoDeclarationsInAnOlderSchema(t *testing.T) {
	all, path := migrations, filepath.Join(t.TempDir(), "old.db")
	migrations = all[:5]
	old, err := Open(path)
	if err == nil {
		err = errors.Join(planned(old, 1), old.Close())
	}
	migrations = all
	if err != nil {
		t.Fatal(err)
	}
	before := string(read(t, path))
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := db.Declarations(context.Background(), ""); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := db.SaveStudy(context.Background(), Study{Name: "s"}, nil, declaring("a", ""), nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("declaring in it: %v", err)
	}
	if err := db.Close(); err != nil || string(read(t, path)) != before {
		t.Errorf("it was changed, %v", err)
	}
	db, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.SaveStudy(context.Background(), Study{Name: "s"}, runs(1), declaring("a", ""), nil); err != nil {
		t.Error(err)
	}
}
