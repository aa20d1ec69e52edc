package ptb

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTokenize(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{" \t\u00A0", ""},
		{"A dog runs across the green field .", "a dog runs across the green field"},
		{"Two men, one in red, sit; they don't talk!", "two men one in red sit they do n't talk"},
		{"the dog's ball", "the dog 's ball"},
		{"I cannot, he's gonna", "i can not he 's gon na"},
		{"'Tis a \"big\" one", "'t is a big one"},
		{"a black-and-white t-shirt", "a black-and-white t-shirt"},
		{"man (left) [right] {up}", "man -lrb- left -rrb- -lsb- right -rsb- -lcb- up -rcb-"},
		{"Mr. Smith and Dr. Jones vs. the U.S. team", "mr. smith and dr. jones vs. the u.s. team"},
		{"vitamin C. The end", "vitamin c the end"},
		{"vitamin C.", "vitamin c."},
		{"about 5 1/2 feet", "about 5\u00A01/2 feet"},
		{"the number 23 at 10:30 , $ 1,000.50", "the number 23 at 10:30 $ 1,000.50"},
		{"rock 'n' roll in the '80s", "rock 'n' roll in the '80s"},
		{"a red&white AT&T sign", "a red & white at&t sign"},
		{"wait... what?!", "wait what ?!"},
		{"caf\u00E9 \u2013 na\u00EFve \u201Cquote\u201D", "caf\u00E9 na\u00EFve quote"},
		{"<b>bold</b> x < y", "<b> bold </b> x < y"},
		{"see www.example.com/ab or me@example.org", "see www.example.com/ab or me@example.org"},
		{"\U0001F600 smile \u2603", "smile \u2603"},
		{"line one\nline two\r\n", "line one line two"},
		{"bad \xff\xfe bytes", "bad bytes"},
	}
	for _, tt := range tests {
		if got := strings.Join(Tokenize(tt.text), " "); got != tt.want {
			t.Errorf("Tokenize(%q)\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

// The fixture is made by ../testdata/make_fixtures.py, which names the programs used.
func TestTokenizeParity(t *testing.T) {
	var fixture []struct {
		Text   string   `json:"text"`
		Tokens []string `json:"tokens"`
	}
	data, err := os.ReadFile(filepath.Join("testdata", "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	for _, f := range fixture {
		if got := Tokenize(f.Text); !reflect.DeepEqual(got, f.Tokens) {
			t.Errorf("Tokenize(%q)\n got %q\nwant %q", f.Text, got, f.Tokens)
		}
	}
}

// Tokens are stored with their version, so Version must change if tokens do.
func TestVersion(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, line := range strings.Split(string(text), "\n") { // any text will do, even JSON
		fmt.Fprintf(sum, "%q\n", Tokenize(line))
	}
	const version, tokens = "ptb 1", "b7518755d5dbaa05"
	if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); Version != version || got != tokens {
		t.Errorf("version %q has tokens of hash %s, want %q and %s: if tokens have changed, raise Version, then update this test",
			Version, got, version, tokens)
	}
}

// Plain words take a fast path; in a text that is not ASCII, the rules decide. Both
// must agree.
func TestTokenizePlainWords(t *testing.T) {
	for _, w := range []string{"dog", "x", "vs", "mr", "cannot", "lemme", "nothing", "ph", "no"} {
		short := Tokenize(w + " é")
		long := Tokenize(w + " dog")
		if !reflect.DeepEqual(short[:len(short)-1], long[:len(long)-1]) {
			t.Errorf("%q: %q with the rules, %q without", w, short, long)
		}
	}
}

func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"A dog.", "U.S. The", "(617) 253-1000", "<a href='x'>", "don't 'tis", "&eacute;\u00AD½ \xff", "x@y.z>", "a-b.c., d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, token := range Tokenize(text) {
			if token == "" || !utf8.ValidString(token) || isPunctuation(token) || strings.ContainsAny(token, " \n\r") {
				t.Errorf("Tokenize(%q) gives %q", text, token)
			}
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	const caption = "A young boy in a blue-and-white shirt, who isn't smiling, jumps into the pool ."
	b.SetBytes(int64(len(caption)))
	for b.Loop() {
		Tokenize(caption)
	}
}
