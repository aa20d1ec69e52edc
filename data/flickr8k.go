package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"glimpse/internal/term"
)

// Files and folders of the layouts of Flickr8k.
const (
	kaggleCaptions   = "captions.txt"
	originalCaptions = "Flickr8k.token.txt"
)

var flickrFolders = []string{"Images", "images", "Flicker8k_Dataset", "Flickr8k_Dataset"}

// flickr describes one of the two data sets of Flickr pictures.
type flickr struct {
	name     string // data.name
	title    string // for messages
	captions []captionsFile
	lists    []splitList // the official split
	listsIn  string      // where they are published
}

// captionsFile is a possible file of captions; the first that exists is read.
type captionsFile struct {
	name    string
	layout  string // for messages
	telling bool   // no other file has this name
	parse   func(c *corpus, file string, text []byte) error
}

// splitList is a file with the names, or the ids, of a split's images.
type splitList struct{ split, name string }

var flickr8k = flickr{
	name: "flickr8k", title: "Flickr8k",
	captions: []captionsFile{
		{kaggleCaptions, "Kaggle's layout", false, (*corpus).parseCSV},
		{originalCaptions, "its original layout", true, (*corpus).parseTokens},
	},
	lists:   []splitList{{"train", "Flickr_8k.trainImages.txt"}, {"val", "Flickr_8k.devImages.txt"}, {"test", "Flickr_8k.testImages.txt"}},
	listsIn: "Flickr8k_text.zip",
}

var flickr30k = flickr{
	name: "flickr30k", title: "Flickr30k",
	captions: []captionsFile{
		{"results_20130124.token", "its original layout", true, (*corpus).parseTokens},
		{"results.csv", "Kaggle's layout", false, (*corpus).parsePiped},
		{kaggleCaptions, "Kaggle's layout", false, (*corpus).parseCSV},
	},
	lists:   []splitList{{"train", "train.txt"}, {"val", "val.txt"}, {"test", "test.txt"}},
	listsIn: "Flickr30k Entities",
}

// missingLists returns the names of the lists that a folder lacks.
func (f *flickr) missingLists(root string) []string {
	var names []string
	for _, list := range f.lists {
		if !isFile(root, list.name) {
			names = append(names, list.name)
		}
	}
	return names
}

// absentPicture is listed in the published token file, once as it is and once with a stray ".1",
// but was never among the published pictures. The other layout lacks its rows.
const absentPicture = "2258277193_586949ec62.jpg"

// seedTrain is how many images of the split "seed" are for training, in file order; the rest are
// for testing. The system it comes from selects no epoch, so the split has no validation images.
const seedTrain = 7000

// read reads captions and split. If there is no file of captions and the options ask for
// Karpathy's split, it reads both from his file.
func (f *flickr) read(o Options) (*corpus, error) {
	c := new(corpus)
	file, err := f.readCaptions(c, o)
	switch {
	case err != nil:
		return nil, err
	case file == "" && o.Split == "karpathy":
		return c, c.readKarpathy(o)
	case file == "":
		return nil, f.noCaptions(o)
	case len(c.images) == 0:
		return nil, Error{File: file, Msg: "contains no captions"}
	}
	c.dropRepeats()
	switch o.Split {
	case "official":
		err = c.splitByLists(o, f, file)
	case "karpathy":
		err = c.splitByJSON(o, file)
	case "seed":
		err = c.splitBySeed(file)
	}
	return c, err
}

// readCaptions reads the file of captions and returns its path; "" if there is none.
func (f *flickr) readCaptions(c *corpus, o Options) (string, error) {
	for _, captions := range f.captions {
		file := filepath.Join(o.Root, captions.name)
		text, err := c.sources.read(o.Root, file)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			return "", err
		}
		return file, captions.parse(c, file, text)
	}
	return "", nil
}

func (f *flickr) noCaptions(o Options) error {
	var names []string
	for _, captions := range f.captions {
		names = append(names, captions.name)
	}
	return Error{File: o.Root, Msg: fmt.Sprintf("no %s here; unpack %s here, or set data.root to its folder%s",
		strings.Join(names, " or "), f.title, o.instead())}
}

// The headers of captions.txt: that of Flickr8k, and that of Flickr30k.
const (
	plainHeader    = "image,caption"
	numberedHeader = "image_name,comment_number,comment"
)

