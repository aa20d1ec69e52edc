package planning

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// TestCheckWeights holds that a file of weights that is missing, or none, is refused where trials need it, at its line.
func TestCheckWeights(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"page.pth": "<html>404</html>", "empty.pth": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sound, err := filepath.Abs("../models/pth/testdata/zip.pth")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ weights, want string }{
		{"auto", ""}, {"random", ""}, {sound, ""},
		{filepath.Join(dir, "gone.pth"), "gone.pth: no such file or directory; expected auto, random or the path of a .pth file\n     3 | encoder: {weights: "},
		{dir, dir + ": not a regular file; expected auto"},
		{filepath.Join(dir, "page.pth"), "page.pth: not a PyTorch weights file: neither a zip archive nor a pickle"},
		{filepath.Join(dir, "empty.pth"), "empty.pth: not a PyTorch weights file"},
	} {
		path := filepath.Join(dir, "study.yaml")
		if err := os.WriteFile(path, fmt.Appendf(nil, "study: s\ndata: {name: flickr8k}\nencoder: {weights: %q}\n", c.weights), 0o600); err != nil {
			t.Fatal(err)
		}
		study, err := experiments.Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		trials, err := study.Plan()
		if err != nil {
			t.Fatal(err)
		}
		p := Planned{Trials: trials}
		if err := p.CheckWeights(study); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", c.weights, err, c.want)
		} else if strings.Contains(c.weights, "gone") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v hides its cause", err)
		}
		for _, nothingDone := range []bool{true, false} {
			err := new(Sets).CheckFiles(study, nothingDone)
			if refused := c.want != "" && nothingDone; refused != (err != nil) {
				t.Errorf("%s, nothing done %v: %v", c.weights, nothingDone, err)
			}
		}
		p.Known = []store.Run{{ID: trials[0].ID, State: store.Completed}}
		if err := p.CheckWeights(study); err != nil {
			t.Errorf("%s, with all trials completed: %v", c.weights, err)
		}
	}
}
