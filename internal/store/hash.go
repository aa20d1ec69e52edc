package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"
)

// CaptionsSHA256 is the hash of captions in the order of their image ids: lines
// of id, tab and words.
func CaptionsSHA256(captions []Caption) string {
	ordered := slices.SortedFunc(slices.Values(captions), func(a, b Caption) int {
		return strings.Compare(a.Image, b.Image)
	})
	hash := sha256.New()
	for _, c := range ordered {
		_, _ = io.WriteString(hash, c.Image+"\t"+c.Words+"\n")
	}
	return hex.EncodeToString(hash.Sum(nil))
}
