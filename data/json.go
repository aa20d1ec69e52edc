package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// element reads the next value of a decoder; line is where it begins.
type element func(dec *json.Decoder, line int) error

// elements gives the element that decodes a value into a T and passes it on.
func elements[T any](do func(line int, value T) error) element {
	return func(dec *json.Decoder, line int) error {
		var value T
		if err := dec.Decode(&value); err != nil {
			return err
		}
		return do(line, value)
	}
}

// eachElement walks a JSON object and, for each of its keys in want, calls the
// function for every element of the array there. Other keys are skipped. The
// file is read once and never held as a tree, since COCO's are large.
func eachElement(file string, text []byte, want map[string]element) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	at, line := 0, 1
	here := func() int { // the line of the next value
		next := int(dec.InputOffset())
		for next < len(text) && bytes.IndexByte([]byte(" \t\r\n,:"), text[next]) >= 0 {
			next++
		}
		line += bytes.Count(text[at:next], []byte{'\n'})
		at = next
		return line
	}
	fail := func(n int, err error) error { // n: the line where the value began
		if fault := (Error{}); errors.As(err, &fault) {
			return err
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Error{file, lineAt(text, len(text)), "JSON ends too early; the file is cut off, get it again"}
		}
		if fault := (*json.SyntaxError)(nil); errors.As(err, &fault) {
			return Error{file, max(n, lineAt(text, int(fault.Offset))), fmt.Sprintf("JSON: %v", err)}
		}
		if fault := (*json.UnmarshalTypeError)(nil); errors.As(err, &fault) {
			return Error{file, n, fmt.Sprintf("%q holds a %s, want a %s", fault.Field, fault.Value, fault.Type)}
		}
		return Error{file, n, fmt.Sprintf("JSON: %v", err)}
	}
	open := func(bracket json.Delim, what string) error {
		n := here()
		t, err := dec.Token()
		if err != nil {
			return fail(n, err)
		}
		if t != bracket {
			return Error{file, n, fmt.Sprintf("%s is not a JSON %s", what, map[json.Delim]string{'{': "object", '[': "array"}[bracket])}
		}
		return nil
	}
	if err := open('{', "the file"); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fail(here(), err)
		}
		name, _ := key.(string)
		read := want[name]
		if read == nil {
			n := here()
			var skipped json.RawMessage
			if err := dec.Decode(&skipped); err != nil {
				return fail(n, err)
			}
			continue
		}
		if err := open('[', fmt.Sprintf("%q", name)); err != nil {
			return err
		}
		for dec.More() {
			n := here()
			if err := read(dec, n); err != nil {
				return fail(n, err)
			}
		}
		if _, err := dec.Token(); err != nil {
			return fail(here(), err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fail(here(), err)
	}
	return nil
}
