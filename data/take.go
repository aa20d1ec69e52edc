package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// take checks a corpus and makes the data set's images and splits of it.
func (d *Dataset) take(c *corpus) error {
	tokens := c.tokenize(d.Options.Tokenize)
	if err := c.locate(d.Options.Root); err != nil {
		return err
	}
	var faults []Error
	d.Splits = make(map[string][]int)
	for _, split := range splitNames {
		d.Splits[split] = []int{}
	}
	for i, e := range c.images {
		switch {
		case e.split == "" && len(e.captions) == 0:
			continue
		case e.split == "" && e.fault != nil:
			c.notes.add(e.file, e.line, "picture of an image in no split is missing or broken: left out")
			continue
		case e.split == "":
			c.notes.add(e.file, e.line, "image is in no split: neither trained nor reported on")
		case len(e.captions) == 0:
			faults = append(faults, Error{e.file, e.line, fmt.Sprintf("image %q is in split %s and has no caption", e.id, e.split)})
			continue
		case e.fault != nil:
			faults = append(faults, Error{e.file, e.line, fmt.Sprintf("picture %q %v", e.path, e.fault)})
			continue
		default:
			d.Splits[e.split] = append(d.Splits[e.split], len(d.Images))
		}
		img := Image{ID: e.id, Path: e.path, Tokens: tokens[i]}
		for _, r := range e.captions {
			img.Captions = append(img.Captions, r.text)
		}
		d.Images = append(d.Images, img)
	}
	if len(faults) > 0 {
		return sumUp(faults)
	}
	for _, split := range []string{"train", "test"} {
		if len(d.Splits[split]) == 0 {
			return Error{File: d.Options.Root, Msg: fmt.Sprintf("split %s has no %s images", d.Split, split)}
		}
	}
	d.Notes = c.notes.notes
	return nil
}

// sumUp makes one error of many: the first in full, how many there are, and
// where the next few stand.
func sumUp(faults []Error) error {
	first := faults[0]
	first.Msg += "; get the data again, or leave the image out of its split"
	if len(faults) > 1 {
		var more []string
		for _, f := range faults[1:min(len(faults), 5)] {
			more = append(more, fmt.Sprint(f.Line))
		}
		first.Msg += fmt.Sprintf(" (%d images have such faults; the next stand in lines %s)", len(faults), strings.Join(more, ", "))
	}
	return first
}

// tokenize gives the words of every image's captions and leaves out captions
// that have none.
func (c *corpus) tokenize(split func(string) []string) [][][]string {
	tokens := make([][][]string, len(c.images))
	inParallel(len(c.images), 1, func(i int) {
		for _, r := range c.images[i].captions {
			tokens[i] = append(tokens[i], split(r.text))
		}
	})
	for i := range c.images {
		e := &c.images[i]
		for k := len(e.captions) - 1; k >= 0; k-- {
			if len(tokens[i][k]) == 0 {
				c.notes.add(e.file, e.captions[k].line, "caption has no words: left out")
				e.captions = slices.Delete(e.captions, k, k+1)
				tokens[i] = slices.Delete(tokens[i], k, k+1)
			}
		}
	}
	return tokens
}

// located is how many pictures of a folder are looked for to find it.
const located = 64

// locate finds the pictures' folders below root, and checks every picture.
func (c *corpus) locate(root string) error {
	samples := make(map[string][]string)
	for _, e := range c.images {
		if e.split != "" && len(samples[e.folder]) < located {
			samples[e.folder] = append(samples[e.folder], e.name)
		}
	}
	folders := make(map[string]string)
	for folder, names := range samples {
		candidates := slices.Concat(flickrFolders, []string{".", "flickr30k-images", "flickr30k_images"})
		if folder != "" {
			candidates = append([]string{folder, filepath.Join("images", folder)}, candidates...)
		}
		best, most := "", 0
		for _, candidate := range candidates {
			hits := 0
			for _, name := range names {
				if _, err := os.Stat(filepath.Join(root, candidate, filepath.FromSlash(name))); err == nil {
					hits++
				}
			}
			if hits > most {
				best, most = candidate, hits
			}
		}
		if most == 0 {
			return Error{File: root, Msg: fmt.Sprintf("holds no picture %q in any of the folders %s; unpack the pictures there",
				names[0], strings.Join(candidates, ", "))}
		}
		folders[folder] = best
	}
	inParallel(len(c.images), 4, func(i int) {
		e := &c.images[i]
		e.path = filepath.Join(root, folders[e.folder], filepath.FromSlash(e.name))
		e.fault = checkPicture(e.path)
	})
	return nil
}
