package inspect

import (
	"bytes"
	"image/jpeg"
	"slices"
	"testing"

	"glimpse/data"
	"glimpse/metrics"
	"glimpse/runner"
)

func TestScenes(t *testing.T) {
	d, err := data.Load(runner.DataOptions(fewScenes, "", data.Cache{}))
	check(t, err)
	db := begun(t, "data: {name: shapes}", fewScenes, map[string]string{"aaaa": runner.Signature(fewScenes, d, metrics.Version)})
	o := Opener{DB: db, Cache: data.Cache{Dir: t.TempDir()}}
	scenes, err := o.Scenes(t.Context(), "made-up")
	check(t, err)
	scene, err := scenes(d.Images[d.Splits["test"][0]].ID)
	check(t, err)
	picture, err := jpeg.Decode(bytes.NewReader(scene.JPEG))
	check(t, err)
	if picture.Bounds().Dx() != scene.Width || scene.Width != sceneSize || len(scene.References) != 5 {
		t.Errorf("a scene of %v, %d wide, with %d captions", picture.Bounds(), scene.Width, len(scene.References))
	}
	if _, err := scenes("scene-999999"); err == nil {
		t.Error("a scene that is not there was drawn")
	}
}

func TestScenesOfOthersPictures(t *testing.T) {
	others := fewScenes
	others.Data.Name = "flickr8k"
	db := begun(t, "data: {name: flickr8k}", others, map[string]string{"aaaa": "data=flickr8k"})
	if scenes, err := (&Opener{DB: db}).Scenes(t.Context(), "made-up"); err != nil || scenes != nil {
		t.Errorf("pictures of others are given, %v", err)
	}
}

// TestAlbum holds that an album knows pictures and references by the names of images alone, and is of the data set that the runs
// were made with.
func TestAlbum(t *testing.T) {
	d, err := data.Load(runner.DataOptions(fewScenes, "", data.Cache{}))
	check(t, err)
	db := begun(t, "data: {name: shapes}", fewScenes, map[string]string{"aaaa": runner.Signature(fewScenes, d, metrics.Version)})
	album, err := (&Opener{DB: db}).Album(t.Context(), "made-up")
	check(t, err)
	first := d.Images[d.Splits["test"][0]]
	small, err := album.Thumbnail(first.ID, 50)
	check(t, err)
	picture, err := jpeg.Decode(bytes.NewReader(small))
	check(t, err)
	if picture.Bounds().Dx() != 50 || !slices.Equal(album.References(first.ID), first.Captions()) {
		t.Errorf("a thumbnail of %v with the references %q", picture.Bounds(), album.References(first.ID))
	}
	for _, name := range []string{"../" + first.ID, "/etc/passwd", ""} {
		if _, err := album.Thumbnail(name, 50); err == nil || album.References(name) != nil {
			t.Errorf("%q is known", name)
		}
	}
	db = begun(t, "data: {name: shapes}", fewScenes, map[string]string{"aaaa": "data=shapes/other"})
	if _, err := (&Opener{DB: db}).Album(t.Context(), "made-up"); err == nil {
		t.Error("the album is of another data set than the runs")
	}
}
