// Package jsonfile reads the JSON files that other programs write, by strict
// rules: keys match by case, a key given twice in one object is an error, and
// so is anything after the end. Errors say where they are: by line, and since
// such a file may be a single line of megabytes, by entry, image and byte too.
package jsonfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Place is where an entry of a list stands in a file.
type Place struct {
	List  string // the list's key, "" for a list that is the whole file
	Entry int    // from 1
	Line  int    // from 1
	Byte  int    // offset of its first byte, from 0
}

// String describes the place but for its line, such as "annotations, entry 17 (byte 2034)".
func (p Place) String() string {
	entry := fmt.Sprintf("entry %d (byte %d)", p.Entry, p.Byte)
	if p.List == "" {
		return entry
	}
	return p.List + ", " + entry
}

// Error is a fault of a file.
type Error struct {
	Line int // from 1
	Msg  string
	Err  error // its cause, nil if there is none beside the message
}

// Error implements error. It does not name the file, which the caller knows.
func (e *Error) Error() string { return e.Msg }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// List reads the entries of a list, one at a time.
type List func(raw jsontext.Value, at Place) error

// Entries is a list of values of one type. Errors of do are returned as they are.
func Entries[T any](do func(at Place, value T) error) List {
	return func(raw jsontext.Value, at Place) error {
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			return explain(err, raw, at)
		}
		return do(at, value)
	}
}

// Object walks an object and calls the list of each key in want for every
// entry of the array there. Other keys are skipped. The text is never held as
// a tree, since such files are large.
func Object(text []byte, want map[string]List) error {
	r := newReader(text)
	if err := r.open('{', "the file"); err != nil {
		return err
	}
	for r.decoder.PeekKind() == '"' {
		key, err := r.decoder.ReadToken()
		if err != nil {
			return r.syntax(err)
		}
		name := key.String()
		if read := want[name]; read != nil {
			if err := r.list(name, fmt.Sprintf("%q", name), read); err != nil {
				return err
			}
		} else if err := r.decoder.SkipValue(); err != nil {
			return r.syntax(err)
		}
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return r.syntax(err)
	}
	return r.end()
}

// Array walks an array.
func Array(text []byte, read List) error {
	r := newReader(text)
	if err := r.list("", "the file", read); err != nil {
		return err
	}
	return r.end()
}

// Lines walks values that follow one another, as in JSON Lines.
func Lines(text []byte, read List) error {
	r := newReader(text)
	for entry := 1; ; entry++ {
		if bytes.IndexFunc(text[r.decoder.InputOffset():], notSpace) < 0 {
			return nil
		}
		if err := r.entry("", entry, read); err != nil {
			return err
		}
	}
}

// reader walks over a text and knows where it is.
type reader struct {
	text    []byte
	decoder *jsontext.Decoder
	counted int // bytes whose line ends are in line
	line    int // of byte counted, from 1
}

func newReader(text []byte) *reader {
	return &reader{text: text, decoder: jsontext.NewDecoder(bytes.NewBuffer(text)), line: 1}
}

// next is the offset of the next value or bracket, and its line.
func (r *reader) next() (offset, line int) {
	offset = int(r.decoder.InputOffset())
	for offset < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[offset]) >= 0 {
		offset++
	}
	r.line += bytes.Count(r.text[r.counted:offset], []byte{'\n'})
	r.counted = offset
	return offset, r.line
}

// open reads an opening bracket, of what is to be an object or an array.
func (r *reader) open(bracket jsontext.Kind, what string) error {
	_, line := r.next()
	token, err := r.decoder.ReadToken()
	if err != nil {
		return r.syntax(err)
	}
	if token.Kind() != bracket {
		return &Error{Line: line, Msg: fmt.Sprintf("%s is not a JSON %s", what, map[jsontext.Kind]string{'{': "object", '[': "array"}[bracket])}
	}
	return nil
}

// list reads an array.
func (r *reader) list(key, what string, read List) error {
	if err := r.open('[', what); err != nil {
		return err
	}
	for entry := 1; r.decoder.PeekKind() != ']'; entry++ {
		if err := r.entry(key, entry, read); err != nil {
			return err
		}
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return r.syntax(err)
	}
	return nil
}

func (r *reader) entry(key string, entry int, read List) error {
	offset, line := r.next()
	raw, err := r.decoder.ReadValue()
	if err != nil {
		if fault := r.syntax(err); fault.Err == nil || !errors.Is(fault.Err, io.ErrUnexpectedEOF) {
			return &Error{fault.Line, Place{key, entry, line, offset}.String() + nameOf(raw) + ": " + fault.Msg, fault.Err}
		}
		return r.syntax(err)
	}
	return read(raw, Place{key, entry, line, offset})
}

// end refuses what follows the end.
func (r *reader) end() error {
	if offset, line := r.next(); offset < len(r.text) {
		return &Error{Line: line, Msg: fmt.Sprintf("there is more after the end of the JSON, at byte %d", offset)}
	}
	return nil
}

func notSpace(c rune) bool { return !strings.ContainsRune(" \t\r\n", c) }

// Keys gives the keys of the object that a text begins with, as far as it is one.
func Keys(text []byte) []string {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	if token, err := decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	var keys []string
	for decoder.PeekKind() == '"' {
		key, err := decoder.ReadToken()
		if err != nil {
			break
		}
		keys = append(keys, key.String())
		if decoder.SkipValue() != nil {
			break
		}
	}
	return keys
}
