package data

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// drawOf draws n pictures, of which some are copies of the first, in the order of rows and under
// the names that are given.
func drawOf(t *testing.T, p Partition, rows []int, name func(i int) string, shade func(i int) uint8) *Dataset {
	t.Helper()
	root := t.TempDir()
	captions := "image,caption\n"
	for _, i := range rows {
		writePNG(t, filepath.Join(root, name(i)), shade(i))
		captions += fmt.Sprintf("%s,picture %c\n", name(i), 'a'+i)
	}
	writeFile(t, filepath.Join(root, "c.csv"), captions)
	o := ownOptions(root, Captions{Path: "c.csv"})
	o.Split, o.Partition = "drawn", p
	d, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// byCaption gives the split of each caption.
func byCaption(d *Dataset) map[string]string {
	splits := map[string]string{}
	for split, members := range d.Splits {
		for _, i := range members {
			splits[d.Images[i].Captions()[0]] = split
		}
	}
	return splits
}

// A draw depends on the pictures and the seed, and not on names or order; equal pictures stay
// together.
func TestDraw(t *testing.T) {
	rows := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	backwards := slices.Clone(rows)
	slices.Reverse(backwards)
	plain := func(i int) string { return fmt.Sprintf("p%02d.png", i) }
	other := func(i int) string { return fmt.Sprintf("folder%d/q%02d.png", i%3, 50-i) }
	each := func(i int) uint8 { return uint8(10 * i) }
	p := Partition{Val: "10%", Test: "4", Seed: 1}
	d := drawOf(t, p, rows, plain, each)
	if n := [3]int{len(d.Splits["train"]), len(d.Splits["val"]), len(d.Splits["test"])}; n != [3]int{14, 2, 4} {
		t.Errorf("%v images", n)
	}
	want := byCaption(d)
	if got := byCaption(drawOf(t, p, backwards, other, each)); !maps.Equal(got, want) {
		t.Errorf("drawn from other names in another order is %v, want %v", got, want)
	}
	p.Seed = 2
	if got := byCaption(drawOf(t, p, rows, plain, each)); maps.Equal(got, want) {
		t.Error("another seed draws the same")
	}
	for seed := range int64(20) {
		p := Partition{Val: "3", Test: "20%", Seed: seed + 1}
		d := drawOf(t, p, rows, plain, func(i int) uint8 { return uint8(10 * (i / 2)) })
		splits := byCaption(d)
		for i := 0; i < len(rows); i += 2 {
			if a, b := splits[fmt.Sprintf("picture %c", 'a'+i)], splits[fmt.Sprintf("picture %c", 'a'+i+1)]; a != b {
				t.Errorf("seed %d: equal pictures are in %s and %s", p.Seed, a, b)
			}
		}
		if n := [2]int{len(d.Splits["val"]), len(d.Splits["test"])}; n != [2]int{2, 4} { // a third would part a pair
			t.Errorf("seed %d draws %v", p.Seed, n)
		}
	}
	for text, want := range map[string]string{"50%": "data.split draws 5 validation and 5 test images of 10", "x": `"x" is not a share`, "-1": "is not", "NaN%": "is not", "1.5": "is not"} {
		root := writeOwn(t, map[string]string{"c.csv": "image,caption\n"})
		for i := range 10 {
			writePNG(t, filepath.Join(root, plain(i)), uint8(i))
			appendTo(t, filepath.Join(root, "c.csv"), plain(i)+",x\n")
		}
		o := ownOptions(root, Captions{Path: "c.csv"})
		o.Split, o.Partition = "drawn", Partition{Val: text, Test: text, Seed: 1}
		if _, err := Load(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// The order of a draw is a contract: another would be another data set of the same study.
func TestGroups(t *testing.T) {
	var sums [][32]byte
	for _, text := range []string{"a", "b", "c", "a", "d", "b"} {
		sums = append(sums, sha256.Sum256([]byte(text)))
	}
	for seed, want := range map[int64]string{1: "[[1 5] [4] [2] [0 3]]", 2: "[[0 3] [2] [4] [1 5]]"} {
		if got := fmt.Sprint(groups(sums, seed)); got != want {
			t.Errorf("seed %d: %s, want %s", seed, got, want)
		}
	}
}

func TestDrawn(t *testing.T) {
	for text, want := range map[string]int{"10%": 6, "1%": 1, "0%": 0, "0": 0, "7": 7, "12.5%": 8, "0.01%": 1} {
		if got, err := drawn(text, 60); err != nil || got != want {
			t.Errorf("%s of 60 is %d (%v), want %d", text, got, err, want)
		}
	}
}
