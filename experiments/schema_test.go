package experiments

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestSchemaIsCurrent(t *testing.T) {
	got, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("schema.json (%v) is not what the keys say; go test ./experiments -update writes it anew", err)
	}
}

// docs/studies.md lists the keys as the table of keys has them.
func TestReferenceIsCurrent(t *testing.T) {
	const path, begin, end = "../docs/studies.md", "<!-- keys: written by go test ./experiments -update -->\n", "<!-- /keys -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), begin)
	got, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no place for the keys, between %q and %q", path, begin, end)
	}
	want := "\n" + Reference() + "\n"
	switch {
	case got == want:
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s does not list the keys as they are; go test ./experiments -update writes them anew", path)
	}
}

// Each field of a Study has its line in the table of keys, and each line a
// field, a meaning and a default within its limits.
func TestKeysMatchFields(t *testing.T) {
	for path := range fieldIndex {
		if find(path) == nil {
			t.Errorf("the field %s has no key", path)
		}
	}
	s := &Study{}
	s.fillDefaults()
	s.settle()
	for i, k := range keys {
		if _, known := fieldIndex[k.path]; !known && k.path != "extends" {
			t.Errorf("the key %s has no field", k.path)
			continue
		}
		if k.doc == "" {
			t.Errorf("the key %s has no meaning", k.path)
		}
		if slices.IndexFunc(keys, func(other key) bool { return other.path == k.path }) != i {
			t.Errorf("the key %s is in the table twice", k.path)
		}
		if k.fallback != nil && (k.limits != "" || k.listed != nil) {
			full := &Study{}
			full.fillDefaults()
			if _, wrong := k.parse(&value{kind: scalar, text: full.get(k.path), tag: k.tag()}); wrong != "" {
				t.Errorf("default: %s", wrong)
			}
		}
		if k.derive != nil && find(k.on) == nil {
			t.Errorf("the default of %s depends on %q, which is no key", k.path, k.on)
		}
	}
	if err := s.Settings.Check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 5e-4: "0.0005", 1e-8: "1e-08", 0.1: "0.1", 3: "3", 1e20: "1e+20", 1.0 / 3: "0.3333333333333333"} {
		if got := number(x); got != want || float(got) != x {
			t.Errorf("number(%g) = %s, want %s", x, got, want)
		}
	}
}
