package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// Lists of numbers are most of what a database holds. Their columns keep them packed, two
// characters a byte, as migration 12 tells and as SQL can undo. Whoever reads and writes whole
// rows ([table.each], [inserter.put]) has the texts: hashes and exports are of those, in all
// schemas. Packing loses nothing: a text has at most one packed form, and a packed form one text.

// listForm says how a column's texts stand for lists of numbers: list gives that of a text, false
// where it stands for none, and text is its inverse.
type listForm struct {
	list func(text string) (string, bool)
	text func(list string) (string, bool)
}

// listForms are those of the columns that hold lists, in whatever table.
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

// pack gives the packed form of a value of a column, nil where it has none.
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

// unpack is the inverse of pack. What is no packed form of the column stays as it is.
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

// packedSpace is the four bits of a space, and fills the last byte.
const packedSpace = 0xb

// characters are those of a list by their four bits; two stand for none.
var characters = [16]byte{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', packedSpace: ' ', 0xc: '-', 0xe: 'e'}

// packedBits are the four bits of each character; 0xff is none of a list.
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

// packList packs a list of numbers, such as "0.25 -1e-05". It gives nil for the empty text, for
// one that ends in a space, and for one with any other character.
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

// unpackList is the inverse of packList; false for what that does not give.
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

// registerPack makes pack known to SQL, for migration 12.
func registerPack(conn *sqlite3.SQLiteConn) error {
	return conn.RegisterFunc("glimpse_pack", pack, true)
}

// inserter adds whole rows to a table.
type inserter struct {
	*sql.Stmt
	columns []string
	row     []any
}

// put adds a row, which it does not change.
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
