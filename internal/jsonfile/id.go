package jsonfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxID is the longest identifier, in bytes.
const maxID = 1 << 10

// ID identifies an image: a string, or a whole number of any size, kept as its
// digits. 42, "42" and 42.0, as data frames write it, are the same; 4.2e1 is
// refused, as what wrote it may have rounded.
type ID string

// UnmarshalJSON implements json.Unmarshaler.
func (id *ID) UnmarshalJSON(raw []byte) error {
	if len(raw) > maxID {
		return fmt.Errorf("its ID has %d bytes; the longest has %d", len(raw), maxID)
	}
	switch jsontext.Value(raw).Kind() {
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if strings.TrimSpace(s) == "" {
			return errors.New("its ID is empty")
		}
		*id = ID(s)
		return nil
	case '0':
		whole, fraction, _ := strings.Cut(string(raw), ".")
		if strings.Trim(fraction, "0") == "" && strings.Trim(strings.TrimPrefix(whole, "-"), "0123456789") == "" {
			*id = ID(whole)
			return nil
		}
	case 'n':
		return errors.New("its ID is null")
	}
	return fmt.Errorf("its ID is %.40s, not a string or a whole number", raw)
}
