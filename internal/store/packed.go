package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// Lists of numbers are most of a database's contents. Their columns store them packed, two
// characters a byte, as migration 12 describes and SQL can undo. Code that reads and writes whole
// rows ([table.each], [inserter.put]) sees the texts, and hashes and exports are of the texts, in
// all schemas. Packing is lossless: a text has at most one packed form, and a packed form exactly
// one text.

// listForm converts between a column's texts and lists of numbers: list returns the list of a
// text, and false if the text is not a list; text is its inverse.
type listForm struct {
	list func(text string) (string, bool)
	text func(list string) (string, bool)
}

// listForms are the forms of the columns that hold lists, in any table.
var listForms = func() map[string]listForm {
	same := func(list string) (string, bool) { return list, true }
	forms := map[string]listForm{"meteor_stats": {countsList, countsText}}
	for _, column := range []string{
		"beta", "entropy", "own_log_prob", "other_log_prob", "regions_log_prob", "even_log_prob", "other_beta",
	} {
		forms[column] = listForm{same, same}
	}
	return forms
}()

// pack returns the packed form of a column's value, or nil if it has none.
func pack(column string, value any) []byte {
	text, isText := value.(string)
	form, holdsLists := listForms[column]
	if !isText || !holdsLists {
		return nil
	}
	list, isList := form.list(text)
	if !isList {
		return nil
	}
	return packList(list)
}

// unpack is the inverse of pack. It returns other values unchanged.
func unpack(column string, value any) any {
	packed, isBlob := value.([]byte)
	form, holdsLists := listForms[column]
	if !isBlob || !holdsLists {
		return value
	}
	if list, ok := unpackList(packed); ok {
		if text, ok := form.text(list); ok {
			return text
		}
	}
	return value
}

// packedSpace is the four bits of a space. It also pads the last byte.
const packedSpace = 0xb

// characters are the characters of a list by their four bits; two codes are unused.
var characters = [16]byte{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', packedSpace: ' ', 0xc: '-', 0xe: 'e'}

// packedBits are the four bits of each character; 0xff marks one that lists do not use.
var packedBits = func() (bits [256]byte) {
	for i := range bits {
		bits[i] = 0xff
	}
	for four, c := range characters {
		if c != 0 {
			bits[c] = byte(four)
		}
	}
	return bits
}()

// packList packs a list of numbers, such as "0.25 -1e-05". It returns nil for an empty text, one
// that ends in a space, and one with any other character.
func packList(list string) []byte {
	if list == "" || list[len(list)-1] == ' ' {
		return nil
	}
	packed := make([]byte, (len(list)+1)/2)
	for i := range len(list) {
		bits := packedBits[list[i]]
		switch {
		case bits == 0xff:
			return nil
		case i%2 == 0:
			packed[i/2] = bits<<4 | packedSpace
		default:
			packed[i/2] = packed[i/2]&0xf0 | bits
		}
	}
	return packed
}

// unpackList is the inverse of packList. It returns false for bytes that packList cannot produce.
func unpackList(packed []byte) (string, bool) {
	var list strings.Builder
	list.Grow(2 * len(packed))
	for _, b := range packed {
		first, second := characters[b>>4], characters[b&0xf]
		if first == 0 || second == 0 {
			return "", false
		}
		list.WriteByte(first)
		list.WriteByte(second)
	}
	text := strings.TrimSuffix(list.String(), " ")
	return text, text != "" && text[len(text)-1] != ' '
}

// registerPack makes pack available in SQL, for migration 12.
func registerPack(conn *sqlite3.SQLiteConn) error {
	return conn.RegisterFunc("glimpse_pack", pack, true)
}

// inserter adds whole rows to a table.
type inserter struct {
	*sql.Stmt
	columns []string
	row     []any
}

// put adds a row. It does not modify values.
func (i *inserter) put(ctx context.Context, values []any) error {
	i.row = append(i.row[:0], values...)
	for at, column := range i.columns {
		if packed := pack(column, values[at]); packed != nil {
			i.row[at] = packed
		}
	}
	_, err := i.ExecContext(ctx, i.row...)
	return err
}
