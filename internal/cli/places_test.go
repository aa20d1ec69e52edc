package cli

import (
	"path/filepath"
	"testing"
	"time"
)

// $GLIMPSE_CACHE is the user's cache if it may be written, and otherwise one that is read beside the usual one.
func TestCacheDirs(t *testing.T) {
	home, named := t.TempDir(), t.TempDir()
	usual := filepath.Join(home, ".cache", "glimpse")
	for name, c := range map[string]struct {
		named, xdg  string
		writable    bool
		own, shared string
	}{
		"nothing set":          {own: usual},
		"XDG":                  {xdg: "/x", own: "/x/glimpse"},
		"named":                {named: named, writable: true, own: named},
		"not to be written":    {named: named, own: usual, shared: named},
		"the usual one, named": {named: usual, own: usual},
	} {
		t.Setenv("HOME", home)
		t.Setenv("XDG_CACHE_HOME", c.xdg)
		t.Setenv("GLIMPSE_CACHE", c.named)
		own, shared, err := cacheDirs(func(string) bool { return c.writable })
		if err != nil || own != c.own || shared != c.shared {
			t.Errorf("%s: %s and %s, %v; want %s and %s", name, own, shared, err, c.own, c.shared)
		}
	}
	if !mayWrite(named) || !mayWrite(filepath.Join(named, "not there")) {
		t.Error("a folder of one's own may not be written")
	}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "GLIMPSE_CACHE"} {
		t.Setenv(name, "")
	}
	if _, _, err := cacheDirs(mayWrite); err == nil {
		t.Error("without a home there is a cache")
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "0": 0, "0d": 0, "12h": 12 * time.Hour} {
		if got, err := parseAge(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "-1h", "3", "1.5d", "99999999d", "month"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
