package jsonline

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

type said struct {
	What string `json:"what"`
}

func TestWriteAndRead(t *testing.T) {
	var pipe bytes.Buffer
	if err := Write(&pipe, said{"one\nline"}); err != nil {
		t.Fatal(err)
	}
	pipe.WriteString("what follows")
	var got said
	rest, err := Read(&pipe, &got)
	if err != nil || got.What != "one\nline" {
		t.Fatalf("%+v, %v", got, err)
	}
	if text, err := io.ReadAll(rest); string(text) != "what follows" || err != nil {
		t.Errorf("after the line: %q, %v", text, err)
	}
	for _, broken := range []string{"", `{"what":"no end of line"}`, "no JSON\n"} {
		if _, err := Read(strings.NewReader(broken), &got); err == nil || !strings.Contains(err.Error(), "reading a line of JSON: ") {
			t.Errorf("%q: %v", broken, err)
		}
	}
}

// TestSplitter holds that values are found however they are cut up, and that nothing else gets lost or grows without end.
func TestSplitter(t *testing.T) {
	const text = "{\"what\":\"a\"}\na library prints\n{\"other\":1}\n{\"what\":\"b\"}\n"
	for size := 1; size <= len(text); size++ {
		var got []string
		var other bytes.Buffer
		s := &Splitter[said]{
			Each: func(v said) { got = append(got, v.What) }, Valid: func(v said) bool { return v.What != "" }, Other: &other,
		}
		for part := range slices.Chunk([]byte(text), size) {
			if n, err := s.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if !slices.Equal(got, []string{"a", "b"}) || other.String() != "a library prints\n{\"other\":1}\n" {
			t.Errorf("in parts of %d: %v, %q", size, got, other.String())
		}
	}
	var other bytes.Buffer
	s := &Splitter[said]{Each: func(said) {}, Other: &other}
	for range 3 {
		_, _ = s.Write(bytes.Repeat([]byte("x"), limit))
	}
	if other.Len() < limit || len(s.rest) > limit {
		t.Errorf("of a line without an end, %d bytes were passed on and %d are kept", other.Len(), len(s.rest))
	}
}
