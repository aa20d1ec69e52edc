package meteor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"glimpse/internal/crash"
)

// rawData are METEOR's data as its files have them.
type rawData struct {
	functionWords []string
	prefixes      map[string]prefixKind
	synsets       map[string][]uint32 // word → synsets
	bases         map[string][]string // irregular form → base forms
	paraphrases   *paraphraseTable
}

// readFiles reads the small files from files and the paraphrase table
// from the folder dir.
func readFiles(files fs.FS, dir string) (*rawData, error) {
	d := &rawData{
		prefixes: make(map[string]prefixKind), synsets: make(map[string][]uint32), bases: make(map[string][]string),
	}
	var wg crash.Workers
	var paraphraseErr error
	wg.Go(func() { d.paraphrases, paraphraseErr = readParaphraseFile(dir) })
	err := errors.Join(
		eachLine(files, functionWordsFile, func(line string) error {
			d.functionWords = append(d.functionWords, line)
			return nil
		}),
		eachLine(files, prefixesFile, d.addPrefix),
		eachPair(files, synsetsFile, d.addSynsets),
		eachPair(files, exceptionsFile, func(base, forms string) error {
			for _, form := range strings.Fields(forms) {
				d.bases[form] = append(d.bases[form], base)
			}
			return nil
		}),
	)
	wg.Wait()
	if err = errors.Join(err, paraphraseErr); err != nil {
		return nil, fmt.Errorf("METEOR data in %s: %w", dir, err)
	}
	return d, nil
}

func (d *rawData) addPrefix(line string) error {
	fields := strings.Fields(line)
	switch {
	case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
	case len(fields) > 1 && fields[1] == "#NUMERIC_ONLY#":
		d.prefixes[fields[0]] = prefixBeforeNumber
	default:
		d.prefixes[fields[0]] = prefixAlways
	}
	return nil
}

// addSynsets adds a word. WordNet's entries of several words, joined by
// underscores, never match a single one and are left out.
func (d *rawData) addSynsets(word, line string) error {
	if strings.Contains(word, "_") {
		return nil
	}
	var sets []uint32
	for _, field := range strings.Fields(line) {
		n, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			return fmt.Errorf("word %q: synset %q is not a number", word, field)
		}
		sets = append(sets, uint32(n))
	}
	d.synsets[word] = sets
	return nil
}

// mostBytes is how large METEOR's small files may be, unpacked: some ten times METEOR 1.5's own, but for the synsets, twice.
var mostBytes = map[string]int64{functionWordsFile: 1 << 14, prefixesFile: 1 << 14, synsetsFile: 8 << 20, exceptionsFile: 1 << 20}

// eachLine calls f for each line of a file. Entries of a jar may unpack to a thousand times what they take there, whatever
// they claim.
func eachLine(files fs.FS, name string, f func(line string) error) error {
	file, err := files.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer file.Close()
	bounded := &io.LimitedReader{R: file, N: mostBytes[name] + 1}
	lines := bufio.NewScanner(bounded)
	n := 0
	for lines.Scan() {
		if bounded.N == 0 {
			return fmt.Errorf("%s: more than %d KB; METEOR's own is far smaller", name, mostBytes[name]>>10)
		}
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

// eachPair calls f for each two lines of a file.
func eachPair(files fs.FS, name string, f func(first, second string) error) error {
	first, open := "", false
	return eachLine(files, name, func(line string) error {
		if open = !open; open {
			first = line
			return nil
		}
		return f(first, line)
	})
}
