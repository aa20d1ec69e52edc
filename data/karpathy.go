package data

import (
	"fmt"
	"path"
	"path/filepath"

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

// karpathySplits maps the names in the file to ours. COCO's restval images
// were held back from validation and are trained on.
var karpathySplits = map[string]string{"train": "train", "restval": "train", "val": "val", "test": "test"}

// findKarpathy gives the one dataset_*.json in root or the folder above it.
func (c *corpus) findKarpathy(root string) (string, error) {
	for _, dir := range []string{root, filepath.Join(root, "..")} {
		found, err := c.sources.search(root, dir, "dataset_", ".json")
		if err != nil {
			return "", err
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return "", Error{File: found[1], Msg: fmt.Sprintf("lies beside %s; leave the one to be used", filepath.Base(found[0]))}
	}
	return "", Error{File: root, Msg: "holds no dataset_*.json, and data.split karpathy needs it; " +
		"get caption_datasets.zip of Karpathy and Fei-Fei (2015) and put dataset_flickr8k.json, dataset_flickr30k.json or dataset_coco.json there"}
}

// eachKarpathy calls do for every image of a dataset_*.json, with its place and
// its split in our names.
func eachKarpathy(file string, text []byte, do func(at jsonfile.Place, e karpathyImage, split string) error) error {
	count := 0
	err := eachEntry(file, text, map[string]jsonfile.List{"images": entries(func(at jsonfile.Place, e karpathyImage) error {
		count++
		split, known := karpathySplits[e.Split]
		if !known {
			return Error{file, at.Line, fmt.Sprintf("image %.80q has split %.40q, want train, restval, val or test", e.FileName, e.Split)}
		}
		return do(at, e, split)
	})})
	if err == nil && count == 0 {
		err = Error{File: file, Msg: `has no "images": not one of Karpathy's dataset files`}
	}
	return err
}

// splitByJSON takes only the split from a dataset_*.json, for captions that
// were read from a text file.
func (c *corpus) splitByJSON(root, captions string) error {
	file, err := c.findKarpathy(root)
	if err != nil {
		return err
	}
	text, err := c.sources.read(root, file)
	if err != nil {
		return err
	}
	return eachKarpathy(file, text, func(at jsonfile.Place, e karpathyImage, split string) error {
		line := at.Line
		i, known := c.index[e.FileName]
		switch {
		case !known || len(c.images[i].captions) == 0:
			return Error{file, line, fmt.Sprintf("%.80q has no caption in %s; is the file for another data set?", e.FileName, captions)}
		case c.images[i].split != "":
			return Error{file, line, fmt.Sprintf("%q comes twice; an image belongs to one split", e.FileName)}
		}
		c.images[i].split = split
		return nil
	})
}

// readKarpathy takes images, captions and split from a dataset_*.json.
func readKarpathy(root string) (*corpus, error) {
	c := new(corpus)
	file, err := c.findKarpathy(root)
	if err != nil {
		return nil, err
	}
	text, err := c.sources.read(root, file)
	if err != nil {
		return nil, err
	}
	return c, c.parseKarpathy(file, text)
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
			return Error{file, line, fmt.Sprintf("%q comes twice; the first is in line %d", e.FileName, c.images[i].line)}
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
