package meteor

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// What the table may hold at most: some three times what METEOR 1.5's does. A gzip file may unpack to a thousand times its
// size.
const (
	mostTable   = 1 << 30 // bytes, unpacked
	mostPhrases = 1 << 21 // that have paraphrases
	mostEntries = 1 << 26 // numbers of words in all paraphrases, and one for each of these
	mostLine    = 1 << 10 // bytes
)

// unknownWord is the number of a word that no paraphrase has.
const unknownWord = math.MaxUint16

// paraphraseTable is METEOR's table of phrases that may stand for one another.
type paraphraseTable struct {
	words map[string]uint16 // word → number, in order of appearance
	// phrases have paraphrases; those are in entries, for each the number of
	// words, then the words.
	phrases []paraphrased
	entries []uint16
}

type paraphrased struct {
	words    []uint16
	from, to int // in entries
}

func readParaphraseFile(dir string) (*paraphraseTable, error) {
	name := paraphrasesFile
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		if flat, flatErr := os.Open(filepath.Join(dir, paraphrasesBesideJar)); flatErr == nil {
			name, file, err = paraphrasesBesideJar, flat, nil
		}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := readParaphrases(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// readParaphrases reads the table: gzip of three lines for each paraphrase, a
// probability (unused), the phrase, what may stand for it.
func readParaphrases(r io.Reader) (*paraphraseTable, error) {
	unzip, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	b := &paraphraseReader{table: &paraphraseTable{words: make(map[string]uint16)}, seen: make(map[string]bool)}
	bounded := &io.LimitedReader{R: unzip, N: mostTable + 1}
	if err := pipeLines(bounded, b.line); err != nil {
		return nil, err
	}
	if bounded.N == 0 {
		return nil, fmt.Errorf("the table unpacks to more than %d MB; METEOR's own has 260", mostTable>>20)
	}
	if b.lines == 0 || b.lines%3 != 0 {
		return nil, fmt.Errorf("the table ends at line %d, within a paraphrase: download it again", b.lines)
	}
	return b.table, nil
}

// paraphraseReader takes the lines of the table, in which the paraphrases of
// one phrase follow one another.
type paraphraseReader struct {
	table  *paraphraseTable
	lines  int
	phrase []byte // the phrase whose paraphrases are being read
	seen   map[string]bool
}

func (b *paraphraseReader) line(line []byte) error {
	b.lines++
	t := b.table
	switch b.lines % 3 {
	case 2:
		if len(t.phrases) > 0 && bytes.Equal(line, b.phrase) {
			return nil
		}
		// A phrase is its words, however they are spaced.
		line = bytes.Join(bytes.FieldsFunc(line, func(r rune) bool { return r == ' ' }), []byte{' '})
		if len(t.phrases) > 0 && bytes.Equal(line, b.phrase) {
			return nil
		}
		if len(t.phrases) == mostPhrases {
			return fmt.Errorf("line %d: more than %d phrases; METEOR's own table has 431,000", b.lines, mostPhrases)
		}
		if b.seen[string(line)] {
			return fmt.Errorf("line %d: the paraphrases of %q are not adjacent: the table must be sorted", b.lines, line)
		}
		b.seen[string(line)] = true
		b.phrase = append(b.phrase[:0], line...)
		words, err := b.numbers(line, nil)
		t.phrases = append(t.phrases, paraphrased{words, len(t.entries), len(t.entries)})
		return err
	case 0:
		start := len(t.entries)
		var err error
		if t.entries, err = b.numbers(line, append(t.entries, 0)); err != nil {
			return err
		}
		t.entries[start] = uint16(len(t.entries) - start - 1)
		t.phrases[len(t.phrases)-1].to = len(t.entries)
	}
	return nil
}

// numbers appends the numbers of the words of a phrase.
func (b *paraphraseReader) numbers(phrase []byte, to []uint16) ([]uint16, error) {
	before := len(to)
	for len(phrase) > 0 {
		word, rest, _ := bytes.Cut(phrase, []byte{' '})
		phrase = rest
		if len(word) == 0 {
			continue
		}
		id, ok := b.table.words[string(word)]
		if !ok {
			// One less than fits, as packing adds one to each number.
			if len(b.table.words) == unknownWord-1 {
				return to, fmt.Errorf("line %d: more than %d different words", b.lines, unknownWord-1)
			}
			id = uint16(len(b.table.words))
			b.table.words[string(word)] = id
		}
		to = append(to, id)
	}
	if len(to) == before || len(to)-before > math.MaxUint8 {
		return to, fmt.Errorf("line %d: the phrase is empty or too long", b.lines)
	}
	if len(to) > mostEntries {
		return to, fmt.Errorf("line %d: more than %d words of paraphrases", b.lines, mostEntries)
	}
	return to, nil
}

// pipeLines calls f for each line, while the next block is being read.
func pipeLines(r io.Reader, f func(line []byte) error) error {
	const blockSize = 1 << 20
	type block struct {
		data []byte
		err  error
	}
	blocks := make(chan block, 4)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(blocks)
		for {
			data := make([]byte, blockSize)
			n, err := 0, error(nil)
			for n < len(data) && err == nil {
				var more int
				more, err = r.Read(data[n:])
				n += more
			}
			select {
			case blocks <- block{data[:n], err}:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var rest []byte
	lines := 0
	for b := range blocks {
		data := b.data
		for {
			line, more, ended := bytes.Cut(data, []byte{'\n'})
			if len(rest)+len(line) > mostLine {
				return fmt.Errorf("line %d: longer than %d bytes", lines+1, mostLine)
			}
			if !ended {
				rest = append(rest, line...)
				break
			}
			if len(rest) > 0 {
				line = append(rest, line...)
			}
			lines++
			if err := f(line); err != nil {
				return err
			}
			rest, data = rest[:0], more
		}
		if b.err != nil && !errors.Is(b.err, io.EOF) {
			return b.err
		}
	}
	if len(rest) > 0 {
		return f(rest)
	}
	return nil
}