// parseCSV reads Kaggle's captions.txt: one of the two headers, then one row per caption;
// captions with commas are quoted. Blank rows are skipped.
func (c *corpus) parseCSV(file string, text []byte) error {
	header := ""
	return eachRecord(file, text, ',', func(line int, fields []string) error {
		if header == "" {
			for i := range fields {
				fields[i] = strings.TrimSpace(fields[i])
			}
			if header = strings.Join(fields, ","); header != plainHeader && header != numberedHeader {
				return Error{file, line, fmt.Sprintf("the first line is not %q or, for Flickr30k, %q: wrong file format?", plainHeader, numberedHeader)}
			}
			return nil
		}
		if want := 1 + strings.Count(header, ","); len(fields) != want {
			return Error{file, line, fmt.Sprintf("%s, expected %d (%s); quote captions that contain commas",
				term.Plural(len(fields), "field"), want, header)}
		}
		if header == numberedHeader {
			return c.addNumbered(file, line, fields)
		}
		return c.addFlickr(file, line, strings.TrimSpace(fields[0]), "", fields[1])
	})
}

// eachRecord calls do for each row of comma-separated values, with its line; do must not keep the
// fields. Blank rows are skipped.
func eachRecord(file string, text []byte, comma rune, do func(line int, fields []string) error) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = comma
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if fault := (*csv.ParseError)(nil); errors.As(err, &fault) {
			return Error{file, fault.StartLine, quoteFault(fault)}
		} else if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if len(fields) == 1 && strings.TrimSpace(fields[0]) == "" {
			continue
		}
		if err := do(line, fields); err != nil {
			return err
		}
	}
}

func quoteFault(fault *csv.ParseError) string {
	if errors.Is(fault.Err, csv.ErrBareQuote) {
		return "quotation mark inside an unquoted field; quote the field and double the quotation marks inside"
	}
	return "unbalanced quotation marks; quote the field and double the quotation marks inside"
}

// parseTokens reads the original layout: NAME#K, a tab and the caption.
func (c *corpus) parseTokens(file string, text []byte) error {
	return eachLine(text, func(line int, s string) error {
		label, caption, ok := strings.Cut(s, "\t") // further tabs belong to the caption
		if !ok {
			return Error{file, line, "no tab between NAME#K and the caption"}
		}
		cut := strings.LastIndexByte(label, '#')
		if cut < 0 || !isNumber(label[cut+1:]) {
			return Error{file, line, fmt.Sprintf("%.80q is not NAME#K with a number K", label)}
		}
		return c.addFlickr(file, line, strings.TrimSpace(label[:cut]), label[cut:], oneLine(caption))
	})
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 9 && strings.Trim(s, "0123456789") == ""
}

// addFlickr adds a row of either layout.
func (c *corpus) addFlickr(file string, line int, name, key, caption string) error {
	if err := checkName(file, line, name, false); err != nil {
		return err
	}
	switch {
	case name == absentPicture || name == absentPicture+".1":
		c.notes.add(file, line, "row of "+absentPicture+", which Flickr8k does not contain: left out")
		return nil
	case !IsPicture(name):
		c.notes.add(file, line, "name has no picture extension ("+strings.Join(PictureEndings(), " ")+"): row left out")
		return nil
	}
	return c.add(file, line, c.image(file, line, name), key, caption)
}

// splitByLists reads the three published lists of names, or of names without .jpg.
func (c *corpus) splitByLists(o Options, f *flickr, captions string) error {
	type place struct {
		list string
		line int
	}
	seen := make(map[string]place)
	for _, list := range f.lists {
		file := filepath.Join(o.Root, list.name)
		text, err := c.sources.read(o.Root, file)
		if errors.Is(err, os.ErrNotExist) {
			return Error{File: file, Msg: fmt.Sprintf("is missing, but data.split official needs it; get it from %s%s", f.listsIn, o.instead())}
		} else if err != nil {
			return err
		}
		err = eachLine(text, func(line int, s string) error {
			name := strings.TrimSpace(s)
			i, known := c.index[name]
			if !known {
				if i, known = c.index[name+".jpg"]; known {
					name += ".jpg"
				}
			}
			if p, twice := seen[name]; twice {
				return Error{file, line, fmt.Sprintf("%q is already in %s:%d; an image belongs to one split", name, p.list, p.line)}
			}
			seen[name] = place{list.name, line}
			if !known || len(c.images[i].captions) == 0 {
				return Error{file, line, fmt.Sprintf("%.80q has no caption in %s", name, captions)}
			}
			c.images[i].split = list.split
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// splitBySeed returns the first images in file order to training and the rest to testing.
func (c *corpus) splitBySeed(file string) error {
	if len(c.images) <= seedTrain {
		return Error{File: file, Msg: fmt.Sprintf(
			"has %d images, but data.split seed trains on the first %d and tests on the rest; use another split", len(c.images), seedTrain)}
	}
	for i := range c.images {
		c.images[i].split = "train"
		if i >= seedTrain {
			c.images[i].split = "test"
		}
	}
	return nil
}
