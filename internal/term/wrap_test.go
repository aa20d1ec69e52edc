package term

import (
	"bytes"
	"slices"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"a b", 10, []string{"a b"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 6, []string{"one", "two", "three"}},
		{"64 − 4 αβγ", 6, []string{"64 − 4", "αβγ"}},
		{"  loss 1.2  val 3", 11, []string{"loss 1.2", "val 3"}},
		{"  loss 1.2  val 3", 13, []string{"loss 1.2  val", "3"}},
		{"a very-long-word b", 4, []string{"a", "very-long-word", "b"}},
	} {
		if got := Wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// Whoever reads a pipe line by line gets a text as one line.
func TestParagraphsOfAPipe(t *testing.T) {
	var out bytes.Buffer
	long := "p INTERVAL: the interval's own test, which also allows for other images; a verdict needs both of them"
	if err := Paragraphs(&out, long, "\x1b"); err != nil {
		t.Fatal(err)
	}
	if want := long + "\n\\u001b\n"; out.String() != want {
		t.Errorf("printed %q, not %q", out.String(), want)
	}
}

// The first line has the whole width.
func TestHanging(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"one two three":            "one two three",
		"one two  three four":      "one two  three\n  four",
		"one two three four fives": "one two three\n  four fives",
		"a-word-of-17-chars b c d": "a-word-of-17-chars\n  b c d",
	} {
		if got := hanging(text, 14); got != want {
			t.Errorf("%q hangs as %q, want %q", text, got, want)
		}
	}
}

// Lines that quote a file are laid out already.
func TestMessage(t *testing.T) {
	var out bytes.Buffer
	const text = "a.yaml:83: unknown key\n    83 |   drop_out: 0.3\n       |   ^^^^^^^^"
	if err := Message(&out, text+"\x1b"); err != nil {
		t.Fatal(err)
	}
	if want := text + "\\u001b\n"; out.String() != want {
		t.Errorf("printed %q, not %q", out.String(), want)
	}
}

func TestTableWrapsItsLastColumn(t *testing.T) {
	table := &Table{}
	table.Add("ok", "cache", "/a/folder")
	table.Add("absent", "cuda", "no CUDA build of libtorch was found")
	table.Add("", "", "→ build one, or train on the CPU")
	table.Gap()
	table.Add("alone")
	var out bytes.Buffer
	if err := table.wrapped(38).Print(&out); err != nil {
		t.Fatal(err)
	}
	const want = `ok      cache  /a/folder
absent  cuda   no CUDA build of
               libtorch was found
               → build one, or train
               on the CPU

alone
`
	if out.String() != want {
		t.Errorf("printed\n%snot\n%s", out.String(), want)
	}
}
