package inspect

import (
	"reflect"
	"testing"

	"glimpse/internal/store"
	"glimpse/reports"
)

// TestSelection holds that fewer of the kept pictures are taken with their maps, and only where
// they are the ones that are wanted.
func TestSelection(t *testing.T) {
	picture := func(image string) store.Picture { return store.Picture{Image: image, JPEG: []byte(image)} }
	look := func(run, image string) store.AttentionMap { return store.AttentionMap{Run: run, Image: image} }
	stored := store.Illustration{
		Pictures: []store.Picture{picture("a"), picture("b"), picture("c")},
		Maps:     []store.AttentionMap{look("soft", "a"), look("soft", "b"), look("soft", "c")},
	}
	for name, c := range map[string]struct {
		choice reports.Choice
		want   []string // images; nil where there is no selection
	}{
		"two of three":  {reports.Choice{Images: []string{"c", "a"}, Runs: []string{"soft", "none"}}, []string{"c", "a"}},
		"all":           {reports.Choice{Images: []string{"a", "b", "c"}, Runs: []string{"soft", "none"}}, nil},
		"another image": {reports.Choice{Images: []string{"a", "d"}, Runs: []string{"soft", "none"}}, nil},
		"another run":   {reports.Choice{Images: []string{"a", "b"}, Runs: []string{"adaptive", "none"}}, nil},
	} {
		var want store.Illustration
		for _, image := range c.want {
			want.Pictures = append(want.Pictures, picture(image))
		}
		for _, m := range stored.Maps {
			for _, image := range c.want {
				if m.Image == image {
					want.Maps = append(want.Maps, m)
				}
			}
		}
		if got, some := selection(stored, c.choice); some != (c.want != nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, some)
		}
	}
}
