package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
)

// Cache names the folders of the cache for features, compiled data sets and checked pictures.
// What is missing or damaged there is computed again.
type Cache struct {
	Dir    string `json:"dir"`              // read and written; "" for no cache
	Shared string `json:"shared,omitempty"` // read-only, for what Dir lacks; "" for none

	// Remark is called with a message about a file that cannot be used or stored, or that is
	// downloaded; may be nil.
	Remark func(remark string) `json:"-"`
	// Checking is called with the progress of decoding pictures not yet known to be intact; may
	// be nil.
	Checking func(done, total int) `json:"-"`
}

// remark sends a message about a file to Remark.
func (c Cache) remark(path, format string, arguments ...any) {
	if c.Remark != nil {
		c.Remark(path + ": " + fmt.Sprintf(format, arguments...))
	}
}

// folders returns the folders to read, Dir first.
func (c Cache) folders() []string {
	return slices.DeleteFunc([]string{c.Dir, c.Shared}, func(folder string) bool { return folder == "" })
}

// rootHash identifies the folder of a data set in file names.
func rootHash(root string) (string, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(absolute))
	return hex.EncodeToString(sum[:8]), nil
}
