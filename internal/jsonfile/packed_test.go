package jsonfile

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

func TestUnpack(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"text", packed.String()} {
		if got, err := Unpack([]byte(text)); err != nil || string(got) != "text" {
			t.Errorf("%q unpacks to %q (%v)", text, got, err)
		}
	}
	for _, cut := range []int{2, 12, packed.Len() - 1} {
		if got, err := Unpack(packed.Bytes()[:cut]); err == nil {
			t.Errorf("the first %d bytes unpack to %q", cut, got)
		}
	}
}

// The keys of the first object are given as far as they can be read.
func TestKeys(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": [1, {"b": 2}], "c": null} {"d": 1}`: "a c",
		`{"a": 1, "b": [`:                          "a b",
		`{"a": 1, "b`:                              "a",
		`{}`:                                       "",
		`[{"a": 1}]`:                               "",
		``:                                         "",
	} {
		if got := strings.Join(Keys([]byte(text)), " "); got != want {
			t.Errorf("keys of %s are %q, want %q", text, got, want)
		}
	}
}
