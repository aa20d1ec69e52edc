package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// compiled is the text of a data set, read and tokenized, in flat arrays: in memory, or in a
// mapped file. It contains no pictures, and nothing that depends on the other options.
type compiled struct {
	head compiledHead

	// Of each image, in the order of the corpus.
	ids, names texts  // see entry; a name is of a picture below its folder
	places     []byte // four uint32: index of Files, line, index of Folders, index of splitNames + 1 or 0 for none
	captions   ends   // in texts

	// Of each caption, image by image.
	texts  texts
	tokens ends // in ids of words

	wordIDs []byte   // of the tokens: uint32, indices of words
	words   []string // all different words of the captions
}

// compiledHead is the JSON at the head of a compiled data set.
type compiledHead struct {
	Program   string   `json:"program"`   // see program
	Tokenizer string   `json:"tokenizer"` // that split the captions
	Sources   sources  `json:"sources"`
	Files     []string `json:"files"`   // text files that list images, below the root
	Folders   []string `json:"folders"` // see entry.folder
	Notes     []Note   `json:"notes"`   // their files are below the root
}

// compiledMagic starts the file of a compiled data set. Its number is raised when the layout
// changes, or when the readers interpret the same files differently.
const compiledMagic = "glimpse data set 4\n"

// program identifies the build of this program, if known: another build may read the same files
// differently.
var program = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	name := info.Main.Version
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs.") {
			name += " " + s.Value
		}
	}
	return name
})

// compileAtOnce is how many images are tokenized together.
const compileAtOnce = 4096

// compile tokenizes a corpus, on all cores, and lays it out in flat arrays. It leaves out
// captions without words, with a note, and images with neither captions nor a split, without one.
func compile(c *corpus, o Options) (*compiled, error) {
	k := newCompiler()
	k.head = compiledHead{Program: program(), Tokenizer: o.Tokenizer, Sources: c.sources}
	for block := range slices.Chunk(c.images, compileAtOnce) {
		for i, words := range c.tokenize(block, o.Tokenize) {
			e := block[i]
			if e.split == "" && len(e.captions) == 0 {
				continue
			}
			var err error
			if e.file, err = filepath.Rel(o.Root, e.file); err != nil {
				return nil, err
			}
			k.add(e, words)
		}
	}
	if max(len(k.ids.text), len(k.names.text), len(k.texts.text), len(k.wordIDs)) > math.MaxUint32 {
		return nil, Error{File: o.Root, Msg: "contains more than 4 GB of captions"}
	}
	for _, note := range c.notes.notes {
		var err error
		if note.File, err = filepath.Rel(o.Root, note.File); err != nil {
			return nil, err
		}
		k.head.Notes = append(k.head.Notes, note)
	}
	return &k.compiled, nil
}

// compiler lays out images one after the other.
type compiler struct {
	compiled
	word, file, folder map[string]int // where each stands in its list
}

func newCompiler() *compiler {
	return &compiler{word: make(map[string]int), file: make(map[string]int), folder: make(map[string]int)}
}

// add adds an image with the words of its captions.
func (k *compiler) add(e entry, words [][]string) {
	put := func(row *[]byte, n int) { *row = binary.LittleEndian.AppendUint32(*row, uint32(n)) }
	k.ids.add(e.id)
	k.names.add(e.name)
	put(&k.places, indexIn(&k.head.Files, k.file, e.file))
	put(&k.places, e.line)
	put(&k.places, indexIn(&k.head.Folders, k.folder, e.folder))
	put(&k.places, 1+slices.Index(splitNames, e.split))
	for n, caption := range e.captions {
		k.texts.add(caption.text)
		for _, word := range words[n] {
			put(&k.wordIDs, indexIn(&k.words, k.word, word))
		}
		put((*[]byte)(&k.tokens), len(k.wordIDs)/4)
	}
	put((*[]byte)(&k.captions), k.texts.len())
}

// indexIn returns the index of an item in a list of distinct items, and adds a new one.
func indexIn(list *[]string, known map[string]int, item string) int {
	i, found := known[item]
	if !found {
		i = len(*list)
		known[item] = i
		*list = append(*list, item)
	}
	return i
}

// compiledPath returns the file of a compiled data set: one for each folder, name, split and
// captions file.
func (o Options) compiledPath(folder string) (string, error) {
	root, err := rootHash(o.Root)
	return filepath.Join(folder, fmt.Sprintf("%s-%s-%s%s.dataset", o.Name, o.Split, root, o.ownHash())), err
}

