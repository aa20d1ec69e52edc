package arrays

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"glimpse/internal/jsonfile"
)

// namesBeside reads the names of a set's arrays from the given file, or else from one beside the
// set: with the set's name and the extension .txt or .json, or called names.txt or names.json.
func namesBeside(path, given string) ([]string, error) {
	if given != "" {
		return readNames(given)
	}
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	folder := filepath.Join(filepath.Dir(path), "names")
	var found []string
	for _, candidate := range []string{stem + ".txt", stem + ".json", folder + ".txt", folder + ".json"} {
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() {
			found = append(found, candidate)
		}
	}
	switch len(found) {
	case 1:
		return readNames(found[0])
	case 0:
		return nil, fmt.Errorf("has no image names: "+
			"write them to %s.txt, one per line in the order of the features, or set encoder.names", stem)
	}
	return nil, fmt.Errorf("several files may contain the image names (%s): set encoder.names", strings.Join(found, " or in "))
}

// readNames reads a file of names.
func readNames(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostNames {
		return nil, fmt.Errorf("file of names %s: expected a file of at most %d bytes", path, mostNames)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseNames(path, text)
}

// parseNames reads names, one per line or as a list in JSON.
func parseNames(source string, text []byte) ([]string, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("[")) {
		var names []string
		err := jsonfile.Array(text, jsonfile.Entries(func(_ jsonfile.Place, id jsonfile.ID) error {
			names = append(names, string(id))
			return nil
		}))
		var fault *jsonfile.Error
		if errors.As(err, &fault) {
			return nil, fmt.Errorf("%s:%d: %s", source, fault.Line, fault.Msg)
		}
		return names, err
	}
	var names []string
	line := 0
	for raw := range bytes.Lines(text) {
		line++
		name := strings.TrimRight(string(raw), "\r\n")
		if strings.TrimSpace(name) == "" || !utf8.ValidString(name) {
			return nil, fmt.Errorf("%s:%d: expected an image name in UTF-8 on every line", source, line)
		}
		names = append(names, name)
	}
	return names, nil
}
