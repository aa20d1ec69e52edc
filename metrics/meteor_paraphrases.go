package metrics

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
	"strings"
)

// unknownWord is the number of a word that no paraphrase has.
const unknownWord = math.MaxUint16

// paraphrases is the paraphrase table: which phrases may stand for one another.
type paraphrases struct {
	words map[string]uint16 // word → number
	// phrases gives the paraphrases of a phrase (its words joined by spaces)
	// as a range of entries: for each the number of words, then the words.
	phrases map[string]span
	entries []uint16
	// longest gives, for the first two words of phrases that have
	// paraphrases, the number of words of the longest such phrase.
	longest map[[2]uint16]int
}

type span struct{ from, to uint32 }

func (p *paraphrases) word(w string) uint16 {
	if id, ok := p.words[w]; ok {
		return id
	}
	return unknownWord
}

// find returns the phrases of a sentence that have paraphrases, in order of
// where they begin, shorter ones first.
func (p *paraphrases) find(s sentence) []phrase {
	var out []phrase
	for start, w := range s.words {
		if w.alone.to > 0 {
			out = append(out, phrase{start, 1, w.alone})
		}
		if start+1 == len(s.words) {
			break
		}
		longest := p.longest[[2]uint16{w.paraphrase, s.words[start+1].paraphrase}]
		for length := 2; length <= longest && start+length <= len(s.words); length++ {
			if where, ok := p.phrases[strings.Join(s.text[start:start+length], " ")]; ok {
				out = append(out, phrase{start, length, where})
			}
		}
	}
	return out
}

func loadParaphraseFile(dir string) (*paraphrases, error) {
	name := meteorParaphrases
	file, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		if flat, flatErr := os.Open(filepath.Join(dir, meteorParaphrasesFlat)); flatErr == nil {
			name, file, err = meteorParaphrasesFlat, flat, nil
		}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p, err := readParaphrases(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// readParaphrases reads the table: gzip of three lines for each paraphrase, a
// probability (unused), the phrase, what may stand for it.
func readParaphrases(r io.Reader) (*paraphrases, error) {
	unzip, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	b := &paraphraseBuilder{table: &paraphrases{
		words: make(map[string]uint16), phrases: make(map[string]span), longest: make(map[[2]uint16]int),
	}}
	if err := pipeLines(unzip, b.line); err != nil {
		return nil, err
	}
	if err := b.finish(); err != nil {
		return nil, err
	}
	return b.table, nil
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
	for b := range blocks {
		data := b.data
		for {
			end := bytes.IndexByte(data, '\n')
			if end < 0 {
				rest = append(rest, data...)
				break
			}
			line := data[:end]
			if len(rest) > 0 {
				line = append(rest, line...)
			}
			if err := f(line); err != nil {
				return err
			}
			rest, data = rest[:0], data[end+1:]
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

// paraphraseBuilder takes the lines of the table, in which the paraphrases of
// one phrase follow one another.
type paraphraseBuilder struct {
	table  *paraphrases
	lines  int
	phrase []byte   // the phrase whose paraphrases are being read
	words  []uint16 // its words
	from   uint32   // where its paraphrases begin
}

func (b *paraphraseBuilder) line(line []byte) error {
	defer func() { b.lines++ }()
	switch b.lines % 3 {
	case 1:
		if !bytes.Equal(line, b.phrase) {
			if err := b.closePhrase(); err != nil {
				return err
			}
			b.phrase = append(b.phrase[:0], line...)
			b.words = b.words[:0]
			return b.eachWord(line, func(id uint16) { b.words = append(b.words, id) })
		}
	case 2:
		t := b.table
		start := len(t.entries)
		t.entries = append(t.entries, 0)
		err := b.eachWord(line, func(id uint16) {
			t.entries = append(t.entries, id)
			t.entries[start]++
		})
		if err != nil {
			return err
		}
		if t.entries[start] == 0 || len(t.entries) > math.MaxUint32 {
			return fmt.Errorf("line %d: no paraphrase, or too many", b.lines+1)
		}
	}
	return nil
}

// eachWord gives the words of a phrase their numbers.
func (b *paraphraseBuilder) eachWord(phrase []byte, f func(id uint16)) error {
	for len(phrase) > 0 {
		word, rest, _ := bytes.Cut(phrase, []byte{' '})
		phrase = rest
		if len(word) == 0 {
			continue
		}
		id, ok := b.table.words[string(word)]
		if !ok {
			if len(b.table.words) == unknownWord {
				return fmt.Errorf("line %d: more than %d different words", b.lines+1, unknownWord)
			}
			id = uint16(len(b.table.words))
			b.table.words[string(word)] = id
		}
		f(id)
	}
	return nil
}

func (b *paraphraseBuilder) closePhrase() error {
	to := uint32(len(b.table.entries))
	if to > b.from {
		phrase := string(b.phrase)
		if _, ok := b.table.phrases[phrase]; ok {
			return fmt.Errorf("line %d: the paraphrases of %q are not together; the table must be sorted", b.lines+1, phrase)
		}
		b.table.phrases[phrase] = span{b.from, to}
		if len(b.words) > 1 {
			first := [2]uint16(b.words)
			b.table.longest[first] = max(b.table.longest[first], len(b.words))
		}
	}
	b.from = to
	return nil
}

func (b *paraphraseBuilder) finish() error {
	if b.lines == 0 || b.lines%3 != 0 {
		return fmt.Errorf("the table ends at line %d, within a paraphrase; get it again", b.lines)
	}
	return b.closePhrase()
}
