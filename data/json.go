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
	fail := func(err error) error {
		if fault := (Error{}); errors.As(err, &fault) {
			return err
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Error{file, lineAt(text, len(text)), "JSON ends too early; the file is cut off, get it again"}
		}
		n := here()
		if fault := (*json.SyntaxError)(nil); errors.As(err, &fault) {
			n = max(n, lineAt(text, int(fault.Offset)))
		}
		return Error{file, n, fmt.Sprintf("%v", err)}
	}
	open := func(bracket json.Delim, what string) error {
		n := here()
		t, err := dec.Token()
		if err != nil {
			return fail(err)
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
			return fail(err)
		}
		name, _ := key.(string)
		read := want[name]
		if read == nil {
			var skipped json.RawMessage
			if err := dec.Decode(&skipped); err != nil {
				return fail(err)
			}
			continue
		}
		if err := open('[', fmt.Sprintf("%q", name)); err != nil {
			return err
		}
		for dec.More() {
			if err := read(dec, here()); err != nil {
				return fail(err)
			}
		}
		if _, err := dec.Token(); err != nil {
			return fail(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fail(err)
	}
	return nil
}
