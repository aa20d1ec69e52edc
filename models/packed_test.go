package models

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/safetensors"
	"glimpse/internal/torch"
)

// TestPacked holds that a packed captioner captions as its checkpoint does, bit for bit in single
// precision, and that the file's size is what its precision says.
func TestPacked(t *testing.T) {
	d := smallScenes(t)
	for _, encoder := range []experiments.Encoder{
		{Name: "cnn", ImageSize: 32, Channels: 4},
		{Name: "efficientnet_lite0", ImageSize: 64, Weights: "random"},
	} {
		s := smallSettings("adaptive")
		s.Encoder = encoder
		cache := t.TempDir()
		c, checkpoint := saved(t, s, d, cache)
		want, err := c.Caption(t.Context(), d.Splits["test"], s.Decode, true)
		if err != nil {
			t.Fatal(err)
		}
		sizes := map[bool]int64{}
		for _, half := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "packed.safetensors")
			if err := Pack(path, checkpoint, "a captioner", half); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			sizes[half] = info.Size()
			if text, err := PackedDescription(path); err != nil || text != "a captioner" {
				t.Errorf("the description is %q, %v", text, err)
			}
			p, err := Engine{CacheDir: cache, Device: torch.CPU, Threads: 1}.PackedPictures(t.Context(), s, path, d.Vocabulary.Words)
			if err != nil {
				t.Fatal(err)
			}
			var pixels [][]uint8
			for _, i := range d.Splits["test"] {
				rgb, err := d.Pixels(i, s.Encoder.ImageSize)
				if err != nil {
					t.Fatal(err)
				}
				pixels = append(pixels, rgb)
			}
			got, err := p.Caption(t.Context(), pixels, s.Decode)
			p.Close()
			if err != nil || len(got) != len(want) {
				t.Fatalf("%d captions, want %d: %v", len(got), len(want), err)
			}
			for i := range got {
				if !half && (strings.Join(got[i].Words, " ") != strings.Join(want[i].Words, " ") || got[i].LogProb != want[i].LogProb) {
					t.Errorf("%s: caption %d is %q of %v, want %q of %v", encoder.Name, i, got[i].Words, got[i].LogProb, want[i].Words, want[i].LogProb)
				}
			}
		}
		if values := 2 * c.Parameters(); sizes[false]-sizes[true] < values-16 || sizes[false]-sizes[true] > values+16 {
			t.Errorf("single precision takes %d bytes and half %d, want %d fewer", sizes[false], sizes[true], values)
		}
	}
}

// TestPackedOfAnyDamage changes bytes of a packed captioner one at a time: each change is noticed,
// or is none of the description and the values.
func TestPackedOfAnyDamage(t *testing.T) {
	_, checkpoint := saved(t, smallSettings("none"), smallScenes(t), t.TempDir())
	path := filepath.Join(t.TempDir(), "packed.safetensors")
	if err := Pack(path, checkpoint, "a captioner", true); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	described := strings.Index(string(content), "a captioner")
	places := []int{0, described, described + 5, len(content) - 1}
	for at := len(content) / 2; at < len(content); at += 997 {
		places = append(places, at)
	}
	for _, at := range places {
		damaged := []byte(strings.Clone(string(content)))
		damaged[at] ^= 1
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := unpack(path); err == nil {
			t.Errorf("a change of byte %d of %d is not noticed", at, len(content))
		}
	}
}

// TestPackedRefused holds what is said of files that are no packed captioner, and of weights that
// half precision cannot hold.
func TestPackedRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.safetensors")
	header, err := safetensors.Encode([]safetensors.Tensor{{Name: "w", DType: "F32", Shape: []int64{0}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"no tensors":   "not a safetensors file",
		string(header): "is not a packed captioner",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := unpack(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if _, err := PackedDescription(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := halves(namedTensor{"w", []int64{2}, []float32{1, 1e5}}); err == nil || !strings.Contains(err.Error(), "100000") {
		t.Errorf("rounding 100000 to half precision: error %v", err)
	}
}
