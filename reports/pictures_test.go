package reports

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// illustrated is a study whose pictures and maps are in the store, with its choice.
func illustrated(t *testing.T) (*store.DB, Choice) {
	t.Helper()
	ctx := context.Background()
	db := usual(t, finished(2, levels, "none", "soft", "adaptive"))
	choice, err := Choose(ctx, db, "attention", 6)
	check(t, err)
	var kept store.Illustration
	for i, name := range choice.Images {
		var b bytes.Buffer
		check(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40+i, 30)), nil))
		kept.Pictures = append(kept.Pictures, store.Picture{Image: name, Dataset: "flickr8k", Width: 40 + i, Height: 30, JPEG: b.Bytes()})
		m := store.AttentionMap{Run: choice.Runs[0], Image: name, Side: 2, First: 0.25, Step: 0.5}
		for range 7 { // words of a fixture's caption
			m.Alpha = append(m.Alpha, []float64{0.1, 0.05, 0.4, 0})
		}
		kept.Maps = append(kept.Maps, m)
	}
	check(t, db.SaveIllustration(ctx, "attention", kept))
	return db, choice
}

func TestChooseTakesTheMostChanged(t *testing.T) {
	ctx := context.Background()
	db, choice := illustrated(t)
	e, err := gather(ctx, db, "attention")
	check(t, err)
	r, err := analyse(context.Background(), e)
	check(t, err)
	list := r.headline().imageDifferences()
	var want []string
	for i := range 3 {
		want = append(want, list[len(list)-1-i].Image)
	}
	for i := range 3 {
		if list[i].Points < 0 {
			want = append(want, list[i].Image)
		}
	}
	if !slices.Equal(choice.Images, want) || len(want) < 4 {
		t.Errorf("chosen are %v, want %v", choice.Images, want)
	}
	if run, err := db.Run(ctx, choice.Runs[0]); err != nil || run.Arm != "adaptive" || run.Seed != 1 || choice.Split != "test" {
		t.Errorf("shown is %s, seed %d of the %s split, %v", run.Arm, run.Seed, choice.Split, err)
	}

	if _, err := Choose(ctx, usual(t, finished(2, levels, "none", "soft")), "attention", 6); err != nil {
		t.Errorf("two of three arms: %v", err)
	}
	if _, err := Choose(ctx, usual(t, []trial{{arm: "none", seed: 1, state: store.Queued}, {arm: "soft", seed: 1, state: store.Queued}}), "attention", 6); err == nil || !strings.Contains(err.Error(), "has no finished run") {
		t.Errorf("nothing finished: %v", err)
	}
}

func TestPicturesInTheReport(t *testing.T) {
	ctx := context.Background()
	db, choice := illustrated(t)
	render2 := func() map[string][]byte {
		e, err := gather(ctx, db, "attention")
		check(t, err)
		r, err := analyse(context.Background(), e)
		check(t, err)
		files, err := rendered(r)
		check(t, err)
		return files
	}
	files := render2()
	page, notes := string(files["index.html"]), string(files["report.md"])
	kept, err := db.Illustration(ctx, "attention")
	check(t, err)
	for i, name := range choice.Images {
		rule := fmt.Sprintf(".pic%d{aspect-ratio:%d/30;background-image:url(data:image/jpeg;base64,%s)}", i, 40+i,
			base64.StdEncoding.EncodeToString(kept.Pictures[i].JPEG))
		if strings.Count(page, rule) != 1 || !strings.Contains(page, `role="img" aria-label="The picture `+name+`"`) {
			t.Errorf("the page lacks the picture %s", name)
		}
		if !strings.Contains(notes, "### `"+name+"` (") {
			t.Errorf("report.md lacks %s", name)
		}
	}
	if got := strings.Count(page, `<img src="data:image/png;base64,`); got != 7*len(choice.Images) {
		t.Errorf("%d veils, want one for each of 7 words of %d captions", got, len(choice.Images))
	}
	for _, want := range []string{"Most improved by adaptive over none", "Most worsened by adaptive over none", "β\u00a00.85", "Clear: 40\u00a0% on a region."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if again := render2(); !bytes.Equal(again["index.html"], files["index.html"]) {
		t.Error("the same data gave another page")
	}
}
