package data

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// draw divides the images at random: val and test get as many as the options' Partition says,
// train gets the rest. Images with identical picture files stay together. The result depends only
// on the pictures and the seed, not on names, order or machine: groups of identical pictures are
// ordered by the SHA-256 of the seed and the picture's hash, and each goes where it still fits.
func (d *Dataset) draw() error {
	p := d.Options.Partition
	places := []struct {
		split string
		left  int
	}{{"val", 0}, {"test", 0}}
	for i, text := range []string{p.Val, p.Test} {
		n, err := drawn(cmp.Or(text, "10%"), len(d.Images))
		if err != nil {
			return fmt.Errorf("data.split.%s: %w", places[i].split, err)
		}
		places[i].left = n
	}
	if taken := places[0].left + places[1].left; taken >= len(d.Images) {
		return Error{File: d.Options.Root, Msg: fmt.Sprintf(
			"data.split draws %d validation and %d test images of %d, which leaves none for training: draw fewer",
			places[0].left, places[1].left, len(d.Images))}
	}
	sums, err := d.pictureHashes(0)
	if err != nil {
		return err
	}
	for _, group := range groups(sums, p.Seed) {
		split := "train"
		for i := range places {
			if len(group) <= places[i].left {
				split = places[i].split
				places[i].left -= len(group)
				break
			}
		}
		d.Splits[split] = append(d.Splits[split], group...)
	}
	for _, members := range d.Splits {
		slices.Sort(members)
	}
	return nil
}

// noteShared notes pictures that are identical to one in another split.
func (d *Dataset) noteShared(notes *notebook) error {
	sums, err := d.pictureHashes(0)
	if err != nil {
		return err
	}
	in := make(map[[32]byte]string, len(sums))
	for _, split := range splitNames {
		for _, i := range d.Splits[split] {
			if other, known := in[sums[i]]; known && other != split {
				notes.add(d.Options.Root, 0, fmt.Sprintf("picture in split %s is identical to one in %s: used in both", split, other))
			} else {
				in[sums[i]] = split
			}
		}
	}
	return nil
}

// groups returns the indices of equal hashes together, in an order determined by the seed and the
// hashes.
func groups(sums [][32]byte, seed int64) [][]int {
	type place struct {
		key [32]byte
		at  int
	}
	places := make([]place, len(sums))
	for i, sum := range sums {
		places[i] = place{sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, uint64(seed)), sum[:]...)), i}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(bytes.Compare(a.key[:], b.key[:]), cmp.Compare(a.at, b.at)) })
	var all [][]int
	for i, p := range places {
		if i == 0 || p.key != places[i-1].key {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], p.at)
	}
	return all
}

// drawn returns how many of n images to draw: a number, or a share such as 10%, rounded to the
// nearest but at least one unless it is 0.
func drawn(text string, n int) (int, error) {
	percent, isPercent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(percent, 64)
	switch {
	case err != nil || !(x >= 0) || isPercent && x >= 100 || !isPercent && (x != math.Trunc(x) || x > math.MaxInt32):
		return 0, fmt.Errorf("%q is not a share such as 10%% or a number of images", text)
	case isPercent && x > 0:
		return max(1, int(math.Round(x/100*float64(n)))), nil
	}
	return int(x), nil
}
