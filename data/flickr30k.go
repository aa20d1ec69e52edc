package data

import (
	"fmt"
	"regexp"
	"strings"

	"glimpse/internal/term"
)

// parsePiped reads Kaggle's results.csv of Flickr30k: a header, then one row per caption, with a
// bar between name, number and caption. Nothing is quoted.
func (c *corpus) parsePiped(file string, text []byte) error {
	header := true
	return eachLine(text, func(line int, s string) error {
		fields := strings.SplitN(s, "|", 3)
		for i, field := range fields {
			if i > 0 {
				field = oneLine(field)
			}
			fields[i] = strings.TrimSpace(field)
		}
		if header {
			header = false
			if strings.Join(fields, ",") != numberedHeader {
				return Error{file, line, `the first line is not "image_name| comment_number| comment": wrong file format?`}
			}
			return nil
		}
		if len(fields) == 1 || len(fields) == 2 && !unseparated.MatchString(fields[1]) {
			return Error{file, line, fmt.Sprintf("%s, expected 3 (image_name| comment_number| comment)", term.Plural(len(fields), "field"))}
		}
		return c.addNumbered(file, line, append(fields, "")[:3])
	})
}

// unseparated matches a number and a caption with at least two spaces instead of the separator.
// Kaggle's Flickr30k has one such row, the last caption of 2199200615.jpg.
var unseparated = regexp.MustCompile(`^(\d{1,9})\s\s+(\S.*)$`)

// addNumbered adds a row of name, number and caption.
func (c *corpus) addNumbered(file string, line int, row []string) error {
	name, number, caption := strings.TrimSpace(row[0]), strings.TrimSpace(row[1]), row[2]
	if m := unseparated.FindStringSubmatch(number); m != nil && strings.TrimSpace(caption) == "" {
		number, caption = m[1], m[2]
		c.notes.add(file, line, "missing separator between number and caption: added")
	}
	if !isNumber(number) {
		return Error{file, line, fmt.Sprintf("comment_number of %.80q is %.40q, not a number", name, number)}
	}
	return c.addFlickr(file, line, name, "#"+number, caption)
}
