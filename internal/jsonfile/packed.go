package jsonfile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// maxUnpacked is the largest text that a packed file may hold, in bytes.
const maxUnpacked = 1 << 30

// Unpack gives the text of a file that may be packed by gzip, as its first bytes tell.
func Unpack(text []byte) ([]byte, error) {
	if !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return text, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	text, err = io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err == nil && len(text) > maxUnpacked {
		err = fmt.Errorf("unpacks to more than %d GB", maxUnpacked>>30)
	}
	return text, err
}
