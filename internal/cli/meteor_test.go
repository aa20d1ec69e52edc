package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/metrics/meteor"
)

// TestMeteorPath holds where METEOR's data are looked for.
func TestMeteorPath(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GLIMPSE_CACHE", ".cache")
	dir, err := MeteorDir()
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("here")
	if err != nil {
		t.Fatal(err)
	}
	check := func(flag, want string) {
		t.Helper()
		if got, err := MeteorPath(flag); got != want || err != nil {
			t.Errorf("--meteor %q: %q, %v, want %q", flag, got, err, want)
		}
	}
	check("", "")
	check("here", here)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	check("", "")
	if err := os.WriteFile(filepath.Join(dir, meteor.PackName), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	check("", dir)
	check(NoMeteor, "")
	if _, err := LoadMeteor(""); err == nil || !strings.Contains(err.Error(), "remove that folder and run `glimpse data fetch meteor`") {
		t.Errorf("damaged data: %v", err)
	}
}
