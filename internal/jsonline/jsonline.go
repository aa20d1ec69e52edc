// Package jsonline is how processes of this module talk: JSON values, a line each, over pipes.
//
// It must not import any other package of this module.
package jsonline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Write writes a value as one line.
func Write(w io.Writer, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Read reads one line into value, and gives what follows it.
func Read(r io.Reader, value any) (rest io.Reader, err error) {
	lines := bufio.NewReader(r)
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, value)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a line of JSON: %w", err)
	}
	return lines, nil
}

// limit bounds what is kept of a line that never ends.
const limit = 1 << 16

// Splitter splits what another process writes into values. Lines that are none, of a library that prints, say, go to
// Other.
type Splitter[T any] struct {
	Each  func(T)
	Valid func(T) bool // whether it is one of the values that were agreed on; nil for any
	Other io.Writer
	rest  []byte
}

// Write implements io.Writer. It never fails: the other process must not end for what it says.
func (s *Splitter[T]) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		line, rest, found := bytes.Cut(s.rest, []byte("\n"))
		if !found {
			if len(s.rest) > limit {
				s.line(s.rest)
				s.rest = nil
			}
			return len(p), nil
		}
		s.line(line)
		s.rest = rest
	}
}

func (s *Splitter[T]) line(line []byte) {
	var value T
	if json.Unmarshal(line, &value) == nil && (s.Valid == nil || s.Valid(value)) {
		s.Each(value)
		return
	}
	_, _ = s.Other.Write(append(bytes.Clone(line), '\n'))
}
