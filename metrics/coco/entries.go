package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// entryReader walks over one JSON file of captions and knows where it is.
type entryReader struct {
	name    string
	data    []byte
	decoder *json.Decoder
	entries int
	counted int // bytes whose lines are in line
	line    int // lines before counted
}

// fault is an error that says itself where it is.
type fault struct{ error }

func (d *entryReader) readFile(references bool, f func(e entryJSON, line int) error) error {
	token, err := d.decoder.Token()
	if err != nil {
		return err
	}
	switch {
	case token == json.Delim('['):
		err = d.readList(f)
	case token == json.Delim('{') && references:
		err = d.readObject(f)
	case references:
		return d.fault("want COCO's captions: an object with a list \"annotations\", or such a list")
	default:
		return d.fault("want a list of {\"image_id\": …, \"caption\": \"…\"}")
	}
	if err != nil {
		return err
	}
	if _, err := d.decoder.Token(); !errors.Is(err, io.EOF) {
		return d.fault("there is more after the end of the JSON")
	}
	return nil
}

// readObject reads the list "annotations" of an object and skips the rest.
func (d *entryReader) readObject(f func(e entryJSON, line int) error) error {
	found := false
	for d.decoder.More() {
		key, err := d.decoder.Token()
		if err != nil {
			return err
		}
		if key != "annotations" {
			var skipped json.RawMessage
			if err := d.decoder.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if found {
			return d.fault("a second list \"annotations\"")
		}
		found = true
		token, err := d.decoder.Token()
		if err != nil {
			return err
		}
		if token != json.Delim('[') {
			return d.fault("\"annotations\" is not a list")
		}
		if err := d.readList(f); err != nil {
			return err
		}
	}
	if _, err := d.decoder.Token(); err != nil {
		return err
	}
	if !found {
		return d.fault("no list \"annotations\" in it; want COCO's captions_*.json")
	}
	return nil
}

// readList reads the entries of a list that is open, and its end.
func (d *entryReader) readList(f func(e entryJSON, line int) error) error {
	for d.decoder.More() {
		d.entries++
		line := d.lineOfNext()
		var e entryJSON
		err := d.decoder.Decode(&e)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return err
		}
		var wrongType *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrongType) && wrongType.Field == "":
			err = fmt.Errorf("a %s where {\"image_id\": …, \"caption\": \"…\"} should be", wrongType.Value)
		case errors.As(err, &wrongType):
			err = fmt.Errorf("%s is a %s, not a string", wrongType.Field, wrongType.Value)
		case err == nil && e.ImageID == nil:
			err = errors.New("no image_id")
		case err == nil && e.Caption == nil:
			err = fmt.Errorf("image %q: no caption", string(*e.ImageID))
		case err == nil && len(*e.ImageID) > maxImageID:
			err = fmt.Errorf("image_id of %d bytes; the longest is %d", len(*e.ImageID), maxImageID)
		case err == nil && len(*e.Caption) > maxCaption:
			err = fmt.Errorf("image %q: caption of %d bytes; the longest is %d", string(*e.ImageID), len(*e.Caption), maxCaption)
		}
		if err != nil {
			return fault{fmt.Errorf("%s:%d: entry %d: %w", d.name, line, d.entries, err)}
		}
		if err := f(e, line); err != nil {
			return fault{err}
		}
	}
	_, err := d.decoder.Token()
	return err
}

// lineOfNext returns the line of the next value.
func (d *entryReader) lineOfNext() int {
	offset := int(d.decoder.InputOffset())
	for offset < len(d.data) && bytes.IndexByte([]byte(" \t\r\n,"), d.data[offset]) >= 0 {
		offset++
	}
	d.line += bytes.Count(d.data[d.counted:offset], []byte{'\n'})
	d.counted = offset
	return d.line + 1
}

func (d *entryReader) fault(message string) error {
	return fault{fmt.Errorf("%s:%d: %s", d.name, lineAt(d.data, int(d.decoder.InputOffset())), message)}
}

// explain adds to an error of the JSON decoder where it is and, for the things
// that other programs write into JSON, what it is.
func (d *entryReader) explain(err error) error {
	var known fault
	if errors.As(err, &known) {
		return known.error
	}
	// The decoder's own offset is not that of the bad byte; a second look
	// at the whole file gives it.
	var syntax *json.SyntaxError
	offset := int(d.decoder.InputOffset())
	early := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if errors.As(json.Unmarshal(d.data, new(json.RawMessage)), &syntax) {
		err, offset = syntax, max(0, int(syntax.Offset)-1)
	}
	where := fmt.Sprintf("%s:%d", d.name, lineAt(d.data, offset))
	rest := d.data[min(offset, len(d.data)):]
	for _, word := range []string{"NaN", "Infinity"} {
		if bytes.HasPrefix(rest, []byte(word)) {
			return fmt.Errorf("%s: %s is not JSON; write a caption or leave the entry out", where, word)
		}
	}
	if early {
		return fmt.Errorf("%s: the JSON ends too early: %w", where, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s: not JSON: %w", where, err)
}
