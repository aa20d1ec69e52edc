package data

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"glimpse/internal/jsonfile"
)

// parse reads captions in any known format, which it detects from the text.
func (f *own) parse(text []byte) error {
	f.format = formatOf(text)
	switch f.format {
	case formatCOCO:
		return f.parseOwnCOCO(text)
	case formatKarpathy:
		return f.parseOwnKarpathy(text)
	case formatArray:
		return f.told(jsonfile.Array(text, f.records()))
	case formatLines:
		return f.told(jsonfile.Lines(text, f.records()))
	}
	return f.parseTable(text)
}

// Formats of captions.
const (
	formatTable    = "a table"
	formatLines    = "JSON Lines"
	formatArray    = "a JSON array"
	formatCOCO     = "COCO JSON"
	formatKarpathy = "Karpathy JSON"
)

// formatOf detects the format of captions from their first character and, for a JSON object, from
// the keys of the first entry.
func formatOf(text []byte) string {
	text = bytes.TrimLeft(text, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("[")):
		return formatArray
	case !bytes.HasPrefix(text, []byte("{")):
		return formatTable
	}
	keys := jsonfile.Keys(text)
	switch {
	case slices.Contains(keys, "annotations"):
		return formatCOCO
	case slices.Contains(keys, "images") && !slices.ContainsFunc(keys, isUsualCaption):
		return formatKarpathy
	}
	return formatLines
}

func isUsualCaption(key string) bool { return slices.Contains(captionRole.usual, key) }

// told adds the file to an error of JSON.
func (f *own) told(err error) error {
	if fault := (*jsonfile.Error)(nil); errors.As(err, &fault) {
		return Error{f.file, fault.Line, fault.Msg}
	}
	return err
}

// records reads entries that each have a picture and one or more captions, under the same keys as
// the first entry.
func (f *own) records() jsonfile.List {
	var image, caption, split string
	found := false
	list := jsonfile.Entries(func(at jsonfile.Place, e map[string]jsontext.Value) error {
		if !found {
			header := slices.Sorted(maps.Keys(e))
			columns, err := f.findColumns(header, "key")
			if err != nil {
				return Error{f.file, at.Line, at.String() + ": " + err.Error()}
			}
			image, caption, found = header[columns.image], header[columns.caption], true
			if columns.split >= 0 {
				split = header[columns.split]
			}
		}
		part := e[split]
		if split == "" {
			part = nil
		}
		if err := f.record(at, e[image], e[caption], part); err != nil {
			f.fault(f.spotOf(at), err)
		}
		return nil
	})
	return func(raw jsontext.Value, at jsonfile.Place) error {
		err := list(raw, at)
		if fault := (*jsonfile.Error)(nil); errors.As(err, &fault) && found { // a fault of this entry only
			f.faults.add(f.told(err))
			return nil
		}
		return err
	}
}

// record adds one entry.
func (f *own) record(at jsonfile.Place, image, caption, split jsontext.Value) error {
	var name jsonfile.ID
	if len(image) == 0 {
		return errors.New("has no picture under the key that the first entry uses")
	}
	if err := json.Unmarshal(image, &name); err != nil {
		return fmt.Errorf("the picture name is %.40s, expected a string or a whole number", image)
	}
	if len(caption) == 0 {
		return errors.New("has no caption under the key that the first entry uses")
	}
	captions := make([]string, 1)
	err := json.Unmarshal(caption, &captions[0])
	if err != nil {
		err = json.Unmarshal(caption, &captions)
	}
	if kind := caption.Kind(); err != nil || kind == 'n' {
		return fmt.Errorf("the caption is %.40s, expected a string or a list of strings", caption)
	}
	part := ""
	if kind := split.Kind(); len(split) > 0 && kind != 'n' {
		if kind != '"' || json.Unmarshal(split, &part) != nil {
			return fmt.Errorf("the split is %.40s, expected a string", split)
		}
	}
	for i := range captions {
		captions[i] = oneLine(captions[i])
	}
	f.row(f.spotOf(at), string(name), part, captions...)
	return nil
}

// parseOwnCOCO reads captions as in captions_*.json, which has no split.
func (f *own) parseOwnCOCO(text []byte) error {
	if f.splitless = f.o.Split == "column"; f.splitless {
		return Error{File: f.file, Msg: "COCO captions have no split: " +
			"set data.split: {val: 10%, test: 10%, seed: 1} for a random split, or {train: FILE, val: FILE, test: FILE}"}
	}
	ignore := func(int, string) error { return nil }
	return eachCOCO(f.file, text, ignore, func(at jsonfile.Place, name, caption string) error {
		f.row(f.spotOf(at), name, "", caption)
		return nil
	})
}

// parseOwnKarpathy reads captions and split as in dataset_*.json.
func (f *own) parseOwnKarpathy(text []byte) error {
	return eachKarpathy(f.file, text, func(at jsonfile.Place, e karpathyImage, split string) error {
		if f.o.Split != "column" {
			split = ""
		}
		captions := make([]string, len(e.Sentences))
		for i, s := range e.Sentences {
			captions[i] = oneLine(s.Raw)
		}
		f.row(f.spotOf(at), path.Join(e.FilePath, e.FileName), split, captions...)
		return nil
	})
}
