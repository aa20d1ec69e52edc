package planning

import (
	"fmt"
	"os"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/runner"
)

// Discovered is the data set that a folder holds, as far as the folder tells.
type Discovered struct {
	Options data.Options
	Said    []string // what was found, in words, a line each

	own *experiments.Own // nil for a public data set
}

// Discover finds out how a folder, or a file of captions in one, is to be read: as the public data
// set whose layout it has, or else as pictures and captions of one's own, which it reads to count
// them.
func Discover(path string, cache data.Cache) (Discovered, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Discovered{}, err
	}
	found := Discovered{Options: runner.DataOptions(experiments.Settings{}, path, cache)}
	if layout, public := data.Recognize(path); public && info.IsDir() {
		found.Said = append([]string{fmt.Sprintf("%s: this is %s", path, layout.Title)}, layout.Missing...)
		if len(layout.Splits) > 0 {
			found.Options = runner.DataOptions(experiments.DataSettings(layout.Name, layout.Splits[0]), path, cache)
			return found, nil
		}
	}
	options, said, err := data.Survey(path, found.Options)
	if err != nil {
		return Discovered{}, err
	}
	found.Said = append(found.Said, said...)
	options.MinCount = 1
	d, err := data.Load(options)
	if err != nil {
		return Discovered{}, err
	}
	found.own = ownOf(d)
	options.MinCount = found.own.MinCount()
	found.Options = options
	return found, nil
}

// ownOf describes a data set of one's own to a new study.
func ownOf(d *data.Dataset) *experiments.Own {
	o := d.Options
	own := &experiments.Own{
		Data: experiments.Data{
			Name: o.Name, Root: o.Root, Split: o.Split,
			Captions: experiments.Captions(o.Captions), Partition: experiments.Partition(o.Partition),
		},
		Train: len(d.Splits["train"]), Val: len(d.Splits["val"]),
	}
	for _, i := range d.Splits["train"] {
		n := len(d.Images[i].Captions())
		own.Captions += n
		own.PerImage = max(own.PerImage, n)
	}
	return own
}

// Fill makes a draft one of a study of the data set.
func (f Discovered) Fill(draft *experiments.Draft) {
	if draft.Own = f.own; f.own == nil {
		draft.Data, draft.Root, draft.Split = f.Options.Name, f.Options.Root, f.Options.Split
	}
}
