package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// splitNames are the splits of every data set, in the order in which they are hashed.
var splitNames = []string{"train", "val", "test"}

// Look is Load for a data set that may have unusable images: it leaves them out, lists them in
// Dataset.Broken, and [Dataset.Refusal] returns the error that Load would.
func Look(o Options) (*Dataset, error) {
	o.looks = true
	return Load(o)
}

// Load reads the data set that the options name and checks all of it: the text, the split, and
// every picture, which is decoded completely unless the cache knows that it is intact. It returns
// faults as an Error, or as Faults, with file and line. It leaves out harmless ones, and lists
// them in Dataset.Notes.
func Load(o Options) (*Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Dataset{Name: o.Name, Split: o.Split, Options: o}
	if o.Name == "shapes" {
		d.drawScenes()
	} else {
		k, err := readCompiled(o)
		if err == nil {
			err = d.take(k)
		}
		if err != nil {
			return nil, fmt.Errorf("data set %s: %w", o.Name, err)
		}
	}
	return d, d.finish()
}

// withDefaults fills in defaults and rejects invalid options.
func (o Options) withDefaults() (Options, error) {
	fill := func(value *int, fallback int) {
		if *value == 0 {
			*value = fallback
		}
	}
	fill(&o.MinCount, 5)
	fill(&o.CaptionsPerImage, usualCaptions)
	fill(&o.MaxLength, 24)
	fill(&o.Images, 1000)
	if o.Vocabulary == "" {
		o.Vocabulary = "train"
	}
	if o.OnBroken == "" {
		o.OnBroken = Refuse
	}
	known := map[string][]string{
		"flickr8k":  {"official", "karpathy", "seed"},
		"flickr30k": {"official", "karpathy"},
		"coco":      {"official", "karpathy"},
		"shapes":    {"official"},
		"folder":    {"column", "lists", "drawn"},
	}
	splits, ok := known[o.Name]
	switch {
	case !ok:
		return o, fmt.Errorf("data.name %q: expected shapes, flickr8k, flickr30k, coco or folder", o.Name)
	case !slices.Contains(splits, o.Split):
		return o, fmt.Errorf("data.split %q: expected %s for %s", o.Split, strings.Join(splits, " or "), o.Name)
	case o.Root == "" && o.Name != "shapes":
		return o, fmt.Errorf("data.root is empty: set it, --data or $GLIMPSE_DATA to the folder of %s", o.Name)
	case o.Captions.Path == "" && o.Name == "folder":
		return o, errors.New("data.captions is empty: set it to the captions file")
	case o.MinCount < 0, o.CaptionsPerImage < 0, o.MaxLength < 0:
		return o, fmt.Errorf("data.min_count %d, captions_per_image %d, max_length %d: none may be negative",
			o.MinCount, o.CaptionsPerImage, o.MaxLength)
	case o.Name == "shapes" && (o.Images < minScenes || o.Images > maxScenes):
		return o, fmt.Errorf("data.images %d: expected %d to %d", o.Images, minScenes, maxScenes)
	case o.Vocabulary != "train" && o.Vocabulary != "corpus":
		return o, fmt.Errorf("data.vocabulary %q: expected train or corpus", o.Vocabulary)
	case o.OnBroken != Refuse && o.OnBroken != Skip:
		return o, fmt.Errorf("data.on_broken %q: expected %s or %s", o.OnBroken, Refuse, Skip)
	case o.Tokenize == nil:
		return o, errors.New("data options lack a tokenizer: pass the one for scoring captions")
	}
	return o, nil
}

// finish computes what depends on images, captions and splits.
func (d *Dataset) finish() error {
	counted := d.Splits["train"]
	if d.Options.Vocabulary == "corpus" {
		counted = slices.Sorted(slices.Values(slices.Concat(d.Splits["train"], d.Splits["val"], d.Splits["test"])))
	}
	vocabulary, err := countVocabulary(d.Images, counted, d.Options.MinCount)
	if err != nil {
		return err
	}
	if vocabulary.Len() == len(specialWords) {
		return fmt.Errorf("data set %s: no word occurs %d times in training: lower data.min_count", d.Name, d.Options.MinCount)
	}
	d.Vocabulary = vocabulary
	d.Hash = d.hash()
	return nil
}

// hash returns the SHA-256 of the splits' names, images and captions, each preceded by its
// length, so that different data sets never hash the same bytes. Images in no split do not count.
func (d *Dataset) hash() string {
	sum := sha256.New()
	var length []byte
	put := func(s []byte) {
		length = append(strconv.AppendInt(length[:0], int64(len(s)), 10), ':')
		sum.Write(length)
		sum.Write(s)
	}
	for _, split := range splitNames {
		put([]byte(split))
		fmt.Fprintf(sum, "%d;", len(d.Splits[split]))
		for _, i := range d.Splits[split] {
			image := d.Images[i]
			put([]byte(image.ID))
			fmt.Fprintf(sum, "%d;", image.text.captionsOf(image.at))
			for c := range image.captions() {
				put(image.text.texts.at(c))
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
