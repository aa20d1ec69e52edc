package metrics

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Where METEOR 1.5's English data lie, in its jar or where that was unpacked,
// and beside the jar.
const (
	meteorJar             = "meteor-1.5.jar"
	meteorFunctionWords   = "function/english.words"
	meteorPrefixes        = "nonbreaking/english.prefixes"
	meteorSynsets         = "synonym/english.synsets"
	meteorExceptions      = "synonym/english.exceptions"
	meteorParaphrases     = "data/paraphrase-en.gz"
	meteorParaphrasesFlat = "paraphrase-en.gz"
)

// LoadMeteor loads METEOR 1.5's English data: function words, words that keep
// their period, WordNet's synonyms and the paraphrase table. It takes the jar
// meteor-1.5.jar with data/paraphrase-en.gz beside it, as the Python package
// pycocoevalcap has them, the folder that holds these, or a folder with the
// jar's files unpacked. The data are some 100 MB in memory and take a few
// seconds to read. A path that does not exist gives an error that wraps
// [fs.ErrNotExist].
func LoadMeteor(path string) (*Meteor, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("METEOR data: %w", err)
	}
	dir, jar := path, filepath.Join(path, meteorJar)
	if !info.IsDir() {
		dir, jar = filepath.Dir(path), path
	} else if _, err := os.Stat(jar); errors.Is(err, fs.ErrNotExist) {
		return loadMeteor(os.DirFS(dir), dir)
	}
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return nil, fmt.Errorf("METEOR data: %s is not METEOR's jar: %w", jar, err)
	}
	defer archive.Close()
	return loadMeteor(archive, dir)
}

// loadMeteor reads the small files from files and the paraphrase table from
// the folder dir.
func loadMeteor(files fs.FS, dir string) (*Meteor, error) {
	m := &Meteor{functionWords: make(map[string]bool), prefixes: make(map[string]prefixKind)}
	var wg sync.WaitGroup
	var paraphraseErr error
	wg.Go(func() { m.paraphrases, paraphraseErr = loadParaphraseFile(dir) })
	err := errors.Join(
		readLines(files, meteorFunctionWords, func(line string) error {
			m.functionWords[line] = true
			return nil
		}),
		readLines(files, meteorPrefixes, func(line string) error {
			fields := strings.Fields(line)
			switch {
			case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
			case len(fields) > 1 && fields[1] == "#NUMERIC_ONLY#":
				m.prefixes[fields[0]] = prefixBeforeNumber
			default:
				m.prefixes[fields[0]] = prefixAlways
			}
			return nil
		}),
		m.loadSynonyms(files),
	)
	wg.Wait()
	if err = errors.Join(err, paraphraseErr); err != nil {
		return nil, fmt.Errorf("METEOR data in %s: %w", dir, err)
	}
	return m, nil
}

func (m *Meteor) loadSynonyms(files fs.FS) error {
	m.synonyms = newSynonyms()
	word := ""
	err := readLines(files, meteorSynsets, func(line string) error {
		if word == "" {
			word = line
			return nil
		}
		var sets []int32
		for _, field := range strings.Fields(line) {
			n, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				return fmt.Errorf("word %q: synset %q is not a number", word, field)
			}
			sets = append(sets, int32(n))
		}
		m.synonyms.addWord(word, sets)
		word = ""
		return nil
	})
	base := ""
	return errors.Join(err, readLines(files, meteorExceptions, func(line string) error {
		if base == "" {
			base = line
			return nil
		}
		m.synonyms.addForms(base, strings.Fields(line))
		base = ""
		return nil
	}))
}

// readLines calls f for each line of a file.
func readLines(files fs.FS, name string, f func(line string) error) error {
	file, err := files.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer file.Close()
	return eachLine(file, name, f)
}

func eachLine(r io.Reader, name string, f func(line string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	n := 0
	for lines.Scan() {
		n++
		if err := f(lines.Text()); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return nil
}
