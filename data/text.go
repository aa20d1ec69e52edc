package data

import (
	"bytes"
	"fmt"
	"os"
	"unicode/utf8"
)

// readFile reads a regular file. Reading anything else might never end.
func readFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, Error{File: path, Msg: "is not a regular file"}
	}
	return os.ReadFile(path)
}

// cleanText returns the UTF-8 text of a file without its byte order mark. It rejects anything
// that is not UTF-8.
func cleanText(path string, text []byte) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return nil, Error{path, 1, "is UTF-16; convert it to UTF-8"}
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return nil, Error{path, lineAt(text, at), "contains a zero byte, so it is damaged or not a text file: download it again"}
	}
	if !utf8.Valid(text) {
		at := 0
		for at < len(text) {
			r, n := utf8.DecodeRune(text[at:])
			if r == utf8.RuneError && n <= 1 {
				break
			}
			at += n
		}
		return nil, Error{path, lineAt(text, at), fmt.Sprintf("byte %#02x is not UTF-8; convert the file to UTF-8", text[at])}
	}
	return text, nil
}

// lineAt returns the line, from 1, of the byte at offset at.
func lineAt(text []byte, at int) int {
	return 1 + bytes.Count(text[:min(max(at, 0), len(text))], []byte{'\n'})
}

// eachLine calls do for every line that is not blank, without its line break, until do returns an
// error.
func eachLine(text []byte, do func(line int, s string) error) error {
	line := 0
	for raw := range bytes.Lines(text) {
		line++
		raw = bytes.TrimRight(raw, "\r\n")
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		if err := do(line, string(raw)); err != nil {
			return err
		}
	}
	return nil
}
