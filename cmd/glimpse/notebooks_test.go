package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNotebooks runs the snippets of docs/notebooks.md on the repository's database, which must not
// change. They must print what the text shows. Snippets are skipped if their program or library is
// not installed.
func TestNotebooks(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "notebooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	published := filepath.Join(root, "results.db")
	for name, target := range map[string]string{"results.db": published, "glimpse": os.Args[0]} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(published)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllSubmatch(text, -1)
	ran := 0
	for i, block := range blocks {
		kind, code := string(block[1]), string(block[2])
		if kind == "text" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			program, missing := snippetProgram(kind, code)
			if missing != "" {
				t.Skip(missing)
			}
			c := exec.Command(program[0], append(program[1:], code)...)
			c.Dir, c.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "GLIMPSE_DB=")
			var stderr bytes.Buffer
			c.Stderr = &stderr
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%v\n%s%s\n%s", err, out, stderr.String(), code)
			}
			ran++
			if i+1 < len(blocks) && string(blocks[i+1][1]) == "text" && string(out) != string(blocks[i+1][2]) {
				t.Errorf("it prints\n%s\nand the text says\n%s", out, blocks[i+1][2])
			}
		})
	}
	if ran == 0 {
		t.Error("no snippet was run")
	}
	after, err := os.Stat(published)
	if err != nil || !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
		t.Errorf("the repository's database was changed: %v", err)
	}
}

// snippetProgram returns the program for a snippet, and what is missing to run it, or "".
func snippetProgram(kind, code string) (program []string, missing string) {
	has := func(command ...string) bool { return exec.Command(command[0], command[1:]...).Run() == nil }
	switch {
	case kind == "sh" && strings.Contains(code, "sqlite3") && !has("sqlite3", "-version"):
		return nil, "needs the program sqlite3"
	case kind == "sh":
		return []string{"sh", "-ec"}, ""
	case kind == "python":
		python := os.Getenv("GLIMPSE_PYTHON")
		if python == "" {
			python = "python3"
		}
		if !has(python, "-c", "import sqlite3") {
			return nil, "needs Python 3, by $GLIMPSE_PYTHON or python3"
		}
		if strings.Contains(code, "import pandas") && !has(python, "-c", "import pandas") {
			return nil, "needs pandas"
		}
		return []string{python, "-c"}, ""
	case kind == "r" && !has("Rscript", "-e", "library(DBI); library(RSQLite)"):
		return nil, "needs R with DBI and RSQLite"
	}
	return []string{"Rscript", "-e"}, ""
}
