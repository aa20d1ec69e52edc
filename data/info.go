package data

import "glimpse/internal/term"

// Info describes a data set. Its JSON is a stable interface: keys may be added, but not removed.
type Info struct {
	Name       string               `json:"name"`
	Split      string               `json:"split"`
	Root       string               `json:"root"`
	Images     int                  `json:"images"`
	Unused     int                  `json:"unused_images"` // in no split
	Vocabulary int                  `json:"vocabulary"`    // the four special words included
	Hash       string               `json:"hash"`
	Splits     map[string]SplitInfo `json:"splits"`
	Notes      []Note               `json:"notes"`
	Broken     []Broken             `json:"broken"`   // images of the splits that cannot be used
	Examples   []Example            `json:"examples"` // up to ten training captions, evenly spaced
}

// Example is a caption and its image.
type Example struct {
	Image   string `json:"image"` // see [Image]
	Caption string `json:"caption"`
}

// examples is how many captions an Info shows.
const examples = 10

// SplitInfo describes a split.
type SplitInfo struct {
	Images   int         `json:"images"`
	Captions int         `json:"captions"`
	Words    int         `json:"words"`
	Longest  int         `json:"longest"` // words of the longest caption
	Unknown  term.Number `json:"unknown"` // share of the words that the vocabulary lacks
}

// Info counts what is in the data set.
func (d *Dataset) Info() Info {
	info := Info{
		Name: d.Name, Split: d.Split, Root: d.Options.Root, Images: len(d.Images), Unused: len(d.Images),
		Vocabulary: len(d.Vocabulary.Words), Hash: d.Hash, Splits: map[string]SplitInfo{}, Notes: append([]Note{}, d.Notes...),
		Broken: append([]Broken{}, d.Broken...),
	}
	known := make(map[string]bool, len(d.Vocabulary.Words))
	for _, word := range d.Vocabulary.Words {
		known[word] = true
	}
	for name, members := range d.Splits {
		info.Unused -= len(members)
		split, unknown := SplitInfo{Images: len(members)}, 0
		for _, i := range members {
			for _, tokens := range d.Images[i].Tokens() {
				split.Captions++
				split.Words += len(tokens)
				split.Longest = max(split.Longest, len(tokens))
				for _, token := range tokens {
					if !known[token] {
						unknown++
					}
				}
			}
		}
		split.Unknown = term.Number(float64(unknown) / float64(max(1, split.Words)))
		info.Splits[name] = split
	}
	info.Examples = d.examples(info.Splits["train"].Captions)
	return info
}

// examples returns some of the n captions of the training images: the first, the last, and others
// evenly spaced between.
func (d *Dataset) examples(n int) []Example {
	some := []Example{}
	at := 0 // captions before this image
	for _, i := range d.Splits["train"] {
		for _, caption := range d.Images[i].Captions() {
			shown := min(examples, n)
			if next := len(some); next < shown && at == next*(n-1)/max(1, shown-1) {
				some = append(some, Example{d.Images[i].ID, caption})
			}
			at++
		}
	}
	return some
}
