package data

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"glimpse/internal/jsonfile"
)

// karpathyImage is one element of "images" in a dataset_*.json.
type karpathyImage struct {
	FilePath  string `json:"filepath"`
	FileName  string `json:"filename"`
	Split     string `json:"split"`
	Sentences []struct {
		Raw string `json:"raw"`
	} `json:"sentences"`
}

// karpathySplits maps the names in the file to ours. COCO's restval images were held back from
// validation and are used for training.
var karpathySplits = map[string]string{"train": "train", "restval": "train", "val": "val", "test": "test"}

// karpathyZip is the archive of the three files that Karpathy published.
const karpathyZip = "caption_datasets.zip of Karpathy and Fei-Fei (2015)"

// findKarpathy is karpathyFile, but returns an error if there is none.
func (c *corpus) findKarpathy(o Options) (string, error) {
	file, err := c.karpathyFile(o)
	if err == nil && file == "" {
		err = Error{File: o.Root, Msg: "no dataset_*.json here, but data.split karpathy needs it; get " + karpathyZip +
			" and put dataset_" + o.Name + ".json here" + o.instead()}
	}
	return file, err
}

// karpathyFile returns the dataset_*.json in root or the folder above it: the only one, or that
// of the data set; "" for none.
func (c *corpus) karpathyFile(o Options) (string, error) {
	for _, dir := range []string{o.Root, filepath.Join(o.Root, "..")} {
		found, err := c.sources.search(o.Root, dir, "dataset_", ".json")
		if err != nil {
			return "", err
		}
		own := filepath.Join(dir, "dataset_"+o.Name+".json")
		switch {
		case len(found) == 0:
			continue
		case len(found) == 1:
			return found[0], nil
		case slices.Contains(found, own):
			return own, nil
		}
		return "", Error{File: found[1], Msg: fmt.Sprintf("conflicts with %s; keep only one of them", filepath.Base(found[0]))}
	}
	return "", nil
}

// eachKarpathy calls do for every image of a dataset_*.json, with its place and
// its split in our names.
func eachKarpathy(file string, text []byte, do func(at jsonfile.Place, e karpathyImage, split string) error) error {
	count := 0
	err := eachEntry(file, text, map[string]jsonfile.List{"images": entries(func(at jsonfile.Place, e karpathyImage) error {
		count++
		split, known := karpathySplits[e.Split]
		if !known {
			return Error{file, at.Line, fmt.Sprintf("image %.80q has split %.40q, expected train, restval, val or test", e.FileName, e.Split)}
		}
		return do(at, e, split)
	})})
	if err == nil && count == 0 {
		err = Error{File: file, Msg: `"images" is missing: not a Karpathy dataset file`}
	}
	return err
}

// splitByJSON reads only the split from a dataset_*.json, for captions from a text file.
func (c *corpus) splitByJSON(o Options, captions string) error {
	file, err := c.findKarpathy(o)
	if err != nil {
		return err
	}
	text, err := c.sources.read(o.Root, file)
	if err != nil {
		return err
	}
	return eachKarpathy(file, text, func(at jsonfile.Place, e karpathyImage, split string) error {
		line := at.Line
		i, known := c.index[e.FileName]
		switch {
		case !known || len(c.images[i].captions) == 0:
			return Error{file, line, fmt.Sprintf("%.80q has no caption in %s; %s", e.FileName, captions, otherSet(c.images[0].id, e.FileName))}
		case c.images[i].split != "":
			return Error{file, line, fmt.Sprintf("duplicate %q; an image belongs to one split", e.FileName)}
		}
		c.images[i].split = split
		return nil
	})
}

// otherSet returns a hint that captions and split are from two data sets; it names them if the
// picture names identify them.
func otherSet(captioned, split string) string {
	if ours, theirs := familyOf(captioned), familyOf(split); ours != theirs && ours.title != "" && theirs.title != "" {
		return fmt.Sprintf("the captions are from %s but the split is from %s: use files of one data set", ours.title, theirs.title)
	}
	return "is the file from another data set?"
}

// readKarpathy reads images, captions and split from a dataset_*.json.
func (c *corpus) readKarpathy(o Options) error {
	file, err := c.findKarpathy(o)
	if err != nil {
		return err
	}
	text, err := c.sources.read(o.Root, file)
	if err != nil {
		return err
	}
	if err := c.parseKarpathy(file, text); err != nil {
		return err
	}
	if f := familyOf(c.images[0].id); f.set != "" && f.set != o.Name {
		c.notes.add(file, c.images[0].line, fmt.Sprintf("pictures have %s names, but data.name is %s: read anyway", f.title, o.Name))
	}
	return nil
}

func (c *corpus) parseKarpathy(file string, text []byte) error {
	return eachKarpathy(file, text, func(at jsonfile.Place, e karpathyImage, split string) error {
		line := at.Line
		name := path.Join(e.FilePath, e.FileName)
		if err := checkName(file, line, e.FileName, false); err != nil {
			return err
		}
		if err := checkName(file, line, name, true); err != nil {
			return err
		}
		if i, twice := c.index[e.FileName]; twice {
			return Error{file, line, fmt.Sprintf("duplicate %q; the first is on line %d", e.FileName, c.images[i].line)}
		}
		img := c.image(file, line, e.FileName)
		img.name, img.split = name, split
		for _, s := range e.Sentences {
			if err := c.add(file, line, img, "", oneLine(s.Raw)); err != nil {
				return err
			}
		}
		return nil
	})
}
