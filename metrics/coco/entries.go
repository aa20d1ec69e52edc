package coco

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"glimpse/internal/jsonfile"
)

// Limits in bytes. At worst, the tokenizer's time grows with the square of a caption's length.
const (
	maxCaption = 1 << 13
)

// captionEntry is a caption in COCO's formats.
type captionEntry struct {
	ImageID *jsonfile.ID `json:"image_id"`
	Caption *string      `json:"caption"`
}

// readEntries calls f with each caption of a file. The list may be inside an object only for references.
func readEntries(r io.Reader, name string, references bool, f func(e captionEntry, at jsonfile.Place) error) error {
	text, err := readText(r, name)
	if err != nil {
		return err
	}
	count := 0
	list := jsonfile.Entries(func(at jsonfile.Place, e captionEntry) error {
		count++
		err := e.check()
		if err == nil {
			err = f(e, at)
		}
		if err != nil {
			return &jsonfile.Error{Line: at.Line, Msg: at.String() + ": " + err.Error(), Err: err}
		}
		return nil
	})
	switch first := bytes.TrimLeft(text, " \t\r\n"); {
	case isLines(name):
		err = jsonfile.Lines(text, list)
	case len(first) == 0 || first[0] == '[':
		err = jsonfile.Array(text, list)
	case first[0] == '{' && references:
		err = jsonfile.Object(text, map[string]jsonfile.List{"annotations": list})
	case references:
		return fmt.Errorf("%s:1: expected COCO captions: an object with a list \"annotations\", or such a list", name)
	default:
		return fmt.Errorf("%s:1: expected a list of {\"image_id\": …, \"caption\": \"…\"}, or a file name ending in .jsonl", name)
	}
	var fault *jsonfile.Error
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("%s:%d: %w", name, fault.Line, fault)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case count == 0:
		return fmt.Errorf("%s: no captions found: expected entries {\"image_id\": …, \"caption\": \"…\"}, for references in a list \"annotations\"", name)
	}
	return nil
}

// check says what an entry lacks.
func (e captionEntry) check() error {
	switch {
	case e.ImageID == nil:
		return errors.New("no image_id")
	case e.Caption == nil:
		return fmt.Errorf("image %q: no caption", string(*e.ImageID))
	case len(*e.Caption) > maxCaption:
		return fmt.Errorf("image %q: the caption has %d bytes; the limit is %d", string(*e.ImageID), len(*e.Caption), maxCaption)
	}
	return nil
}

// isLines tells by its name whether a file holds an entry a line.
func isLines(name string) bool {
	kind := filepath.Ext(strings.TrimSuffix(name, ".gz"))
	return kind == ".jsonl" || kind == ".ndjson"
}

// readText reads a text file, unpacked if it is packed by gzip.
func readText(r io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(r)
	if err == nil {
		text, err = jsonfile.Unpack(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if at := invalidUTF8(text); at >= 0 {
		line := bytes.Count(text[:at], []byte{'\n'}) + 1
		return nil, fmt.Errorf("%s:%d: not UTF-8 at byte %d; save the file as UTF-8", name, line, at)
	}
	return text, nil
}

func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
