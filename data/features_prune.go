package data

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// FeatureUse names features that are needed.
type FeatureUse struct {
	Encoder   string
	ImageSize int
	Hash      string // [Features.Hash]; "" for all features of the encoder at that size
}

// KeptFeatures is a file of a cache and what pruning does with it. Its JSON is a stable
// interface.
type KeptFeatures struct {
	File     string    `json:"file"` // its name
	Pictures int       `json:"pictures"`
	Bytes    int64     `json:"bytes"` // its size on disk
	LastUsed time.Time `json:"last_used"`
	State    string    `json:"state"` // one of the constants below
}

// What pruning does with a file.
const (
	FeaturesNeeded  = "needed"  // kept: it is in use
	FeaturesRecent  = "recent"  // kept: it was used recently
	FeaturesBusy    = "busy"    // kept: a process is computing features of its spec
	FeaturesRemoved = "removed" // removed, or would be in a dry run
)

// PruneFeatures removes the files of features in dir that are neither in uses nor were used after
// since, and returns all files. It also removes what killed processes and earlier versions left
// there. In a dry run it removes nothing. Processes that have a file open can still read it.
func PruneFeatures(dir string, uses []FeatureUse, since time.Time, dry bool) ([]KeptFeatures, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return []KeptFeatures{}, nil
	}
	if err != nil {
		return nil, err
	}
	lists := usedFiles(dir, entries, uses, since)
	kept := []KeptFeatures{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // removed just now, or not ours
		}
		path := filepath.Join(dir, e.Name())
		if isLeftover(e.Name()) || strings.HasSuffix(e.Name(), partsEnding) && !lists.kept[e.Name()] {
			if old := info.ModTime().Before(since) && time.Since(info.ModTime()) > time.Hour; old && !dry {
				if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
					return kept, err
				}
			}
			continue
		}
		if !strings.HasSuffix(e.Name(), featureEnding) {
			continue
		}
		k := KeptFeatures{File: e.Name(), Bytes: diskBytes(info), LastUsed: info.ModTime()}
		if last := lists.last[e.Name()]; last.After(k.LastUsed) {
			k.LastUsed = last
		}
		head, err := headerOf(path)
		k.Pictures = head.Rows
		switch {
		case err == nil && (lists.needed[e.Name()] || named(e.Name(), uses)):
			k.State = FeaturesNeeded
		case !k.LastUsed.Before(since):
			k.State = FeaturesRecent
		default:
			if k.State, err = removeFeatures(path, head.Spec, err == nil, dry); err != nil {
				return kept, err
			}
		}
		kept = append(kept, k)
	}
	slices.SortFunc(kept, func(a, b KeptFeatures) int { return cmp.Compare(a.File, b.File) })
	return kept, nil
}

// usedLists is what the lists of parts say about files.
type usedLists struct {
	kept   map[string]bool      // lists to keep
	needed map[string]bool      // files that the list of a needed data set names
	last   map[string]time.Time // when a file was opened last
}

// usedFiles reads the lists of parts.
func usedFiles(dir string, entries []os.DirEntry, uses []FeatureUse, since time.Time) usedLists {
	lists := usedLists{kept: map[string]bool{}, needed: map[string]bool{}, last: map[string]time.Time{}}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), partsEnding) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		needed := named(e.Name(), uses)
		lists.kept[e.Name()] = needed || !info.ModTime().Before(since)
		for name := range strings.Lines(string(text)) {
			name = strings.TrimSuffix(name, "\n")
			lists.needed[name] = lists.needed[name] || needed
			if info.ModTime().After(lists.last[name]) {
				lists.last[name] = info.ModTime()
			}
		}
	}
	return lists
}

// named reports whether the name of a file, or of a list of parts, belongs to one of the uses.
func named(name string, uses []FeatureUse) bool {
	return slices.ContainsFunc(uses, func(u FeatureUse) bool {
		stem := FeatureSpec{Encoder: u.Encoder, ImageSize: u.ImageSize}.stem()
		return strings.HasPrefix(name, stem+u.Hash[:min(16, len(u.Hash))])
	})
}

// isLeftover reports whether a killed process or an earlier version left the file.
func isLeftover(name string) bool {
	return strings.Contains(name, featureEnding+".") || // unfinished ones, and locks of earlier versions
		strings.HasPrefix(name, "pictures-") && strings.HasSuffix(name, ".txt") // hashes of earlier versions
}

// headerOf reads the header of a file of features.
func headerOf(path string) (featureHeader, error) {
	file, err := os.Open(path)
	if err != nil {
		return featureHeader{}, err
	}
	defer file.Close()
	head := make([]byte, fixedHeader+maxHeader)
	n, err := file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return featureHeader{}, err
	}
	h, _, err := parseHeader(head[:n])
	return h, err
}

// removeFeatures removes a file unless a process is filling files of its spec. A damaged file has
// no spec, so no process fills it.
func removeFeatures(path string, spec FeatureSpec, whole, dry bool) (state string, err error) {
	if !whole {
		if !dry {
			err = os.Remove(path)
		}
		return FeaturesRemoved, err
	}
	f := &Features{cache: Cache{Dir: filepath.Dir(path)}, spec: spec}
	defer func() { err = errors.Join(err, f.Close()) }()
	filling, err := f.lockFile(".fill")
	if err != nil {
		return "", err
	}
	defer filling.Close()
	free, err := tryLock(filling)
	switch {
	case err != nil:
		return "", err
	case !free:
		return FeaturesBusy, nil
	case dry:
		return FeaturesRemoved, nil
	}
	return FeaturesRemoved, f.locked(func() error { return os.Remove(path) })
}
