package data

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"glimpse/internal/term"
)

// Survey finds out how to read a folder of a user's own pictures and captions. at is the folder,
// or the captions file in it. found is o with Name, Root, Captions, Split and Partition set: the
// only file there with captions of its pictures, and the split in that file or in list files,
// else a random one. said describes the findings, one per line.
func Survey(at string, o Options) (found Options, said []string, err error) {
	o.Name, o.Root, o.Captions, o.Partition = "folder", at, Captions{}, Partition{}
	info, err := os.Stat(at)
	if err != nil {
		return o, nil, err
	}
	if !info.IsDir() {
		o.Root = filepath.Dir(at)
	}
	t, err := readTree(o.Root)
	if err != nil {
		return o, nil, err
	}
	files := t.texts
	if !info.IsDir() {
		files = []string{filepath.Base(at)}
	}
	f, err := surveyCaptions(o, files, len(t.pictures))
	if err != nil {
		return o, nil, err
	}
	o.Captions = f.found
	captions, images := f.counts()
	said = []string{fmt.Sprintf("%s is %s: %s of %s", o.Captions.Path, f.format,
		term.Plural(captions, "caption"), term.Plural(images["all"], "picture"))}
	if o.Captions.Image != "" {
		said = append(said, fmt.Sprintf("picture names are in %q, captions in %q", o.Captions.Image, o.Captions.Caption))
	}
	found, split := surveySplit(o, t, images["all"])
	return found, append(said, split...), nil
}

// surveyCaptions reads the only one of several files that has captions of the pictures.
func surveyCaptions(o Options, files []string, pictures int) (*own, error) {
	var found *own
	var wrong []string
	for _, file := range files {
		o.Split, o.Captions = "drawn", Captions{Path: file}
		f := newOwn(o)
		err := f.read()
		captions, _ := f.counts()
		switch {
		case captions == 0 && err != nil:
			wrong = append(wrong, firstLine(err))
		case captions > 0 && found != nil:
			return nil, Error{File: o.Root, Msg: fmt.Sprintf("%s and %s both contain captions: choose one, e.g. %s",
				found.found.Path, file, filepath.Join(o.Root, file))}
		case captions > 0:
			f.found.Path = file
			found = f
		}
	}
	if found == nil {
		msg := fmt.Sprintf("contains %s, but no captions file (%s)",
			term.Plural(pictures, "picture"), strings.Join(textTypes, ", "))
		if len(wrong) > 0 {
			msg += "; " + strings.Join(wrong[:min(len(wrong), 3)], "; ")
		}
		return nil, Error{File: o.Root, Msg: msg}
	}
	return found, nil
}

// firstLine returns the first of several errors.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// counts counts the captions, and the images that have any: all, and those of each split.
func (f *own) counts() (captions int, images map[string]int) {
	images = map[string]int{}
	for _, e := range f.images {
		if len(e.captions) > 0 {
			captions += len(e.captions)
			images["all"]++
			images[e.split]++
		}
	}
	return captions, images
}

// surveySplit finds the split of the pictures: in a column, in lists, or else at random.
func surveySplit(o Options, t *tree, images int) (found Options, said []string) {
	lists, listed := listsIn(t.texts)
	for _, try := range []struct {
		split string
		lists Partition
		named string
	}{{"column", Partition{}, "the captions"}, {"lists", lists, strings.Join(listed, ", ")}} {
		if try.split == "lists" && len(listed) == 0 {
			continue
		}
		o.Split, o.Partition = try.split, try.lists
		f := newOwn(o)
		err := f.read()
		_, images := f.counts()
		if f.splitless {
			continue
		}
		divided := fmt.Sprintf("%d training, %d validation, %d test, %d unused", images["train"], images["val"], images["test"], images[""])
		switch {
		case err != nil && images["train"] > 0:
			said = append(said, fmt.Sprintf("cannot use the split in %s: %s", try.named, firstLine(err)))
		case images["train"] == 0 || images["test"] == 0:
			said = append(said, fmt.Sprintf("the split in %s lacks training or test pictures: %s", try.named, divided))
		default:
			o.Captions.Split = f.found.Split
			return o, append(said, fmt.Sprintf("split from %s: %s", try.named, divided))
		}
	}
	o.Split, o.Partition = "drawn", Partition{Val: "10%", Test: "10%", Seed: 1}
	if images < fewImages {
		o.Partition.Val, o.Partition.Test = "1", "2"
		return o, append(said, "random split: 1 picture for validation, 2 for test, the rest for training")
	}
	return o, append(said, "random split: 10 % of the pictures for validation, 10 % for test, the rest for training")
}

// fewImages is the number of images from which ten percent are at least two, which a comparison
// over images needs.
const fewImages = 15

// listsIn returns the files named after a split, such as train.txt, if there is exactly one for
// train and one for test.
func listsIn(files []string) (lists Partition, names []string) {
	of := map[string][]string{}
	for _, file := range files {
		if ext := path.Ext(file); ext == ".txt" || ext == ".lst" {
			split := partNames[strings.ToLower(strings.TrimSuffix(path.Base(file), ext))]
			of[split] = append(of[split], file)
		}
	}
	if len(of["train"]) != 1 || len(of["test"]) != 1 || len(of["val"]) > 1 {
		return Partition{}, nil
	}
	lists = Partition{Train: of["train"][0], Test: of["test"][0]}
	if len(of["val"]) == 1 {
		lists.Val = of["val"][0]
	}
	return lists, slices.DeleteFunc([]string{lists.Train, lists.Val, lists.Test}, func(s string) bool { return s == "" })
}
