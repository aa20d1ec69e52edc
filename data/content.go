package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
)

// Content identifies the contents of a data set by three hashes: each is the first 16 hex digits
// of a SHA-256. Training depends on the order of the images, so Splits does too; Captions and
// Pictures are hashed in the order of the ids, so that a reordered data set differs only in
// Splits. Images in no split do not count; neither do folders and modification times.
type Content struct {
	Captions string // image ids with their captions, in the order of the ids
	Splits   string // names of the splits with their image ids, in the order of [Dataset.Splits]
	Pictures string // image ids with their pictures, in the order of the ids
}

// contentDigits is how much of a hash is kept: 64 bits distinguish any two data
// sets that were not built to collide.
const contentDigits = 16

// paintedSize is the side, in pixels, at which drawn scenes are hashed. Scenes
// that differ do so at this size too, and painting 3,000 of them takes well
// under a second.
const paintedSize = 16

// Content hashes the contents of the data set: for a picture the bytes of its file, for a drawn
// scene its pixels at a fixed size. Hashes of files are cached, so that an unchanged file is read
// once.
func (d *Dataset) Content() (Content, error) {
	pictures, err := d.pictureHashes(paintedSize)
	if err != nil {
		return Content{}, err
	}
	return Content{Captions: d.captionsHash(), Splits: d.splitsHash(), Pictures: d.picturesHash(pictures)}, nil
}

// contentHash hashes texts and counts. Each text is preceded by its length, so that different
// lists never hash the same bytes.
type contentHash struct{ hash.Hash }

func newContentHash() contentHash { return contentHash{sha256.New()} }

func (h contentHash) count(n int) {
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func (h contentHash) text(s string) { h.bytes([]byte(s)) }

func (h contentHash) bytes(b []byte) {
	h.count(len(b))
	h.Write(b)
}

func (h contentHash) digits() string { return hex.EncodeToString(h.Sum(nil))[:contentDigits] }

// inSplits returns the images that are in a split, in the order of their ids.
func (d *Dataset) inSplits() []int {
	var all []int
	for _, indices := range d.Splits {
		all = append(all, indices...)
	}
	slices.SortFunc(all, func(a, b int) int { return strings.Compare(d.Images[a].ID, d.Images[b].ID) })
	return all
}

func (d *Dataset) captionsHash() string {
	h := newContentHash()
	for _, i := range d.inSplits() {
		image := d.Images[i]
		h.text(image.ID)
		h.count(image.text.captionsOf(image.at))
		for c := range image.captions() {
			h.bytes(image.text.texts.at(c))
		}
	}
	return h.digits()
}

// splitsHash keeps the order of each split's images, as they are trained on.
func (d *Dataset) splitsHash() string {
	h := newContentHash()
	for _, split := range splitNames {
		h.text(split)
		h.count(len(d.Splits[split]))
		for _, i := range d.Splits[split] {
			h.text(d.Images[i].ID)
		}
	}
	return h.digits()
}

// picturesHash takes the hash of each image's picture.
func (d *Dataset) picturesHash(pictures [][32]byte) string {
	h := newContentHash()
	for _, i := range d.inSplits() {
		h.text(d.Images[i].ID)
		h.Write(pictures[i][:])
	}
	return h.digits()
}

// FeatureHash returns the [Features.Hash] of the data set's features for a spec, without opening
// or creating a cache.
func FeatureHash(spec FeatureSpec, d *Dataset) (string, error) {
	if err := spec.check(); err != nil {
		return "", err
	}
	hashes, err := d.pictureHashes(spec.ImageSize)
	if err != nil {
		return "", err
	}
	return featureKey(spec, sortedDistinct(hashes)), nil
}
