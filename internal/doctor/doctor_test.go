package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/internal/meteordata"
	"glimpse/internal/store"
	"glimpse/metrics/meteor"
)

// write writes a file and the folders around it.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

// TestExamine holds what is said of a machine that has nothing, of one that has all, and of one where all is broken.
func TestExamine(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	nothing := Places{Cache: at("empty"), Database: at("absent.db")}
	all := Places{Version: "v", Cache: at("cache"), Flickr8k: at("flickr8k"), Database: at("results.db")}
	shared := Places{Cache: at("empty"), Shared: at("cache"), Database: at("absent.db")}
	broken := Places{NoCache: errors.New("no home"), Flickr8k: at("cache"), Database: at("broken.db")}

	write(t, at("engine"), `#!/bin/sh
echo '{"version": "v", "libtorch": "2.1.2", "libraries": "/lib", "threads": 2, "no_gpu": "no driver"}'
`, 0o755)
	write(t, at("failing"), "#!/bin/sh\necho it cannot start >&2\nexit 1\n", 0o755)
	write(t, at("cache/weights/lite0.pth"), "", 0o644)
	write(t, filepath.Join(meteordata.Dir(at("cache")), meteor.PackName), "", 0o644)
	write(t, at("flickr8k/captions.txt"), "", 0o644)
	write(t, at("broken.db"), "no database", 0o644)
	db, err := store.Open(all.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	for _, c := range []struct {
		places Places
		engine string
		want   []string // name, state and the beginning of the detail
	}{
		{nothing, at("none"), []string{"glimpse ok ", "engine absent no " + at("none"), "cache ok " + at("empty"), "weights absent no encoder weights in " + at("empty"),
			"meteor absent no METEOR data", "flickr8k absent no folder set", "database ok " + at("absent.db") + " does not exist yet"}},
		{shared, at("none"), []string{"glimpse ok ", "engine absent no " + at("none"), "cache ok " + at("empty") + ", and read-only " + at("cache"),
			"weights ok lite0.pth", "meteor ok " + at("cache"), "flickr8k absent ", "database ok "}},
		{all, at("engine"), []string{"glimpse ok v, go", "engine ok " + at("engine"), "libtorch ok 2.1.2 in /lib", "cuda absent no driver", "threads ok libtorch uses 2 of ",
			"cache ok " + at("cache"), "weights ok lite0.pth", "meteor ok " + at("cache"), "flickr8k ok " + at("flickr8k/captions.txt"),
			"database ok " + at("results.db") + ", 0 runs, 0 completed"}},
		{broken, at("failing"), []string{"glimpse ok ", "engine missing ", "cache missing no home", "weights missing no home", "meteor missing no home",
			"flickr8k absent no captions.txt or", "database missing "}},
	} {
		t.Setenv("GLIMPSE_ENGINE", c.engine)
		found := Examine(t.Context(), c.places)
		if len(found) != len(c.want) {
			t.Errorf("%s: %d findings, want %d: %+v", c.engine, len(found), len(c.want), found)
			continue
		}
		for i, f := range found {
			if got := f.Name + " " + f.State + " " + f.Detail; !strings.HasPrefix(got, c.want[i]) || (f.State == OK) != (f.Fix == "") {
				t.Errorf("%s: %q mended by %q, want %q", c.engine, got, f.Fix, c.want[i])
			}
		}
	}
}
