package coco

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"glimpse/metrics"
)

const cocoReferences = `{
 "info": {"year": 2024},
 "images": [{"id": 7, "file_name": "a.jpg"}, {"id": "b", "file_name": "b.jpg"}],
 "annotations": [
  {"image_id": 7, "id": 1, "caption": "A red kite."},
  {"image_id": "b", "id": 2, "caption": "Two boats"},
  {"image_id": "7", "id": 3, "caption": "a kite in the sky"},
  {"image_id": "b", "id": 4, "caption": "..."}
 ]
}`

func TestPair(t *testing.T) {
	refs, err := ReadReferences(strings.NewReader("\ufeff"+cocoReferences), "refs.json")
	if err != nil {
		t.Fatal(err)
	}
	cands, err := ReadCandidates(strings.NewReader(`[{"caption": "", "image_id": "b", "extra": [1]}, {"image_id": 7, "caption": "A kite, red"}]`), "c.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Pair(refs, cands)
	if err != nil {
		t.Fatal(err)
	}
	want := []metrics.Item{
		{ID: "7", Candidate: []string{"a", "kite", "red"}, References: [][]string{{"a", "red", "kite"}, {"a", "kite", "in", "the", "sky"}}},
		{ID: "b", Candidate: []string{}, References: [][]string{{"two", "boats"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	result, err := metrics.Score(got)
	if err != nil {
		t.Fatal(err)
	}
	if !result.Images[1].Blank || result.Images[1].RougeL != 0 || result.Images[1].METEOR != 0 {
		t.Errorf("empty candidate: %+v", result.Images[1])
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty file", "", "x.json:1: JSON ends too early"},
		{"no entries", "[]", "x.json: no captions found"},
		{"object", `{"a": 1}`, `x.json:1: expected a list of {"image_id": …, "caption": "…"}`},
		{"scalar", `3`, `x.json:1: expected a list`},
		{"cut off", "[{\"image_id\": 1, \"caption\": \"a\"},\n{\"image_id\"", "x.json:2: JSON ends too early"},
		{"more behind", `[{"image_id": 1, "caption": "a"}] x`, "more after the end"},
		{"NaN caption", "[\n{\"image_id\": 1, \"caption\": NaN}]", "x.json:2: entry 1 (byte 2): NaN at byte 29 is not JSON; write null, or leave the entry out"},
		{"NaN id", "[\n\n{\"image_id\": -Infinity, \"caption\": \"a\"}]", "x.json:3: entry 1 (byte 3): Infinity at byte 17 is not JSON"},
		{"broken", "[\n{\"image_id\": 1 \"caption\": 2}]", "x.json:2: entry 1 (byte 2): not JSON at byte 17: invalid character '\"'"},
		{"not UTF-8", "[\n{\"image_id\": 1, \"caption\": \"caf\xe9\"}]", "x.json:2: not UTF-8 at byte 33"},
		{"UTF-16", "\xff\xfe[\x00]\x00", "x.json:1: not UTF-8 at byte 0"},
		{"no caption", "[\n{\"image_id\": 1}]", `x.json:2: entry 1 (byte 2): image "1": no caption`},
		{"long id", `[{"image_id": ` + strings.Repeat("9", 1025) + `, "caption": "a"}]`, "its ID has 1025 bytes; the longest has 1024"},
		{"long caption", `[{"image_id": 1, "caption": "` + strings.Repeat(".", maxCaption+1) + `"}]`, `x.json:1: entry 1 (byte 1): image "1": the caption has 8193 bytes; the limit is 8192`},
		{"null caption", `[{"image_id": 1, "caption": null}]`, `entry 1 (byte 1): image "1": no caption`},
		{"number as caption", `[{"image_id": 1, "caption": 5}]`, `x.json:1: entry 1 (byte 28) of image 1: "caption" is a number, not a string`},
		{"no id", `[{"caption": "a"}]`, "x.json:1: entry 1 (byte 1): no image_id"},
		{"null id", `[{"image_id": null, "caption": "a"}]`, "x.json:1: entry 1 (byte 1): no image_id"},
		{"empty id", `[{"image_id": " ", "caption": "a"}]`, "x.json:1: entry 1 (byte 14) of image \" \": its ID is empty"},
		{"fraction as id", `[{"image_id": 1.5, "caption": "a"}]`, "x.json:1: entry 1 (byte 14) of image 1.5: its ID is 1.5, not a string or a whole number"},
		{"list as id", `[{"image_id": [1], "caption": "a"}]`, "x.json:1: entry 1 (byte 14): its ID is [1], not a string or a whole number"},
		{"string entry", `["a"]`, `x.json:1: entry 1 (byte 1): is a string, not an object`},
		{"twice", "[{\"image_id\": 1, \"caption\": \"a\"},\n\n{\"image_id\": \"1\", \"caption\": \"b\"}]", `x.json:3: entry 2 (byte 35): image "1" already has a candidate, in entry 1 (byte 1) of line 1: keep one per image`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadCandidates(strings.NewReader(tt.text), "x.json")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
	references := []struct{ name, text, want string }{
		{"no list", `{"images": []}`, `r.json: no captions found: expected entries`},
		{"not a list", `{"annotations": {}}`, `r.json:1: "annotations" is not a JSON array`},
		{"two lists", `{"annotations": [], "annotations": []}`, `r.json:1: the key "annotations" comes twice in one object at byte 20; keep one`},
		{"empty list", `{"annotations": []}`, "r.json: no captions found"},
		{"scalar", `"a"`, "r.json:1: expected COCO captions"},
	}
	for _, tt := range references {
		t.Run("references/"+tt.name, func(t *testing.T) {
			_, err := ReadReferences(strings.NewReader(tt.text), "r.json")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestPairErrors(t *testing.T) {
	refs := func(ids ...string) (out []References) {
		for _, id := range ids {
			out = append(out, References{id, []string{"a word"}})
		}
		return out
	}
	cands := func(ids ...string) (out []Candidate) {
		for _, id := range ids {
			out = append(out, Candidate{id, "a word"})
		}
		return out
	}
	tests := []struct {
		name  string
		refs  []References
		cands []Candidate
		want  string
	}{
		{"no candidate", refs("a", "b"), cands("a"), `1 have references but no candidate ("b")`},
		{"no references", refs("a"), cands("a", "b", "c", "d", "e"), `4 have a candidate but no references ("b", "c", "d", …)`},
		{"both", refs("a", "b"), cands("b", "c"), `no candidate ("a"), 1 have a candidate`},
		{"wordless", []References{{"a", []string{".", "!"}}}, cands("a"), `image "a" has no reference with words`},
	}
	for _, tt := range tests {
		if _, err := Pair(tt.refs, tt.cands); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestReadLongFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("[\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "{\"image_id\": %d,\n \"caption\": \"a dog\"},\n", i)
	}
	b.WriteString("{\"image_id\": 3, \"caption\": \"a cat\"}]")
	_, err := ReadCandidates(strings.NewReader(b.String()), "long.json")
	want := `long.json:2002: entry 1001 (byte 39892): image "3" already has a candidate, in entry 4 (byte 116) of line 8: keep one per image`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestReadForms reads captions in each form in which other programs write them.
func TestReadForms(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte("{\"image_id\": 1.0, \"caption\": \"a dog\"}\n\n{\"image_id\": \"2\", \"caption\": \"a cat\"}"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want := []Candidate{{"1", "a dog"}, {"2", "a cat"}}
	for name, text := range map[string]string{
		"c.jsonl.gz":  packed.String(),
		"c.ndjson":    "\ufeff{\"image_id\": 1, \"caption\": \"a dog\"} {\"image_id\": 2, \"caption\": \"a cat\"}\n",
		"c.json":      `[{"image_id": 1, "caption": "a dog", "Caption": "not this"}, {"image_id": 2.00, "ID": 7, "caption": "a cat"}]`,
		"strings.txt": `[{"image_id": "1", "caption": "a dog"}, {"caption": "a cat", "image_id": "2"}]`,
	} {
		got, err := ReadCandidates(strings.NewReader(text), name)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// No number is rounded.
	got, err := ReadCandidates(strings.NewReader(`[{"image_id": 9007199254740993, "caption": ""}, {"image_id": 9007199254740992, "caption": ""}]`), "x.json")
	if err != nil || !slices.Equal(got, []Candidate{{"9007199254740993", ""}, {"9007199254740992", ""}}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadCandidates(strings.NewReader(packed.String()[:40]), "cut.jsonl.gz"); err == nil || err.Error() != "cut.jsonl.gz: unexpected EOF" {
		t.Error(err)
	}
}

func FuzzReadReferences(f *testing.F) {
	f.Add([]byte(cocoReferences))
	f.Add([]byte(`[{"image_id": "x", "caption": "y"}]`))
	f.Add([]byte(`{"annotations": [{"image_id": 1, "caption": NaN}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		refs, err := ReadReferences(strings.NewReader(string(data)), "fuzz.json")
		if err == nil && len(refs) == 0 {
			t.Error("no error and no captions")
		}
	})
}

func FuzzReadCandidates(f *testing.F) {
	f.Add([]byte(`[{"image_id": 1, "caption": "a"}, {"image_id": "b", "caption": ""}]`))
	f.Add([]byte("[{\"image_id\": -Infinity}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cands, err := ReadCandidates(strings.NewReader(string(data)), "fuzz.json")
		if err != nil {
			return
		}
		refs := make([]References, len(cands))
		for i, c := range cands {
			refs[i] = References{c.ID, []string{"a word", c.Text}}
		}
		if _, err := Pair(refs, cands); err != nil {
			t.Errorf("captions that read do not pair: %v", err)
		}
	})
}

// TestLineBreaks holds that whatever breaks a caption's line is a space, on both sides.
func TestLineBreaks(t *testing.T) {
	const broken, whole = `A dog\n runs\tand\u2028barks\u0085at\r\ncats .\n`, `A dog runs and barks at cats .`
	read := func(text string) []metrics.Item {
		t.Helper()
		entries := `[{"image_id": 1, "caption": "` + text + `"}]`
		references, err := ReadReferences(strings.NewReader(entries), "r.json")
		if err != nil {
			t.Fatal(err)
		}
		candidates, err := ReadCandidates(strings.NewReader(entries), "c.json")
		if err != nil {
			t.Fatal(err)
		}
		items, err := Pair(references, candidates)
		if err != nil {
			t.Fatal(err)
		}
		return items
	}
	if got, want := read(broken), read(whole); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
