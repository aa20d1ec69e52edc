package experiments

import (
	"slices"
	"strings"
)

// ownData is the name of the data set of a user's own pictures and captions.
const ownData = "folder"

// ownSplits are the splits that only this data set has.
var ownSplits = []string{"column", "lists", "drawn"}

// Validates reports whether the split has validation pictures, as far as is known before any file
// is read.
func (d Data) Validates() bool {
	switch d.Split {
	case "seed":
		return false
	case "lists":
		return d.Partition.Val != ""
	case "drawn":
		return strings.Trim(d.Partition.Val, "0.%") != ""
	}
	return true
}

// faults returns the contradictions among the settings of the data.
func (d Data) faults() []fault {
	var found []fault
	add := func(wrong bool, path, beside, msg string) {
		if wrong {
			found = append(found, fault{path, beside, msg})
		}
	}
	own, p := d.Name == ownData, d.Partition
	add(!own && d.Captions != (Captions{}), "data.captions", "data.name",
		"data.captions is only for data.name folder; "+d.Name+" has its own captions")
	add(!own && d.Name != "shapes" && slices.Contains(ownSplits, d.Split), "data.split", "data.name",
		"data.split is "+d.Split+", which is only for data.name folder, not for "+d.Name)
	add(own && !slices.Contains(ownSplits, d.Split), "data.split", "data.name",
		"data.split is "+d.Split+", but folder has "+strings.Join(ownSplits, ", ")+", or a mapping such as {val: 10%, test: 10%, seed: 1}")
	add(own && d.Captions.Path == "", "data.captions", "data.name",
		"data.captions is missing: the captions file, below data.root (`glimpse new NAME --dataset FOLDER` finds it)")
	switch d.Split {
	case "lists":
		add(p.Train == "" || p.Test == "", "data.split", "data.name",
			"data.split lists needs files for train and test, such as {train: train.txt, val: val.txt, test: test.txt}")
		for _, part := range []struct{ path, text string }{
			{"data.split.train", p.Train}, {"data.split.val", p.Val}, {"data.split.test", p.Test},
		} {
			add(part.text != "" && !isList(part.text), part.path, "data.split",
				part.path+" is "+part.text+", but other parts are files; name a file here, or give shares for both val and test")
		}
	case "drawn":
		add(p.Train != "", "data.split.train", "data.split",
			"data.split.train is "+p.Train+", but training uses all pictures not drawn for val and test; remove it")
		add(strings.Trim(p.Test, "0.%") == "", "data.split.test", "data.split",
			"data.split.test is "+p.Test+", but a study needs test pictures")
		for _, part := range []struct{ path, text string }{{"data.split.val", p.Val}, {"data.split.test", p.Test}} {
			add(isList(part.text), part.path, "data.split",
				part.path+" is "+part.text+", but data.split drawn takes a share such as 10% or a number of images")
		}
	}
	return found
}
