package data

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"glimpse/internal/jsonfile"
)

// readCOCO reads a data set in the COCO family: Karpathy's file for the split
// karpathy, captions_*.json for the split official.
func readCOCO(o Options) (*corpus, error) {
	c := new(corpus)
	if o.Split == "karpathy" {
		return c, c.readKarpathy(o)
	}
	for _, split := range splitNames {
		file, err := c.findCaptions(o.Root, split)
		if err != nil {
			return nil, err
		}
		if file == "" && split != "test" {
			return nil, Error{File: o.Root, Msg: fmt.Sprintf(
				"no captions_%s*.json here or in the folder annotations; put COCO's annotations there%s", split, o.instead())}
		}
		if file == "" {
			c.halveValidation()
			break
		}
		text, err := c.sources.read(o.Root, file)
		if err != nil {
			return nil, err
		}
		if err := c.parseCOCO(file, text, split); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// findCaptions returns the captions file of a split; "" if there is none. If the files of both
// years are there, as COCO's archives unpack them, it returns the one whose pictures are there.
func (c *corpus) findCaptions(root, split string) (string, error) {
	found, err := c.captionsFiles(root, split)
	if err != nil || len(found) == 0 {
		return "", err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var pictured []string
	for _, file := range found {
		for _, dir := range []string{root, filepath.Join(root, "images")} {
			folder := filepath.Join(dir, captionsStem(file))
			same, err := c.sources.search(root, dir, filepath.Base(folder), "")
			if err != nil {
				return "", err
			}
			if slices.Contains(same, folder) {
				pictured = append(pictured, file)
			}
		}
	}
	if len(pictured) != 1 {
		return "", Error{File: found[1], Msg: fmt.Sprintf("conflicts with %s; keep only one of them, or only one year's pictures", filepath.Base(found[0]))}
	}
	return pictured[0], nil
}

// captionsStem returns the part of captions_*.json matched by the star: the name of the folder of
// its pictures.
func captionsStem(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "captions_"), ".json")
}

// captionsFiles returns all candidates for the captions file of a split.
func (c *corpus) captionsFiles(root, split string) ([]string, error) {
	var found []string
	for _, dir := range []string{root, filepath.Join(root, "annotations")} {
		more, err := c.sources.search(root, dir, "captions_"+split, ".json")
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

type cocoImage struct {
	ID       jsonfile.ID `json:"id"`
	FileName string      `json:"file_name"`
}

type cocoCaption struct {
	ImageID jsonfile.ID `json:"image_id"`
	Caption string      `json:"caption"`
}

// parseCOCO reads a captions_*.json, whose images all go to one split.
func (c *corpus) parseCOCO(file string, text []byte, split string) error {
	stem := captionsStem(file)
	return eachCOCO(file, text, func(line int, name string) error {
		if err := checkName(file, line, name, true); err != nil {
			return err
		}
		if i, twice := c.index[name]; twice {
			return Error{file, line, fmt.Sprintf("duplicate %q; the first is at %s:%d", name, c.images[i].file, c.images[i].line)}
		}
		img := c.image(file, line, name)
		img.split, img.folder = split, stem
		return c.otherYear(file, line, name)
	}, func(at jsonfile.Place, name, caption string) error {
		return placed(at, c.add(file, at.Line, c.image(file, at.Line, name), "", caption))
	})
}

// eachCOCO calls image with the file name of every image of a captions_*.json, and then caption
// with every caption, as one line, and the name of its image.
func eachCOCO(file string, text []byte, image func(line int, name string) error, caption func(at jsonfile.Place, name, text string) error) error {
	type annotation struct {
		cocoCaption
		at jsonfile.Place
	}
	names := make(map[jsonfile.ID]string)
	var captions []annotation
	err := eachEntry(file, text, map[string]jsonfile.List{
		"images": entries(func(at jsonfile.Place, e cocoImage) error {
			if err := image(at.Line, e.FileName); err != nil {
				return err
			}
			if e.ID == "" {
				return Error{file, at.Line, fmt.Sprintf("image %q has no id", e.FileName)}
			}
			if _, twice := names[e.ID]; twice {
				return Error{file, at.Line, fmt.Sprintf("duplicate image id %s", e.ID)}
			}
			names[e.ID] = e.FileName
			return nil
		}),
		"annotations": entries(func(at jsonfile.Place, e cocoCaption) error {
			captions = append(captions, annotation{e, at})
			return nil
		}),
	})
	if err != nil {
		return err
	}
	if len(names) == 0 || len(captions) == 0 {
		return Error{File: file, Msg: `"images" or "annotations" is missing: not a COCO captions file`}
	}
	for _, a := range captions {
		name, known := names[a.ImageID]
		if !known {
			return placed(a.at, Error{file, a.at.Line, fmt.Sprintf("caption of image id %.40s, which is not in \"images\"", a.ImageID)})
		}
		if err := caption(a.at, name, oneLine(a.Caption)); err != nil {
			return err
		}
	}
	return nil
}

// otherYear rejects a picture of COCO that the corpus already has under its name in the other
// year: train2017 contains most of val2014, so the splits would overlap.
func (c *corpus) otherYear(file string, line int, name string) error {
	number, year := cocoNumber(strings.TrimSuffix(path.Base(name), ".jpg"))
	if year == "" {
		return nil
	}
	if c.numbers == nil {
		c.numbers = make(map[string]int)
	}
	if i, twice := c.numbers[number]; twice {
		first := c.images[i]
		return Error{file, line, fmt.Sprintf("%q is the same picture as %q of COCO's other year, at %s:%d; use the captions of one year only", name, first.id, first.file, first.line)}
	}
	c.numbers[number] = c.index[name]
	return nil
}

// halveValidation makes a test split if none is published (COCO withholds its captions): of the
// validation images in name order, the second half becomes the test split.
func (c *corpus) halveValidation() {
	var held []int
	for i, e := range c.images {
		if e.split == "val" {
			held = append(held, i)
		}
	}
	slices.SortFunc(held, func(a, b int) int { return cmp.Compare(c.images[a].id, c.images[b].id) })
	for _, i := range held[(len(held)+1)/2:] {
		e := &c.images[i]
		e.split = "test"
		c.notes.add(e.file, 0, "no captions_test*.json: validation images used as the test split")
	}
}
