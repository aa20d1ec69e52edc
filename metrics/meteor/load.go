package meteor

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"glimpse/internal/atomicfile"
)

// Where METEOR 1.5's English data lie, in its jar or where that was unpacked,
// and beside the jar.
const (
	jarName              = "meteor-1.5.jar"
	functionWordsFile    = "function/english.words"
	prefixesFile         = "nonbreaking/english.prefixes"
	synsetsFile          = "synonym/english.synsets"
	exceptionsFile       = "synonym/english.exceptions"
	paraphrasesFile      = "data/paraphrase-en.gz"
	paraphrasesBesideJar = "paraphrase-en.gz"
)

// PackName is the name under which [Load] finds packed data in a folder.
const PackName = "meteor-en.pack"

// Load loads METEOR 1.5's English data: function words, words that keep
// their period, WordNet's synonyms and the paraphrase table. It takes
//
//   - the jar meteor-1.5.jar with data/paraphrase-en.gz beside it, as the Python
//     package pycocoevalcap has them, or the folder that holds these: some
//     seconds to read;
//   - a folder with the jar's files unpacked, likewise;
//   - what [Pack] made of one of these, or the folder that holds it under
//     the name [PackName]: a fraction of a second.
//
// They take some 50 MB of memory. A path or a file that does not exist gives
// an error that wraps [fs.ErrNotExist].
func Load(path string) (*Data, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("METEOR data: %w", err)
	}
	file := path
	if info.IsDir() {
		file = filepath.Join(path, PackName)
	}
	if packed, err := isPack(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("METEOR data: %w", err)
	} else if !packed {
		data, err := readRaw(path)
		if err != nil {
			return nil, err
		}
		return openPack(data.pack())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("METEOR data: %w", err)
	}
	m, err := openPack(data)
	if err != nil {
		return nil, fmt.Errorf("METEOR data in %s: %w: delete it and pack the data again", file, err)
	}
	return m, nil
}

// Pack reads METEOR's data where [Load] would find them and writes
// them to one file that loads at once. The file appears whole or not at all.
func Pack(path, file string) error {
	data, err := readRaw(path)
	if err != nil {
		return err
	}
	err = atomicfile.Write(file, func(w io.Writer) error {
		_, err := w.Write(data.pack())
		return err
	})
	if err != nil {
		return fmt.Errorf("METEOR data: %w", err)
	}
	return nil
}

// isPack reports whether a file holds packed data.
func isPack(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := make([]byte, len(packMagic))
	if _, err := io.ReadFull(f, magic); err != nil {
		return false, nil // too short, so something else
	}
	return bytes.Equal(magic, []byte(packMagic)), nil
}

// readRaw reads METEOR's own files.
func readRaw(path string) (*rawData, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("METEOR data: %w", err)
	}
	dir, jar := path, filepath.Join(path, jarName)
	if !info.IsDir() {
		dir, jar = filepath.Dir(path), path
	} else if _, err := os.Stat(jar); errors.Is(err, fs.ErrNotExist) {
		return readFiles(os.DirFS(dir), dir)
	}
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return nil, fmt.Errorf("METEOR data: %s is not METEOR's jar: %w", jar, err)
	}
	defer archive.Close()
	return readFiles(archive, dir)
}
