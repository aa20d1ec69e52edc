package inspect

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/runner"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fewScenes are settings with a data set that is drawn at once.
var fewScenes = experiments.Settings{Data: experiments.Data{
	Name: "shapes", Split: "official", Images: 60, MinCount: 1, CaptionsPerImage: 5, Vocabulary: "train",
}}

// begun gives a results database with a study whose runs, of the ids, have begun with these signatures.
func begun(t *testing.T, spec string, s experiments.Settings, signatures map[string]string) *store.DB {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	settings, err := json.Marshal(s)
	check(t, err)
	var runs []store.Run
	for id := range signatures {
		runs = append(runs, store.Run{ID: id, Arm: "none", Settings: settings})
	}
	check(t, db.SaveStudy(t.Context(), store.Study{Name: "made-up", Spec: spec}, runs, store.Declaration{}, nil))
	for id, signature := range signatures {
		claim, err := db.Claim(t.Context(), runOf(t, db, id), store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		check(t, err)
		check(t, db.Start(t.Context(), claim, store.Start{Parameters: 1, Signature: signature}))
	}
	return db
}

func runOf(t *testing.T, db *store.DB, id string) store.Run {
	t.Helper()
	run, err := db.Run(t.Context(), id)
	check(t, err)
	return run
}

// TestOpen holds that a run is opened with the data set that it was made with, which is loaded once for several runs, and
// that no run is opened with another, whether or not that has been loaded already.
func TestOpen(t *testing.T) {
	d, err := data.Load(runner.DataOptions(fewScenes, "", data.Cache{}))
	check(t, err)
	signature := runner.Signature(fewScenes, d, metrics.Version)
	db := begun(t, "data: {name: shapes}", fewScenes, map[string]string{
		"aaaa": signature, "bbbb": signature, "cccc": strings.Replace(signature, d.Hash[:12], "000000000000", 1),
	})
	o := Opener{DB: db, Cache: data.Cache{Dir: t.TempDir()}}
	first, err := o.Open(t.Context(), runOf(t, db, "aaaa"))
	check(t, err)
	if len(first.Data.Images) != 60 || first.Data.Hash != d.Hash || first.Settings.Data != fewScenes.Data {
		t.Errorf("opened with %d images, hash %s, settings %+v", len(first.Data.Images), first.Data.Hash, first.Settings.Data)
	}
	second, err := o.Open(t.Context(), runOf(t, db, "bbbb"))
	check(t, err)
	if second.Data != first.Data {
		t.Error("the data set was loaded again")
	}
	var other *runner.DataError
	if _, err := o.Open(t.Context(), runOf(t, db, "cccc")); !errors.As(err, &other) || other.Run != "cccc" {
		t.Errorf("a run of other data, after one of these: %v", err)
	}
	if at, err := first.place(d.Images[7].ID); err != nil || at != 7 {
		t.Errorf("image 7 is found at %d, %v", at, err)
	}
	_, err = first.given([]store.Caption{{Image: d.Images[0].ID}, {Image: "no.jpg"}})
	if want := `run aaaa: the data set has no image "no.jpg", which has a stored caption`; err == nil || err.Error() != want {
		t.Errorf("an unknown image: %v, want %s", err, want)
	}
	if _, err := first.Captioner(); err == nil || !strings.Contains(err.Error(), "run aaaa has no checkpoint yet") {
		t.Errorf("without a checkpoint: %v", err)
	}
}

// TestOpenRoot holds where the data set is looked for.
func TestOpenRoot(t *testing.T) {
	s := fewScenes
	s.Data.Name = "flickr8k"
	for _, c := range []struct{ spec, root, want string }{
		{"data: {name: flickr8k, root: /nowhere/of-the-study}", "", "/nowhere/of-the-study"},
		{"data: {name: flickr8k, root: /nowhere/of-the-study}", "/nowhere/given", "/nowhere/given"},
		{"data: [", "", "study made-up: cannot read its specification"},
	} {
		db := begun(t, c.spec, s, map[string]string{"aaaa": ""})
		o := Opener{DB: db, Root: c.root}
		if _, err := o.Open(t.Context(), runOf(t, db, "aaaa")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, root %q: %v, want %q", c.spec, c.root, err, c.want)
		}
	}
}
