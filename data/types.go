package data

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Options say which data set to load and how to read it. They determine the Dataset: equal
// options and equal files give equal data sets, whatever is in the cache.
type Options struct {
	Name             string                // flickr8k, flickr30k, coco, shapes or folder
	Root             string                // directory of the data set; unused by shapes
	Split            string                // official, karpathy or seed; for a folder column, lists or drawn
	Captions         Captions              // folder: the file of captions
	Partition        Partition             // folder: the parts of split lists or drawn
	MinCount         int                   // least occurrences of a word in the vocabulary; 0 is 5
	CaptionsPerImage int                   // C, captions of an image in a batch; 0 is 5
	MaxLength        int                   // words kept of a training caption; 0 is 24
	Images           int                   // shapes: how many scenes; 0 is 3,000
	Seed             int64                 // shapes: drawing seed
	Vocabulary       string                // words counted on: train (also "") or corpus
	OnBroken         string                // what to do with images whose picture is broken: Refuse (also "") or Skip
	Tokenize         func(string) []string // caption to lower-case words; called from several goroutines at once
	Tokenizer        string                // names Tokenize and its version; "" disables the compiled data set
	looks            bool                  // set by Look
	Cache            Cache                 // for the compiled data set and checked pictures
}

// Image is one picture with its reference captions.
type Image struct {
	ID   string // file name in the corpus, or scene number for shapes
	Path string // picture file; "" for shapes

	text *compiled // with its captions
	at   int       // its index there
}

// NewImage returns an image, outside any corpus, with captions of these words.
func NewImage(id, path string, tokens [][]string) Image {
	k, e := newCompiler(), entry{id: id}
	for _, words := range tokens {
		e.captions = append(e.captions, row{text: strings.Join(words, " ")})
	}
	k.add(e, tokens)
	return Image{ID: id, Path: path, text: &k.compiled}
}

// Captions returns the captions as written in the corpus, in file order.
func (m Image) Captions() []string {
	var captions []string
	for c := range m.captions() {
		captions = append(captions, string(m.text.texts.at(c)))
	}
	return captions
}

// Tokens returns the captions tokenized by Options.Tokenize, in the same order.
func (m Image) Tokens() [][]string {
	var tokens [][]string
	for c := range m.captions() {
		words := make([]string, 0, m.text.length(c))
		for w := range m.text.wordsOf(c) {
			words = append(words, m.text.words[w])
		}
		tokens = append(tokens, words)
	}
	return tokens
}

// captions returns the indices of the image's captions in its text.
func (m Image) captions() iter.Seq[int] {
	return func(yield func(int) bool) {
		if m.text == nil {
			return
		}
		first, last := m.text.captions.span(m.at)
		for c := first; c < last && yield(c); c++ {
		}
	}
}

// Dataset is a loaded data set. It is safe for concurrent use as long as its fields are not
// modified.
type Dataset struct {
	Name, Split string           // as resolved from the options
	Images      []Image          // in file order; may include images in no split
	Splits      map[string][]int // "train", "val", "test" to ascending indices of Images
	Vocabulary  *Vocabulary
	Notes       []Note   // what was left out, in file order
	Broken      []Broken // images of the splits that were left out, see Options.OnBroken
	Hash        string   // sha256 hex over split names, image IDs and captions in the splits
	Options     Options  // the options with defaults filled in

	scenes   []scene        // shapes only
	pictures *knownPictures // nil for shapes
}

// Note reports data that was left out or read leniently.
type Note struct {
	File   string `json:"file"`   // path of the file; "" for drawn scenes
	Line   int    `json:"line"`   // line of the first occurrence, from 1; 0 if none
	Reason string `json:"reason"` // what was found and what was done
	Count  int    `json:"count"`  // how many times
}

// String returns the note as "file:line: reason (count)".
func (n Note) String() string {
	return fmt.Sprintf("%s (%d)", Error{File: n.File, Line: n.Line, Msg: n.Reason}.Error(), n.Count)
}

// Error is a fault in a data file. Its text is "file:line: message"; the message says what to do.
type Error struct {
	File string // path as opened
	Line int    // from 1; 0 if the fault has no line
	Msg  string
}

// Error implements the error interface.
func (e Error) Error() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	default:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
}

// Batch contains the captions of B images, C per image, padded to the longest.
type Batch struct {
	Images []int   // B indices into Dataset.Images
	Tokens []int64 // B×C×T row-major; PadID after </s>; all PadID in rows without a caption
	C, T   int     // captions per image, tokens per caption (with <s> and </s>)
}

// Caption is a caption that a model generated.
type Caption struct {
	Image   int       // index into Dataset.Images
	Words   []string  // without special words
	LogProb float64   // sum of the log probabilities of the words, and of </s> if generated
	Beta    []float64 // per word: weight of the sentinel; nil unless adaptive
	Entropy []float64 // per word: entropy of the attention over regions, in nats; nil without attention
	// Alpha has, per word, the weights of the R regions, row by row of the grid; nil without
	// attention. They sum to 1, or to 1-β with a sentinel.
	Alpha [][]float32
}

// Reading holds the log probabilities, in nats per word, that a captioner assigns to the words of
// a given caption, each after the words before it (teacher forcing), with the caption's picture
// and without parts of what it provides. What an arm does not have is nil.
type Reading struct {
	LogProb []float64 // with the caption's picture
	End     float64   // log probability, with its own picture, that the caption ends after its last word
	Other   []float64 // with another picture
	Regions []float64 // with the other picture's regions to attend to, but the recurrence sees its own; not for arm none
	Even    []float64 // with uniform attention over the regions and β unchanged; soft and adaptive
	Beta    []float64 // weight of the sentinel, with the caption's picture; adaptive
	// BetaOther is the weight of the sentinel with the other picture.
	BetaOther []float64
}

// ErrDiverged is wrapped by the error of training with a loss or gradient that is not finite.
var ErrDiverged = errors.New("training diverged")

// EpochResult is the result of one epoch of training.
type EpochResult struct {
	// Loss is the mean over the epoch's steps: of the cross entropy in nats per token or, in
	// reinforcement, of the negative reward.
	Loss     float64
	LR       float64  // learning rate of the last step
	Captions int      // captions trained on
	Samples  *Samples // for an epoch of reinforcement; else nil
}
