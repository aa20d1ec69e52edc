package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is pruned is what nobody needs and nobody used; a data set that lies in several files keeps them all.
func TestPruneFeatures(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	month := now.Add(-30 * 24 * time.Hour)
	fill := func(spec FeatureSpec, scenes int) *Features {
		t.Helper()
		f, err := OpenFeatures(Cache{Dir: dir}, spec, smallShapes(t, scenes))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		put(t, f, f.Missing()...)
		return f
	}
	other := smallSpec
	other.Encoder = "other"
	first, more, lone := fill(smallSpec, 10), fill(smallSpec, 12), fill(other, 10)
	if len(more.files) != 2 {
		t.Fatalf("%d files", len(more.files))
	}
	for _, name := range []string{"pictures-0123456789abcdef.txt", "grid-16-0123456789abcdef.features.lock", "grid-16-0123456789abcdef.features.tmp123"} {
		writeFile(t, filepath.Join(dir, name), "")
	}
	writeFile(t, filepath.Join(dir, "grid-16-damaged000000000.features"), "x")
	writeFile(t, filepath.Join(dir, "somebody's.txt"), "x")
	age := func(age time.Duration) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := os.Chtimes(filepath.Join(dir, e.Name()), now, now.Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
	}
	states := func(since time.Time, dry bool, uses ...FeatureUse) map[string]int {
		t.Helper()
		kept, err := PruneFeatures(dir, uses, since, dry)
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, k := range kept {
			count[k.State]++
			if _, err := os.Stat(filepath.Join(dir, k.File)); (err == nil) != (dry || k.State != FeaturesRemoved) {
				t.Errorf("%+v: %v", k, err)
			}
		}
		return count
	}
	expect := func(what string, got, want map[string]int) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	use := func(f *Features) FeatureUse { return FeatureUse{f.spec.Encoder, f.spec.ImageSize, f.Hash()} }
	expect("used today", states(month, false), map[string]int{FeaturesRecent: 4})
	age(40 * 24 * time.Hour)
	expect("nobody", states(month, true), map[string]int{FeaturesRemoved: 4})
	expect("a use of one", states(month, true, use(first)), map[string]int{FeaturesNeeded: 1, FeaturesRemoved: 3})
	expect("a use of two", states(month, true, use(more)), map[string]int{FeaturesNeeded: 2, FeaturesRemoved: 2})
	expect("a run that has not begun", states(month, true, FeatureUse{"other", 16, ""}), map[string]int{FeaturesNeeded: 1, FeaturesRemoved: 3})
	expect("another size", states(month, true, FeatureUse{"other", 1, ""}), map[string]int{FeaturesRemoved: 4})
	fill(smallSpec, 12) // opening it is a use
	expect("opened today", states(month, true), map[string]int{FeaturesRecent: 2, FeaturesRemoved: 2})
	age(40 * 24 * time.Hour)
	missing, err := OpenFeatures(Cache{Dir: dir}, other, smallShapes(t, 11)) // fills, and has not put anything
	if err != nil {
		t.Fatal(err)
	}
	defer missing.Close()
	release, err := missing.Exclusive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	age(40 * 24 * time.Hour)
	expect("being filled", states(month, false, use(first)), map[string]int{FeaturesNeeded: 1, FeaturesBusy: 2, FeaturesRemoved: 2})
	release()
	checkRows(t, more, 0, 11) // whoever has it open reads on
	checkRows(t, first, 0, 9)
	if got := fill(smallSpec, 10).Missing(); len(got) != 0 {
		t.Errorf("missing of what is needed: %v", got)
	}
	age(40 * 24 * time.Hour)
	expect("nobody", states(month, false), map[string]int{FeaturesRemoved: 3})
	if rowIn(lone, 3) == nil {
		t.Error("a file that is open is gone")
	}
	var left []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") && !strings.HasSuffix(e.Name(), ".fill") {
			left = append(left, e.Name())
		}
	}
	if err != nil || !slices.Equal(left, []string{"somebody's.txt"}) {
		t.Errorf("left are %v, %v", left, err)
	}
	if kept, err := PruneFeatures(filepath.Join(dir, "none"), nil, month, false); err != nil || len(kept) != 0 {
		t.Errorf("no folder: %v, %v", kept, err)
	}
}
