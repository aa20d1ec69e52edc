package jsonfile

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

type entry struct {
	ID   ID       `json:"id"`
	Text string   `json:"text"`
	Many []string `json:"many"`
}

func TestRead(t *testing.T) {
	const object = "{\"info\": {\"list\": [3]}, \"List\": 4,\n \"list\": [\n  {\"id\": 1, \"text\": \"a\"},  {\"Text\": \"x\", \"text\": \"b\", \"id\": \"1\"}\n], \"others\": []}\n"
	var places []string
	var values []string
	list := Entries(func(at Place, e entry) error {
		places = append(places, at.String())
		values = append(values, string(e.ID)+e.Text)
		if at.Line != 3 && at.List == "list" {
			t.Errorf("line %d", at.Line)
		}
		return nil
	})
	if err := Object([]byte(object), map[string]List{"list": list, "others": list, "absent": list}); err != nil {
		t.Fatal(err)
	}
	if err := Array([]byte(` [{"id": 2.0}]`), list); err != nil {
		t.Fatal(err)
	}
	if err := Lines([]byte("{\"id\": 3}\n\n{\"id\": 4} "), list); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(values, []string{"1a", "1b", "2", "3", "4"}) {
		t.Errorf("%q", values)
	}
	want := []string{"list, entry 1 (byte 48)", "list, entry 2 (byte 73)", "entry 1 (byte 2)", "entry 1 (byte 0)", "entry 2 (byte 11)"}
	if !slices.Equal(places, want) {
		t.Errorf("%q\nwant %q", places, want)
	}
	for _, c := range []struct {
		byte int
		want string
	}{{48, `{"id": 1, `}, {73, `{"Text"`}} {
		if !strings.HasPrefix(object[c.byte:], c.want) {
			t.Errorf("byte %d is %q", c.byte, object[c.byte:c.byte+9])
		}
	}
}

func TestFaults(t *testing.T) {
	list := Entries(func(Place, entry) error { return nil })
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"\n3", 2, "the file is not a JSON object"},
		{"{\"list\":\n{}}", 2, `"list" is not a JSON array`},
		{"{\"list\": [{\"id\": 1,\n \"text\": 5}]}", 2, `list, entry 1 (byte 29) of image 1: "text" is a number, not a string`},
		{`{"list": [{"id": 1, "many": [0]}]}`, 1, `list, entry 1 (byte 29) of image 1: "many.0" is a number, not a string`},
		{`{"list": [{"id": 1, "many": "x"}]}`, 1, `list, entry 1 (byte 28) of image 1: "many" is a string, not an array`},
		{`{"list": [7]}`, 1, "list, entry 1 (byte 10): is a number, not an object"},
		{`{"list": [{"id": {}, "file_name": "a.jpg"}]}`, 1, `list, entry 1 (byte 17) of image "a.jpg": its ID is {}, not a string or a whole number`},
		{`{"list": [{"id": 4.2e1}]}`, 1, "its ID is 4.2e1, not a string or a whole number"},
		{`{"list": [{"id": null}]}`, 1, "its ID is null"},
		{`{"list": [{"id": " "}]}`, 1, "its ID is empty"},
		{`{"list": [{"id": 1, "id": 2}]}`, 1, `list, entry 1 (byte 10): the key "id" comes twice in one object at byte 20; keep one`},
		{`{"list": [{"other": {"a": 1, "a": 2}}]}`, 1, `the key "a" comes twice in one object at byte 29; keep one`},
		{`{"list": [], "list": []}`, 1, `the key "list" comes twice`},
		{`{"list": [{"id": NaN}]}`, 1, "NaN at byte 17 is not JSON"},
		{`{"list": [{"id": 1}`, 1, "JSON ends too early"},
		{`{"list": [{"id": "`, 1, "JSON ends too early"},
		{``, 1, "JSON ends too early"},
		{"{\"list\": []}\n\n x", 3, "there is more after the end of the JSON, at byte 15"},
		{`{"list": ` + strings.Repeat("[", 20_000), 1, "exceeded max depth"},
		{"{\"list\": [{\"id\": \"\xff\"}]}", 1, "invalid UTF-8"},
	} {
		err := Object([]byte(c.text), map[string]List{"list": list})
		var fault *Error
		if !errors.As(err, &fault) || fault.Line != c.line || !strings.Contains(fault.Msg, c.want) {
			t.Errorf("%.60s: %+v\nwant %d: %s", c.text, err, c.line, c.want)
		}
	}
	if err := Object([]byte(`{"list": [`), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	own := errors.New("own")
	if err := Array([]byte(`[1]`), func(jsontext.Value, Place) error { return own }); !errors.Is(err, own) {
		t.Error(err)
	}
}

// FuzzObject holds that no text panics, and that places are those of the entries.
func FuzzObject(f *testing.F) {
	f.Add(`{"a": 1, "list": [{"id": 1}, {"id": "x", "text": "y"}]}`)
	f.Add(`{"list": [{"id": NaN}`)
	f.Fuzz(func(t *testing.T, text string) {
		list := func(raw jsontext.Value, at Place) error {
			if !strings.HasPrefix(text[at.Byte:], string(raw)) || at.Line != 1+strings.Count(text[:at.Byte], "\n") {
				t.Errorf("%q at %+v", raw, at)
			}
			return nil
		}
		_ = Object([]byte(text), map[string]List{"list": list})
		_ = Lines([]byte(text), list)
		_ = Array([]byte(text), Entries(func(Place, entry) error { return nil }))
	})
}
