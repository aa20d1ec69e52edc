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

// syntax explains what is no JSON.
func (r *reader) syntax(err error) *Error {
	offset := len(r.text)
	var fault *jsontext.SyntacticError
	if errors.As(err, &fault) {
		offset = min(int(fault.ByteOffset), offset)
		err = fault.Err
	}
	line := 1 + bytes.Count(r.text[:offset], []byte{'\n'})
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{line, "JSON ends too early; the file is cut off, get it again", io.ErrUnexpectedEOF}
	}
	at := fmt.Sprintf(" at byte %d", offset)
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(r.text[offset:], []byte(word)) {
			return &Error{Line: line, Msg: word + at + " is not JSON; write null, or leave the entry out"}
		}
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return &Error{line, fmt.Sprintf("the key %s comes twice in one object%s; keep one", quoted(r.text[offset:]), at), err}
	}
	return &Error{line, "not JSON" + at + ": " + strings.TrimPrefix(err.Error(), "jsontext: "), err}
}

// quoted is the JSON string with which a text begins.
func quoted(text []byte) string {
	if value, err := jsontext.NewDecoder(bytes.NewReader(text)).ReadValue(); err == nil {
		return fmt.Sprintf("%.80s", value)
	}
	return "there"
}

// explain says what is wrong with an entry that is JSON but not what was wanted.
func explain(err error, raw jsontext.Value, at Place) error {
	line, msg := at.Line, err.Error()
	var fault *json.SemanticError
	if errors.As(err, &fault) {
		within := raw[:min(int(fault.ByteOffset), len(raw))]
		line += bytes.Count(within, []byte{'\n'})
		at.Byte += len(within)
		key := strings.ReplaceAll(strings.TrimPrefix(string(fault.JSONPointer), "/"), "/", ".")
		switch {
		case fault.Err != nil:
			msg = fault.Err.Error()
		case key == "":
			msg = fmt.Sprintf("is %s, not %s", kinds[fault.JSONKind], wanted(fault))
		default:
			msg = fmt.Sprintf("%q is %s, not %s", key, kinds[fault.JSONKind], wanted(fault))
		}
	}
	return &Error{line, at.String() + nameOf(raw) + ": " + msg, err}
}

// kinds are the kinds of JSON values in words.
var kinds = map[jsontext.Kind]string{'n': "null", 'f': "false", 't': "true", '"': "a string", '0': "a number", '{': "an object", '[': "an array"}

// wanted is the kind of value that a Go type is read from.
func wanted(fault *json.SemanticError) string {
	switch name := fault.GoType.Kind().String(); name {
	case "string":
		return "a string"
	case "slice", "array":
		return "an array"
	case "struct", "map":
		return "an object"
	default:
		return "a " + name
	}
}

// nameOf names the image of an entry by the keys that such files use, "" where it has none.
func nameOf(raw jsontext.Value) string {
	var names struct {
		ImageID   jsontext.Value `json:"image_id"`
		FileName  jsontext.Value `json:"file_name"`
		FileName2 jsontext.Value `json:"filename"`
		ID        jsontext.Value `json:"id"`
	}
	if json.Unmarshal(raw, &names) != nil {
		return ""
	}
	for _, name := range []jsontext.Value{names.FileName, names.FileName2, names.ImageID, names.ID} {
		if kind := name.Kind(); kind == '"' || kind == '0' {
			return fmt.Sprintf(" of image %.80s", name)
		}
	}
	return ""
}
