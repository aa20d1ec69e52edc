package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
)

// Cache names the folders where what is made of data sets is kept. Whatever is missing there, or damaged, is made again.
type Cache struct {
	Dir    string `json:"dir"`              // read and written; "" keeps nothing
	Shared string `json:"shared,omitempty"` // of others: read where Dir has nothing; "" for none

	// Remark is told which file could not be used, or kept, and why; nil for nobody.
	Remark func(remark string) `json:"-"`
	// Checking is told how many of the pictures that nobody knows to be whole were decoded; nil for nobody.
	Checking func(done, total int) `json:"-"`
}

// remark tells of a file.
func (c Cache) remark(path, format string, arguments ...any) {
	if c.Remark != nil {
		c.Remark(path + ": " + fmt.Sprintf(format, arguments...))
	}
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
