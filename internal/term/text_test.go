package term

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a cat": "a cat",
		"ein Bär, 一只猫, قطة \u200f, שלום, 👩‍🚀 e\u0301 \u00a0 \ufffd": "ein Bär, 一只猫, قطة \u200f, שלום, 👩‍🚀 e\u0301 \u00a0 \ufffd",
		"\x1b[2J\x1b]0;title\a":   `\u001b[2J\u001b]0;title\u0007`,
		"a\nb\tc\rd":              `a\nb\tc\u000dd`,
		"\u009b31m \u0085 \x7f":   `\u009b31m \u0085 \u007f`,
		"\x9b31m \xff é":          `\x9b31m \xff é`,
		"\u202egnp.exe \u2066x":   `\u202egnp.exe \u2066x`,
		"line\u2028end\u2029":     `line\u2028end\u2029`,
		"\xe2\x82":                `\xe2\x82`,
		"windows\\path \\u001b x": `windows\path \u001b x`,
	} {
		if got := Line(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if got := Lines("a\tb\nc\x1b\r\n"); got != "a\tb\nc\\u001b\\u000d\n" {
		t.Errorf("%q", got)
	}
}

// An output gets the same whatever pieces the text comes in.
func TestOutput(t *testing.T) {
	const text = "ein Bär 👩‍🚀\n\x1b[2J\t一只猫 \u202e \xff\xe2\x82"
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		o := NewOutput(&out)
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			piece := rest[:min(size, len(rest))]
			if n, err := o.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := o.Close(); err != nil || out.String() != Lines(text) {
			t.Fatalf("in pieces of %d: %q, %v, want %q", size, &out, err, Lines(text))
		}
		if Data(o) != &out {
			t.Fatal("data do not go past it")
		}
	}
}

// JSON that went through an output is the same value.
func TestOutputOfJSON(t *testing.T) {
	want := map[string]string{"a\x1b\u009b": "b\u202e\x7f\u2028\n\t\\ é"}
	var out bytes.Buffer
	o := NewOutput(&out)
	if err := WriteJSON(o, want); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != 1 || got["a\x1b\u009b"] != want["a\x1b\u009b"] {
		t.Errorf("%q, %v", got, err)
	}
	if strings.ContainsFunc(strings.Trim(out.String(), "{}\n"), func(r rune) bool { return Hidden(r) && r != '\n' }) {
		t.Errorf("hidden characters are left in %q", &out)
	}
}

// No cell leaves its place.
func TestTableHoldsItsCells(t *testing.T) {
	var out bytes.Buffer
	rows := &Table{}
	rows.Add("A", "B")
	rows.Gap()
	rows.Add("x\ny\tz", "\x1b[31m")
	rows.AddLines("error", "one\n\ttwo\x1b")
	if err := rows.Print(&out); err != nil {
		t.Fatal(err)
	}
	want := "A  B\n\nx\\ny\\tz  \\u001b[31m\nerror    one\n             two\\u001b\n"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", &out, want)
	}
}

func TestProgressShowsWhatIsHidden(t *testing.T) {
	p, out, c := newTestProgress(true)
	p.Update("a\x1b[2J\nb", 1, 2, "note\x1b")
	c.at = c.at.Add(1e9)
	p.Log("kept\x1b]0;x\a\nsecond")
	p.Finish("a\x1b[2J\nb", "")
	p.Close()
	text := strings.NewReplacer("\r\x1b[1A\x1b[J", "").Replace(out.String())
	if strings.ContainsFunc(text, func(r rune) bool { return Hidden(r) && r != '\n' }) || !strings.Contains(text, `a\u001b[2J\nb`) || len(p.bars) != 0 {
		t.Errorf("%q", text)
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"a", "\x1b", "\xff", "\u202e", "é", "\xe2\x82"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Line(text)
		if strings.ContainsFunc(got, Hidden) || !utf8.ValidString(got) || Line(got) != got {
			t.Errorf("%q is shown as %q", text, got)
		}
	})
}

// TestName holds that a name with characters that are hidden is quoted so that it can be read back.
func TestName(t *testing.T) {
	for name, want := range map[string]string{
		"dog.jpg": "dog.jpg", "a dog\u00a0ü.jpg": "a dog\u00a0ü.jpg", `a\tb.jpg`: `a\tb.jpg`, "a\tb\n.jpg": `"a\tb\n.jpg"`,
		`"a".jpg`: `"\"a\".jpg"`, "\x1b[2J": `"\x1b[2J"`, "a\xff.jpg": `"a\xff.jpg"`, "a\u202eb": `"a\u202eb"`,
	} {
		got := Name(name)
		if got != want {
			t.Errorf("%q is %s, want %s", name, got, want)
		}
		if back, err := strconv.Unquote(got); got != name && (err != nil || back != name) {
			t.Errorf("%s is read back as %q, %v", got, back, err)
		}
	}
}
