package data

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// maxCaption is the longest caption accepted, in bytes. A longer one comes from a wrong layout or
// an unbalanced quotation mark.
const maxCaption = 4096

// maxCaptions is how many captions one image may have. Published data sets have at most some 50; a file with more names its
// images wrongly.
const maxCaptions = 1000

// usualCaptions is how many captions an image has in the published data sets.
const usualCaptions = 5

// corpus is the parsed files of a data set: images with their captions in file order, each with
// the line of its first mention.
type corpus struct {
	images  []entry
	index   map[string]int // ID to place in images
	numbers map[string]int // of COCO's pictures; see otherYear
	notes   notebook
	sources sources
}

// entry is one image of a corpus.
type entry struct {
	id       string // unique in the corpus
	file     string // text file that lists it
	line     int    // of its first row there; 0 if it has none
	name     string // path of its picture below its folder, with slashes
	folder   string // a folder to search besides the usual ones
	split    string // train, val, test, or "" for none
	captions []row
}

// row is one caption and its place in the file.
type row struct {
	text string
	line int
	key  string // identifies it among the image's captions; "" if nothing does
}

// image returns the entry of an image, and creates it if it is new.
func (c *corpus) image(file string, line int, id string) *entry {
	if c.index == nil {
		c.index = make(map[string]int)
	}
	i, known := c.index[id]
	if !known {
		i = len(c.images)
		c.index[id] = i
		c.images = append(c.images, entry{id: id, file: file, line: line, name: id})
	}
	return &c.images[i]
}

// add adds a caption to an image. It leaves out an empty caption, and one repeated under the same
// key, with a note.
func (c *corpus) add(file string, line int, e *entry, key, text string) error {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxCaption:
		return Error{file, line, fmt.Sprintf("caption of %.80q has %d bytes; the limit is %d: unbalanced quotation mark or wrong file format?", e.id, len(text), maxCaption)}
	case strings.ContainsAny(text, "\r\n"):
		return Error{file, line, fmt.Sprintf("caption of %.80q spans several lines: unbalanced quotation mark?", e.id)}
	case text == "":
		c.notes.add(file, line, "caption is empty: left out")
		return nil
	case len(e.captions) == maxCaptions:
		return Error{file, line, fmt.Sprintf("image %q has more than %d captions: wrong file format?", e.id, maxCaptions)}
	}
	if key != "" {
		for _, r := range e.captions {
			if r.key != key {
				continue
			}
			if r.text != text {
				return Error{file, line, fmt.Sprintf("caption %s of %q differs from the one on line %d: keep only one of them", key, e.id, r.line)}
			}
			c.notes.add(file, line, "duplicate row: left out")
			return nil
		}
	}
	e.captions = append(e.captions, row{text, line, key})
	return nil
}

// oneLine turns a caption into one line without tabs. In JSON, line breaks are escaped, so they
// were typed by an annotator and are no fault of the file as in CSV: COCO's own captions contain
// one.
func oneLine(caption string) string { return lineBreaks.Replace(caption) }

var lineBreaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ", "\v", " ", "\f", " ", "\u0085", " ", "\u2028", " ", "\u2029", " ")

// dropRepeats leaves out captions that repeat an earlier one word for word, as long as the image
// has more than the usual number: two annotators may write the same, but a copied row makes a
// sixth caption.
func (c *corpus) dropRepeats() {
	for i := range c.images {
		e := &c.images[i]
		for k := 1; k < len(e.captions) && len(e.captions) > usualCaptions; k++ {
			same := func(r row) bool { return r.text == e.captions[k].text }
			if slices.ContainsFunc(e.captions[:k], same) {
				c.notes.add(e.file, e.captions[k].line, "duplicate row: left out")
				e.captions = slices.Delete(e.captions, k, k+1)
				k--
			}
		}
	}
}

// checkName rejects a picture name that could lead out of its folder. If folders is set, it may
// contain slashes.
func checkName(file string, line int, name string, folders bool) error {
	bad := func(why string) error {
		return Error{file, line, fmt.Sprintf("picture name %q %s", name, why)}
	}
	switch {
	case name == "":
		return bad("is empty")
	case len(name) > 255:
		return Error{file, line, fmt.Sprintf("picture name has %d bytes; the limit is 255: wrong file format?", len(name))}
	case strings.ContainsFunc(name, unicode.IsControl):
		return bad("contains a control character")
	case strings.ContainsAny(name, `\:`), !folders && strings.Contains(name, "/"):
		return bad("is a path: use a plain file name")
	case !filepath.IsLocal(filepath.FromSlash(name)), path.Clean(name) != name, name == ".":
		return bad("is outside the picture folder")
	}
	return nil
}

// notebook collects notes: one for each file and reason, with the first line and a count, in
// order of occurrence.
type notebook struct {
	notes []Note
}

func (n *notebook) add(file string, line int, reason string) {
	for i := range n.notes {
		if n.notes[i].File == file && n.notes[i].Reason == reason {
			n.notes[i].Count++
			return
		}
	}
	n.notes = append(n.notes, Note{file, line, reason, 1})
}
