package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// take builds the data set's images and splits from its text, once every picture is checked.
func (d *Dataset) take(k *compiled) error {
	root := d.Options.Root
	files := make([]string, len(k.head.Files))
	for i, below := range k.head.Files {
		files[i] = filepath.Join(root, below)
	}
	var notes notebook
	for _, note := range k.head.Notes {
		note.File = filepath.Join(root, note.File)
		notes.notes = append(notes.notes, note)
	}
	paths, err := k.locate(root)
	if err != nil {
		return err
	}
	known, broken := d.checkPictures(paths)
	d.Images = make([]Image, 0, len(paths))
	d.pictures = &knownPictures{known: make([]picture, 0, len(paths))}
	d.Splits = make(map[string][]int)
	for _, split := range splitNames {
		d.Splits[split] = []int{}
	}
	drawn := d.Options.Split == "drawn"
	var faults Faults
	for i := range k.ids.len() {
		file, line, _, split := k.placeOf(i)
		id := string(k.ids.at(i))
		wrong := Broken{Image: id, Path: paths[i], File: files[file], Line: line}
		switch {
		case drawn && broken[i] == nil:
		case !drawn && split == 0 && broken[i] != nil:
			notes.add(files[file], line, "picture of an image in no split is missing or broken: left out")
			continue
		case !drawn && split == 0:
			notes.add(files[file], line, "image is in no split: not used")
		case !drawn && k.captionsOf(i) == 0:
			wrong.Reason = fmt.Sprintf("image %q is in split %s and has no caption", id, splitNames[split-1])
		case broken[i] != nil:
			wrong.Reason, wrong.Skippable = fmt.Sprintf("picture %q %v", paths[i], broken[i]), skippable(broken[i])
		default:
			d.Splits[splitNames[split-1]] = append(d.Splits[splitNames[split-1]], len(d.Images))
		}
		if wrong.Reason != "" {
			if split > 0 { // otherwise the split is drawn
				wrong.Split = splitNames[split-1]
			}
			if !d.Options.looks && d.Options.refuses(wrong) {
				faults = append(faults, wrong)
			} else {
				d.Broken = append(d.Broken, wrong)
				notes.add(files[file], line, "image of a split is unusable: left out")
			}
			continue
		}
		d.Images = append(d.Images, Image{ID: id, Path: paths[i], text: k, at: i})
		d.pictures.known = append(d.pictures.known, known[i])
	}
	if len(faults) > 0 {
		return faults
	}
	if drawn {
		if err := d.draw(); err != nil {
			return err
		}
	}
	for _, split := range []string{"train", "test"} {
		if len(d.Splits[split]) == 0 {
			return Error{File: root, Msg: fmt.Sprintf("split %s has no %s images", d.Split, split)}
		}
	}
	if d.Name == "folder" && !drawn {
		if err := d.noteShared(&notes); err != nil {
			return err
		}
	}
	d.Notes = notes.notes
	return nil
}

// tokenize returns the words of the captions of some images. It leaves out captions without
// words.
func (c *corpus) tokenize(images []entry, split func(string) []string) [][][]string {
	tokens := make([][][]string, len(images))
	inParallel(len(images), 1, func(i int) {
		for _, r := range images[i].captions {
			tokens[i] = append(tokens[i], split(r.text))
		}
	})
	for i := range images {
		e := &images[i]
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

// located is how many pictures are looked up to find their folder.
const located = 64

// locate finds the pictures' folders below root, and returns the file of every image's picture.
func (k *compiled) locate(root string) ([]string, error) {
	samples := make([][]string, len(k.head.Folders)) // names of pictures
	for i := range k.names.len() {
		if _, _, folder, split := k.placeOf(i); split > 0 && len(samples[folder]) < located {
			samples[folder] = append(samples[folder], string(k.names.at(i)))
		}
	}
	folders := make([]string, len(samples))
	for i, folder := range k.head.Folders {
		candidates := slices.Concat(flickrFolders, []string{".", "flickr30k-images", "flickr30k_images"})
		if folder != "" {
			candidates = append([]string{folder, filepath.Join("images", folder)}, candidates...)
		}
		most := 0
		for _, candidate := range candidates {
			hits := 0
			for _, name := range samples[i] {
				if _, err := os.Stat(filepath.Join(root, candidate, filepath.FromSlash(name))); err == nil {
					hits++
				}
			}
			if hits > most {
				folders[i], most = candidate, hits
			}
		}
		if most == 0 && len(samples[i]) > 0 {
			return nil, Error{File: root, Msg: fmt.Sprintf("picture %q is in none of the folders %s; unpack the pictures there%s",
				samples[i][0], strings.Join(candidates, ", "), mixUp(root, samples[i][0]))}
		}
	}
	paths := make([]string, k.names.len())
	for i := range paths {
		_, _, folder, _ := k.placeOf(i)
		paths[i] = filepath.Join(root, folders[folder], filepath.FromSlash(string(k.names.at(i))))
	}
	return paths, nil
}
