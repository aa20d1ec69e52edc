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
)

// Files and folders of the two layouts of Flickr8k.
const (
	kaggleCaptions   = "captions.txt"
	originalCaptions = "Flickr8k.token.txt"
)

var (
	flickrFolders = []string{"Images", "images", "Flicker8k_Dataset", "Flickr8k_Dataset"}
	flickrLists   = []struct{ split, name string }{
		{"train", "Flickr_8k.trainImages.txt"},
		{"val", "Flickr_8k.devImages.txt"},
		{"test", "Flickr_8k.testImages.txt"},
	}
)

// absentPicture is named in the published token file, once as it is and once
// with a stray ".1", but has never been among the published pictures. The
// other layout lacks its rows.
const absentPicture = "2258277193_586949ec62.jpg"

// seedTrain is how many images of the split "seed" train, counted in file
// order; the rest test. The system it comes from selects no epoch, so the
// split has no validation images.
const seedTrain = 7000

// readFlickr8k reads the captions and the split of Flickr8k.
func readFlickr8k(o Options) (*corpus, error) {
	c := new(corpus)
	file := filepath.Join(o.Root, kaggleCaptions)
	parse := c.parseCSV
	text, err := c.sources.read(o.Root, file)
	if errors.Is(err, os.ErrNotExist) {
		file = filepath.Join(o.Root, originalCaptions)
		parse = c.parseTokens
		if text, err = c.sources.read(o.Root, file); errors.Is(err, os.ErrNotExist) {
			return nil, Error{File: o.Root, Msg: fmt.Sprintf(
				"neither %s nor %s is there; unpack Flickr8k there or point data.root to it", kaggleCaptions, originalCaptions)}
		}
	}
	if err != nil {
		return nil, err
	}
	if err := parse(file, text); err != nil {
		return nil, err
	}
	if len(c.images) == 0 {
		return nil, Error{File: file, Msg: "holds no caption"}
	}
	c.dropRepeats()
	switch o.Split {
	case "official":
		err = c.splitByLists(o.Root, file)
	case "karpathy":
		err = c.splitByJSON(o.Root, file)
	case "seed":
		err = c.splitBySeed(file)
	}
	return c, err
}

// parseCSV reads the Kaggle layout: a header image,caption, then a row a
// caption; captions with commas are quoted.
func (c *corpus) parseCSV(file string, text []byte) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	for first := true; ; first = false {
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
		if first {
			if len(fields) != 2 || strings.TrimSpace(fields[0]) != "image" || strings.TrimSpace(fields[1]) != "caption" {
				return Error{file, line, `first line is not "image,caption": another layout?`}
			}
			continue
		}
		if len(fields) != 2 {
			return Error{file, line, fmt.Sprintf("%d fields, want 2 (image,caption); a caption with commas must be in quotation marks", len(fields))}
		}
		if err := c.addFlickr(file, line, strings.TrimSpace(fields[0]), "", fields[1]); err != nil {
			return err
		}
	}
}

func quoteFault(fault *csv.ParseError) string {
	if errors.Is(fault.Err, csv.ErrBareQuote) {
		return "quotation mark inside an unquoted field; put the field in quotation marks and double those inside"
	}
	return "quotation marks do not balance; put the field in quotation marks and double those inside"
}

// parseTokens reads the original layout: NAME#K, a tab and the caption.
func (c *corpus) parseTokens(file string, text []byte) error {
	return eachLine(text, func(line int, s string) error {
		label, caption, ok := strings.Cut(s, "\t")
		if !ok {
			return Error{file, line, "no tab between NAME#K and the caption"}
		}
		cut := strings.LastIndexByte(label, '#')
		if cut < 0 || !isNumber(label[cut+1:]) {
			return Error{file, line, fmt.Sprintf("%.80q is not NAME#K with a number K", label)}
		}
		return c.addFlickr(file, line, strings.TrimSpace(label[:cut]), label[cut:], caption)
	})
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 9 && strings.Trim(s, "0123456789") == ""
}

// addFlickr files a row of either layout.
func (c *corpus) addFlickr(file string, line int, name, key, caption string) error {
	if err := checkName(file, line, name, false); err != nil {
		return err
	}
	switch {
	case name == absentPicture || name == absentPicture+".1":
		c.notes.add(file, line, "row of "+absentPicture+", a picture that Flickr8k lacks: left out")
		return nil
	case !IsPicture(name):
		c.notes.add(file, line, "name does not end as a picture's ("+strings.Join(PictureEndings(), " ")+"): row left out")
		return nil
	}
	return c.add(file, line, c.image(file, line, name), key, caption)
}

// splitByLists reads the three published lists of names.
func (c *corpus) splitByLists(root, captions string) error {
	type place struct {
		list string
		line int
	}
	seen := make(map[string]place)
	for _, list := range flickrLists {
		file := filepath.Join(root, list.name)
		text, err := c.sources.read(root, file)
		if errors.Is(err, os.ErrNotExist) {
			return Error{File: file, Msg: "is missing, and data.split official needs it; it is part of Flickr8k_text.zip"}
		} else if err != nil {
			return err
		}
		err = eachLine(text, func(line int, s string) error {
			name := strings.TrimSpace(s)
			if p, twice := seen[name]; twice {
				return Error{file, line, fmt.Sprintf("%q is already in %s:%d; an image belongs to one split", name, p.list, p.line)}
			}
			seen[name] = place{list.name, line}
			i, known := c.index[name]
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

// splitBySeed gives the first images in file order to training and the rest to
// testing.
func (c *corpus) splitBySeed(file string) error {
	if len(c.images) <= seedTrain {
		return Error{File: file, Msg: fmt.Sprintf(
			"has %d images, and data.split seed trains on the first %d and tests on the rest; use another split", len(c.images), seedTrain)}
	}
	for i := range c.images {
		c.images[i].split = "train"
		if i >= seedTrain {
			c.images[i].split = "test"
		}
	}
	return nil
}