// readCompiled returns the compiled text of the data set. It reads, compiles and caches it unless
// the cache has it.
func readCompiled(o Options) (*compiled, error) {
	var kept string
	for _, folder := range o.Cache.folders() {
		path, err := o.compiledPath(folder)
		if err != nil {
			return nil, err
		}
		k, err := openCompiled(path)
		switch {
		case err == nil && k.head.Program == program() && k.head.Tokenizer == o.Tokenizer && k.head.Sources.unchanged(o.Root):
			return k, nil
		case err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errVersion):
			o.Cache.remark(path, "compiled data set %v; rebuilding it", err)
		}
		if folder == o.Cache.Dir {
			kept = path
		}
	}
	read := map[string]func(Options) (*corpus, error){
		"flickr8k": flickr8k.read, "flickr30k": flickr30k.read, "coco": readCOCO, "folder": readFolder,
	}
	c, err := read[o.Name](o)
	if err != nil {
		return nil, err
	}
	k, err := compile(c, o)
	if err != nil || kept == "" || o.Tokenizer == "" {
		return k, err
	}
	if err = os.MkdirAll(o.Cache.Dir, 0o777); err == nil {
		err = k.write(kept)
	}
	if err != nil {
		o.Cache.remark(kept, "cannot store the compiled data set: %v", err)
		return k, nil
	}
	if mapped, err := openCompiled(kept); err == nil {
		k = mapped // what was read into memory can go
	}
	return k, nil
}

// write writes the file of a compiled data set.
func (k *compiled) write(path string) error {
	var words texts
	for _, word := range k.words {
		words.add(word)
	}
	return writeFlat(path, compiledMagic, k.head, k.ids.ends, k.ids.text, k.names.ends, k.names.text, k.places, k.captions,
		k.texts.ends, k.texts.text, k.tokens, k.wordIDs, words.ends, words.text)
}

// openCompiled maps and checks the file of a compiled data set.
func openCompiled(path string) (*compiled, error) {
	k := new(compiled)
	blocks, err := openFlat(path, compiledMagic, &k.head)
	if err != nil {
		return nil, err
	}
	if !k.use(blocks) {
		return nil, errors.New("is inconsistent")
	}
	return k, nil
}

// use takes the blocks of a file, and returns false if they are inconsistent.
func (k *compiled) use(blocks [][]byte) bool {
	if len(blocks) != 12 {
		return false
	}
	block := func() []byte {
		first := blocks[0]
		blocks = blocks[1:]
		return first
	}
	var words texts
	for _, t := range []*texts{&k.ids, &k.names} {
		t.ends, t.text = block(), block()
	}
	k.places, k.captions = block(), block()
	k.texts.ends, k.texts.text = block(), block()
	k.tokens, k.wordIDs = block(), block()
	words.ends, words.text = block(), block()

	images := k.ids.len()
	whole := k.ids.whole() && k.names.whole() && k.texts.whole() && words.whole()
	if !whole || k.names.len() != images || k.captions.len() != images || len(k.places) != 4*4*images ||
		!k.captions.cover(k.texts.len()) || k.tokens.len() != k.texts.len() ||
		len(k.wordIDs)%4 != 0 || !k.tokens.cover(len(k.wordIDs)/4) {
		return false
	}
	for i := range images {
		file, _, folder, split := k.placeOf(i)
		if file >= len(k.head.Files) || folder >= len(k.head.Folders) || split > len(splitNames) {
			return false
		}
	}
	for at := 0; at < len(k.wordIDs)/4; at++ {
		if number(k.wordIDs, at) >= words.len() {
			return false
		}
	}
	k.words = make([]string, words.len())
	for w := range k.words {
		k.words[w] = string(words.at(w))
	}
	return true
}

// place returns the numbers of places for an image.
func (k *compiled) placeOf(i int) (file, line, folder, split int) {
	at := 4 * i
	return number(k.places, at), number(k.places, at+1), number(k.places, at+2), number(k.places, at+3)
}

// captionsOf counts the captions of an image.
func (k *compiled) captionsOf(image int) int {
	first, last := k.captions.span(image)
	return last - first
}

// length counts the words of a caption.
func (k *compiled) length(caption int) int {
	from, to := k.tokens.span(caption)
	return to - from
}

// wordsOf returns the words of a caption, as their places in words.
func (k *compiled) wordsOf(caption int) iter.Seq[int] {
	from, to := k.tokens.span(caption)
	return func(yield func(int) bool) {
		for at := from; at < to && yield(number(k.wordIDs, at)); at++ {
		}
	}
}
