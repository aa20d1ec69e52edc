package data

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
)

// Cache names the folders where what is made of data sets is kept. Whatever is missing there, or damaged, is made again.
type Cache struct {
	Dir    string `json:"dir"`              // read and written; "" keeps nothing
	Shared string `json:"shared,omitempty"` // of others: read where Dir has nothing; "" for none
}

// folders are those to read, Dir first.
func (c Cache) folders() []string {
	return slices.DeleteFunc([]string{c.Dir, c.Shared}, func(folder string) bool { return folder == "" })
}

// rootHash tells the folders of data sets apart in names of files.
func rootHash(root string) (string, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(absolute))
	return hex.EncodeToString(sum[:8]), nil
}
