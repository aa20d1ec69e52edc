package store

import (
	"bytes"
	"testing"
)

func TestPack(t *testing.T) {
	const counts = `{"test_length":8,"ref_length":6,"test_matches":4,"ref_matches":4,"chunks":2,` +
		`"test_weight":3.5,"ref_weight":2.5,"test_match_weight":1.15,"ref_match_weight":1e-7}`
	for _, c := range []struct {
		column, text string
		packed       string // "" where it stays a text
	}{
		{"beta", "0.25 -1e-05", "\x0a\x25\xbc\x1e\xc0\x5b"},
		{"other_beta", "1", "\x1b"},
		{"own_log_prob", "-0", "\xc0"},
		{"entropy", "", ""},
		{"entropy", "1 ", ""},
		{"entropy", "1 nan", ""},
		{"entropy", "1\x002", ""},
		{"entropy", "1E5", ""},
		{"entropy", "\xff", ""},
		{"words", "1", ""},
		{"meteor_stats", counts, "\x8b\x6b\x4b\x4b\x2b\x3a\x5b\x2a\x5b\x1a\x15\xb1\xec\x7b"},
		{"meteor_stats", "8 6 4 4 2 3.5 2.5 1.15 1e-7", ""},
		{"meteor_stats", counts + " ", ""},
		{"meteor_stats", counts[:len(counts)-1] + `,"more":1}`, ""},
		{"meteor_stats", `{"ref_length":6,` + counts[1:], ""},
		{"meteor_stats", `{"test_length":8}`, ""},
		{"meteor_stats", `{"test_length": 8` + counts[len(`{"test_length":8`):], ""},
	} {
		packed := pack(c.column, c.text)
		if string(packed) != c.packed || (packed == nil) != (c.packed == "") {
			t.Errorf("%s %q became %x, want %x", c.column, c.text, packed, c.packed)
		}
		if packed != nil && unpack(c.column, packed) != c.text {
			t.Errorf("%s %q became %q", c.column, c.text, unpack(c.column, packed))
		}
	}
	for _, value := range []any{nil, int64(1), 2.5, []byte("1")} {
		if packed := pack("beta", value); packed != nil {
			t.Errorf("%v became %x", value, packed)
		}
	}
}

// TestUnpackIsTheInverse tries all blobs of at most two bytes: each is the packed form of the
// text that it becomes, or stays a blob, so that a changed bit is another text.
func TestUnpackIsTheInverse(t *testing.T) {
	texts := 0
	for n := range 1<<8 + 1<<16 {
		blob := []byte{byte(n)}
		if n >= 1<<8 {
			blob = []byte{byte((n - 1<<8) >> 8), byte(n)}
		}
		text, isText := unpack("beta", blob).(string)
		if isText {
			texts++
		}
		if isText && !bytes.Equal(pack("beta", text), blob) {
			t.Fatalf("%x became %q, which is packed as %x", blob, text, pack("beta", text))
		}
	}
	// One or two characters, and three or four, of which the last is no space.
	if want := 13 + 14*13 + (14*14+14*14*14)*13; texts != want {
		t.Errorf("%d blobs are texts, want %d", texts, want)
	}
	if text, isText := unpack("meteor_stats", []byte{0x1b, 0x2b}).(string); isText {
		t.Errorf("too few counts became %q", text)
	}
}

// FuzzPack holds that packing loses nothing, whatever the text.
func FuzzPack(f *testing.F) {
	f.Add("beta", "0.25 -1e-05 ")
	f.Add("meteor_stats", `{"test_length":8,"ref_length":6,"test_matches":4,"ref_matches":4,"chunks":2,`+
		`"test_weight":3.5,"ref_weight":2.5,"test_match_weight":1.15,"ref_match_weight":1e-7}`)
	f.Fuzz(func(t *testing.T, column, text string) {
		if packed := pack(column, text); packed != nil && unpack(column, packed) != text {
			t.Fatalf("%s %q became %q", column, text, unpack(column, packed))
		}
		if again, isText := unpack(column, []byte(text)).(string); isText && string(pack(column, again)) != text {
			t.Fatalf("%s %x became %q", column, text, again)
		}
	})
}
