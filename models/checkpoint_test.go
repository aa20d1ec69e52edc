package models

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadCheckpoints(t *testing.T) {
	d := smallScenes(t)
	s := smallSettings("soft")
	c := newSmall(t, s, d)
	save := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "c")
		if _, err := c.Save(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name  string
		spoil func(path string) error
		want  string
	}{
		{"no file", func(p string) error { return os.Remove(p + ".json") }, "no such file"},
		{"no weights", func(p string) error { return os.Remove(p + ".safetensors") }, "no such file"},
		{"cut", func(p string) error { return os.Truncate(p+".safetensors", 500) }, "damaged"},
		{"cut optimizer", func(p string) error { return os.Truncate(p+".optimizer.safetensors", 0) }, "damaged"},
		{"not JSON", func(p string) error { return os.WriteFile(p+".json", []byte("weights"), 0o644) }, "invalid character"},
		{"changed state", func(p string) error {
			text, err := os.ReadFile(p + ".json")
			return errors.Join(err, os.WriteFile(p+".json", bytes.Replace(text, []byte(`"step": 0`), []byte(`"step": 1`), 1), 0o644))
		}, "damaged: its sha256 is "},
		{"future format", func(p string) error { return os.WriteFile(p+".json", []byte(`{"format":9}`), 0o644) }, "format 9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := save(t)
			if err := test.spoil(path); err != nil {
				t.Fatal(err)
			}
			if err := c.Load(path); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	wider := s
	wider.Model.Hidden++
	if err := newSmall(t, wider, d).Load(save(t)); err == nil || !strings.Contains(err.Error(), "another model") {
		t.Errorf("a checkpoint of another width: error %v", err)
	}
}

// A checkpoint holds the words of its data: it is its owner's, and the group's in a folder that is the group's.
func TestCheckpointIsPrivate(t *testing.T) {
	for folder, want := range map[fs.FileMode]fs.FileMode{0o755: 0o600, 0o770: 0o660} {
		dir := t.TempDir()
		if err := os.Chmod(dir, folder); err != nil {
			t.Fatal(err)
		}
		if _, err := newSmall(t, smallSettings("soft"), smallScenes(t)).Save(filepath.Join(dir, "c")); err != nil {
			t.Fatal(err)
		}
		for _, ending := range []string{".safetensors", ".optimizer.safetensors", ".json"} {
			if info, err := os.Stat(filepath.Join(dir, "c"+ending)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%v, %v, want %o", info, err, want)
			}
		}
	}
}

// TestCheckpointOfAnyDamage changes each byte of a checkpoint's JSON in turn. Every change is noticed, as one would be in the
// other two files, whose checksums it holds.
func TestCheckpointOfAnyDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	if _, err := newSmall(t, smallSettings("soft"), smallScenes(t)).Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseState(text); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		damaged := bytes.Clone(text)
		damaged[i] ^= 1
		if _, err := parseState(damaged); err == nil {
			t.Errorf("byte %d of %d, %q, was read as %q", i, len(text), text[i], damaged[i])
		}
	}
	old := []byte(`{"format": 1, "epoch": 3}`)
	if state, err := parseState(old); err != nil || state.Epoch != 3 {
		t.Errorf("one of an earlier version: %+v, %v", state, err)
	}
}

// TestHostileSafetensors holds what is refused although a checksum may say that the file is whole. What of the format
// package safetensors refuses, its own test holds.
func TestHostileSafetensors(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, ""},
		{`{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}`, `tensor "a": its values are F64, expected F32`},
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,32]}}`, "does not fit the file"},
	} {
		content := binary.LittleEndian.AppendUint64(nil, uint64(len(c.header)))
		content = append(append(content, c.header...), make([]byte, 16)...)
		_, err := parseSafetensors(content)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%.120s: error %v, want %q", c.header, err, c.want)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x")
	if _, err := writeSafetensors(path, []namedTensor{{"a", []int64{2, 1}, []float32{1, 2}}, {"b", []int64{0}, nil}}); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add([]byte("\x40\x00\x00\x00\x00\x00\x00\x00" + `{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		tensors, err := parseSafetensors(content)
		if err != nil {
			return
		}
		for _, x := range tensors {
			n := int64(1)
			for _, d := range x.shape {
				n *= d
			}
			if int64(len(x.data)) != n {
				t.Errorf("tensor %q of shape %v has %d values", x.name, x.shape, len(x.data))
			}
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte(`{"format":1,"epoch":2,"step":3,"generator":"AAEC","vocabulary":["a"]}`))
	f.Add([]byte(`{"format":1,"epoch":-1}`))
	f.Add([]byte(`{"format":1e400,"plateau":[[[[`))
	f.Add([]byte(`{"format":2,"sha256":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		state, err := parseState(text)
		if err == nil && (state.Format > checkpointFormat || state.Epoch < 0 || state.Step < 0 || state.Captions < 0 || state.Updates < 0) {
			t.Errorf("%s was read as %+v", text, state)
		}
	})
}
