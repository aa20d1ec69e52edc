package data

import (
	"errors"

	"glimpse/internal/jsonfile"
)

// entries is a list of values of one type. Errors name the entry.
func entries[T any](do func(at jsonfile.Place, value T) error) jsonfile.List {
	return jsonfile.Entries(func(at jsonfile.Place, value T) error { return placed(at, do(at, value)) })
}

// placed adds the place of an entry to its error.
func placed(at jsonfile.Place, err error) error {
	if fault := (Error{}); errors.As(err, &fault) {
		fault.Msg = at.String() + ": " + fault.Msg
		return fault
	}
	return err
}

// eachEntry calls the lists of a JSON object for each of their entries.
func eachEntry(file string, text []byte, lists map[string]jsonfile.List) error {
	err := jsonfile.Object(text, lists)
	var fault *jsonfile.Error
	if errors.As(err, &fault) {
		return Error{file, fault.Line, fault.Msg}
	}
	return err
}
