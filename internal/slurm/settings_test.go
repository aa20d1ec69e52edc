package slurm

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTemplateIsTheDefaults(t *testing.T) {
	s, err := parse("cluster.yaml", Template())
	if err != nil {
		t.Fatal(err)
	}
	if want := Defaults(); s.CPUs != want.CPUs || s.Folder != want.Folder || s.Partition != "" || len(s.Sbatch) > 0 || s.Setup != "" {
		t.Errorf("%+v, want %+v", s, want)
	}
	// With every example taken, it is still a file of settings.
	var lines []string
	for line := range strings.Lines(string(Template())) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "# "), ":"); ok && s.has(name) || strings.HasPrefix(line, "#   ") {
			line = strings.TrimPrefix(line, "# ")
		}
		lines = append(lines, line)
	}
	s, err = parse("cluster.yaml", []byte(strings.Join(lines, "")))
	if err != nil || s.Partition != "gpu" || len(s.Sbatch) != 2 || s.Setup != "module load cuda\n" {
		t.Errorf("%+v, %v", s, err)
	}
}

func (s *Settings) has(name string) bool {
	for _, k := range keys {
		if k.name == name {
			return true
		}
	}
	return false
}

func TestBadSettings(t *testing.T) {
	for text, want := range map[string]string{
		"partitoin: gpu":                 `c.yaml:1: unknown key "partitoin"; did you mean partition?`,
		"cpus: 1\ncpus: 2":               "c.yaml:2: duplicate key cpus",
		"cpus: many":                     "c.yaml:1: cpus: expected a whole number, such as 2",
		"\ncpus: 0":                      "c.yaml:2: cpus: 0 is not between 1 and 4096",
		"time: soon":                     `c.yaml:1: time: "soon" is not valid; expected a value such as 4:00:00`,
		"partition: \"a\\nb\"":           "c.yaml:1: partition: expected one line of text",
		"qos: a b":                       `c.yaml:1: qos: "a b" is not valid; expected a value such as normal`,
		"sbatch: [exclusive]":            `c.yaml:1: sbatch: "exclusive" is not an option such as --exclusive`,
		"sbatch: ['--a\n\n  rm -rf']":    "is not an option",
		"sbatch: --exclusive":            "c.yaml:1: sbatch: expected a list",
		"folder: it's":                   "the path must not be empty or contain quotes",
		"account:":                       "c.yaml:1: account has no value",
		"- a":                            "c.yaml:1: expected keys with values",
		"a: [":                           "c.yaml: yaml: ",
		strings.Repeat("#", mostBytes+1): "larger than 65536 bytes",
	} {
		if _, err := parse("c.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), FileName)); err == nil || !strings.Contains(err.Error(), "glimpse new --cluster") {
		t.Error(err)
	}
}

// TestSchema holds experiments/cluster-schema.json, which editors read, to the keys.
func TestSchema(t *testing.T) { golden(t, "../../experiments/cluster-schema.json", Schema()) }

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not as it is made (go test ./internal/slurm -update): %v\n%s", path, err, got)
	}
}

func FuzzSettings(f *testing.F) {
	f.Add(Template())
	f.Add([]byte("setup: |\n  module load x\nsbatch: [--a]\ncpus: 3\nscratch: '/a b'\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse("c", text)
		if err != nil {
			return
		}
		p, err := New(s, "/data/results.db")
		if err != nil {
			return
		}
		header := p.header(submission{id: "x", folder: "/f", tasks: 1}, s.ArrayLimit)
		for line := range strings.Lines(header) { // nothing of the settings leaves its line
			if !strings.HasPrefix(line, "#SBATCH -") && line != "#!/bin/sh\n" {
				t.Errorf("%q in the script's head", line)
			}
		}
	})
}

// TestDocumentedSettings holds the example of docs/cluster.md to the keys.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile("../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if s, err := parse("cluster.md", []byte(example)); err != nil || s.TrialsPerJob != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}
