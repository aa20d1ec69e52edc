// Package glimpse_test holds the rule that keeps the packages apart: imports point one way, gotch stays behind
// internal/torch, and everything but bench, models, internal/torch and cmd/glimpse-engine builds without libtorch.
package glimpse_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "glimpse"
	gotch  = "github.com/sugarme/gotch"
)

// allowed tells, for each package, which of our packages it may import. A package below one of these (metrics/x) follows
// the rule of the package above it, and may import its own tree.
var allowed = map[string][]string{
	"cmd/glimpse":         {"captioner", "experiments", "data", "exports", "inspect", "internal/cli", "internal/doctor", "internal/engine", "internal/meteordata", "internal/slurm", "internal/store", "metrics", "planning", "reports", "results", "runner", "server"},
	"cmd/glimpse-engine":  {"bench", "captioner", "experiments", "data", "inspect", "internal/cli", "internal/engine", "internal/store", "internal/torch", "metrics", "models", "planning", "reports", "results", "runner"},
	"bench":               {"captioner", "data", "experiments", "inspect", "internal/store", "internal/torch", "metrics", "models", "planning", "runner"},
	"inspect":             {"captioner", "experiments", "data", "metrics", "internal/store", "planning", "reports", "results", "runner"},
	"internal/cli":        {"data", "experiments", "inspect", "internal/engine", "internal/meteordata", "internal/store", "metrics", "runner"},
	"internal/doctor":     {"internal/engine", "internal/meteordata", "internal/store", "metrics"},
	"internal/engine":     {"data", "experiments"},
	"internal/meteordata": {"internal/wheel", "metrics"},
	"planning":            {"captioner", "data", "experiments", "internal/store", "metrics", "results", "runner"},
	"results":             {"experiments", "metrics", "internal/filter", "internal/store"},
	"runner":              {"experiments", "data", "metrics", "internal/store", "results"},
	"models":              {"captioner", "experiments", "data", "internal/torch", "internal/wheel"},
	"reports":             {"captioner", "experiments", "internal/store", "metrics", "results"},
	"exports":             {"internal/store", "metrics", "results"},
	"server":              {"internal/store", "internal/synthetic", "metrics", "reports", "results", "runner"},
	"experiments":         {"captioner", "metrics"},
	"captioner":           {},
	"data":                {"captioner"},
	"metrics":             {},
	"internal/filter":     {},
	"internal/slurm":      {"captioner", "data", "experiments", "runner"},
	"internal/store":      {"metrics"},
	"internal/synthetic":  {"data", "experiments", "exports", "internal/store", "metrics", "planning", "reports", "results", "runner"},
	"internal/torch":      {},
	"internal/wheel":      {},
}

// leaves are packages that any other may import, and that import none of ours.
var leaves = []string{
	"internal/atomicfile",
	"internal/browser",
	"internal/crash",
	"internal/faults",
	"internal/jsonfile",
	"internal/jsonline",
	"internal/private",
	"internal/safetensors",
	"internal/secret",
	"internal/sheet",
	"internal/term",
	"models/pth",
}

// needTorch are the packages that may reach gotch, directly or not.
var needTorch = []string{"bench", "cmd/glimpse-engine", "models", "internal/torch"}

type listed struct {
	ImportPath, ForTest                string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// list runs `go list -json` with the flags given; it needs neither libtorch nor a C++ compiler.
func list(t *testing.T, flags ...string) []listed {
	t.Helper()
	arguments := append([]string{"list", "-json=ImportPath,ForTest,Imports,TestImports,XTestImports,Deps"}, flags...)
	output, err := exec.Command("go", append(arguments, "./...")...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	decoder := json.NewDecoder(bytes.NewReader(output))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// inside tells whether path is tree or lies below it.
func inside(path, tree string) bool {
	return path == tree || strings.HasPrefix(path, tree+"/")
}

// owner gives the key of allowed that path (without the module's name) falls under, or "".
func owner(path string) string {
	for name := range allowed {
		if inside(path, name) {
			return name
		}
	}
	return ""
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t) {
		path, ours := strings.CutPrefix(p.ImportPath, module+"/")
		if !ours {
			continue // this package, the root
		}
		name := owner(path)
		if name == "" && !slices.Contains(leaves, path) {
			t.Errorf("package %s has no place in the architecture: add it to `allowed` and to docs/architecture.md", path)
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if inside(imported, gotch) && name != "internal/torch" {
				t.Errorf("%s imports %s: only internal/torch may", path, imported)
			}
			imported, ours := strings.CutPrefix(imported, module+"/")
			if !ours || inside(imported, name) || slices.Contains(leaves, imported) || slices.Contains(allowed[name], owner(imported)) {
				continue
			}
			t.Errorf("%s imports %s: it may import %v of ours", path, imported, allowed[name])
		}
	}
}

// TestPureListIsWhole holds the list of packages that `just test-pure` tests against the packages that there are.
func TestPureListIsWhole(t *testing.T) {
	text, err := os.ReadFile("justfile")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "pure := \"")
	quoted, _, _ := strings.Cut(rest, "\"")
	patterns := strings.Fields(quoted)
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		if p.ImportPath == module || slices.Contains(needTorch, owner(path)) && path != "models/pth" {
			continue
		}
		if !slices.ContainsFunc(patterns, func(pattern string) bool {
			return inside(path, strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/..."))
		}) {
			t.Errorf("the justfile's list of pure packages lacks %s", path)
		}
	}
}

// TestPurePackagesNeedNoLibtorch looks at whole dependency trees, tests included.
func TestPurePackagesNeedNoLibtorch(t *testing.T) {
	for _, p := range list(t, "-test") {
		path, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module+"/"), " ")
		path = strings.TrimSuffix(strings.TrimSuffix(path, ".test"), "_test")
		if slices.Contains(needTorch, owner(path)) {
			continue
		}
		for _, dep := range p.Deps {
			if inside(dep, gotch) {
				t.Errorf("%s reaches %s, so it cannot be built without libtorch", p.ImportPath, dep)
				break
			}
		}
	}
}

// TestDurabilityNamesTests holds docs/durability.md to the tests that it names.
func TestDurabilityNamesTests(t *testing.T) {
	page, err := os.ReadFile("docs/durability.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`(?m)^func ((Test|Fuzz)\w+)\(`).FindAllSubmatch(source, -1) {
			found[string(name[1])] = true
		}
		return err
	})
	named := regexp.MustCompile("`((Test|Fuzz)\\w+)`").FindAllSubmatch(page, -1)
	if err != nil || len(named) < 20 {
		t.Fatalf("%d tests are named, %v", len(named), err)
	}
	for _, name := range named {
		if !found[string(name[1])] {
			t.Errorf("docs/durability.md names %s, which is no test", name[1])
		}
	}
}
