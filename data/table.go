package data

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/term"
)

// A role is the purpose of a column of a table, or of a key of an entry.
type role struct {
	name  string   // its key in data.captions
	what  string   // for messages
	usual []string // names, in lower case
}

var (
	imageRole = role{"image", "the picture", []string{
		"image", "images", "image_name", "image_file", "image_path", "img", "file", "filename", "file_name", "filepath", "file_path",
		"path", "picture", "photo"}}
	captionRole = role{"caption", "the caption", []string{"caption", "captions", "text", "sentence", "sentences", "description", "comment"}}
	splitRole   = role{"split", "the split", []string{"split", "part", "partition", "subset", "set"}}
)

// columns are the places of what is read in a list of names; split is -1 if it is not read.
type columns struct{ image, caption, split int }

// findColumns finds the columns by the names in the options, or else by the usual names.
func (f *own) findColumns(header []string, kind string) (at columns, err error) {
	names := f.o.Captions
	if at.image, err = f.column(imageRole, names.Image, header, kind); err != nil {
		return at, err
	}
	if at.caption, err = f.column(captionRole, names.Caption, header, kind); err != nil {
		return at, err
	}
	f.found = Captions{Path: names.Path, Image: header[at.image], Caption: header[at.caption]}
	at.split = -1
	if f.o.Split != "column" {
		return at, nil
	}
	if at.split, err = f.column(splitRole, names.Split, header, kind); err == nil {
		f.found.Split = header[at.split]
	}
	return at, err
}

// column finds the index of the column for a role.
func (f *own) column(r role, named string, header []string, kind string) (int, error) {
	is := func(name string) bool { return name == named }
	if named == "" {
		is = func(name string) bool { return slices.Contains(r.usual, strings.ToLower(name)) }
	}
	var found []int
	for i, name := range header {
		if is(strings.TrimSpace(name)) {
			found = append(found, i)
		}
	}
	there := fmt.Sprintf("%.200s", strings.Join(header, ", "))
	write := fmt.Sprintf("set data.captions: {path: %s, %s: NAME}", f.o.Captions.Path, r.name)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return -1, fmt.Errorf("%q and %q could both be %s: %s", header[found[0]], header[found[1]], r.what, write)
	case named != "":
		return -1, fmt.Errorf("has no %s %q, which data.captions.%s is set to (found: %s)", kind, named, r.name, there)
	case r.name == splitRole.name:
		f.splitless = true
		return -1, fmt.Errorf("has no %s for %s (found: %s); %s, or data.split: {val: 10%%, test: 10%%, seed: 1} for a random split",
			kind, r.what, there, write)
	}
	return -1, fmt.Errorf("has no %s for %s with a recognised name (%s; found: %s); %s",
		kind, r.what, strings.Join(r.usual, ", "), there, write)
}

// parseTable reads a table with a header. Its separator is a tab, else a comma, else a semicolon.
func (f *own) parseTable(text []byte) error {
	var at columns
	width, comma := 0, separator(text)
	do := func(line int, fields []string) error {
		switch {
		case width == 0:
			width = len(fields)
			var err error
			if at, err = f.findColumns(fields, "column"); err != nil {
				hint := ""
				if slices.ContainsFunc(fields, IsPicture) {
					hint = "; the first line must name the columns, such as image and caption, but looks like a row"
				}
				return Error{f.file, line, err.Error() + hint}
			}
		case len(fields) != width:
			hint := ""
			if comma == ',' {
				hint = "; quote captions that contain commas"
			}
			f.fault(spot{file: f.file, line: line}, fmt.Errorf("%s, expected %d as on the first line%s", term.Plural(len(fields), "field"), width, hint))
		default:
			part := ""
			if at.split >= 0 {
				part = fields[at.split]
			}
			f.row(spot{file: f.file, line: line}, fields[at.image], part, fields[at.caption])
		}
		return nil
	}
	if comma != '\t' {
		return eachRecord(f.file, text, comma, do)
	}
	return eachLine(text, func(line int, s string) error {
		fields := strings.Split(s, "\t")
		for i, field := range fields {
			fields[i] = oneLine(unquote(field))
		}
		return do(line, fields)
	})
}

// separator returns the separator of a table, detected from its first line.
func separator(text []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, " \r\n"), []byte{'\n'})
	for _, comma := range "\t,;" {
		if bytes.ContainsRune(first, comma) {
			return comma
		}
	}
	return ','
}

// unquote removes the quotation marks that some programs put around a tab-separated value, with
// those inside doubled. Other quotation marks belong to the text.
func unquote(field string) string {
	if len(field) < 2 || field[0] != '"' || field[len(field)-1] != '"' {
		return field
	}
	inside := field[1 : len(field)-1]
	if strings.Contains(strings.ReplaceAll(inside, `""`, ""), `"`) {
		return field
	}
	return strings.ReplaceAll(inside, `""`, `"`)
}
