package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"strconv"
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

// owner is a run or a study, to which rows of several tables belong.
type owner struct {
	kind string // "run" or "study", which is also the column that names it
	name string
}

func theRun(id string) owner     { return owner{"run", id} }
func theStudy(name string) owner { return owner{"study", name} }

// String names it as findings do.
func (o owner) String() string { return o.kind + " " + o.name }

// hashes is the table that keeps the hashes of its rows.
func (o owner) hashes() string { return o.kind + "_hashes" }

// diffPart is the part of a run that may be taken out of it later: the differences of
// the working directory, which its environment keeps.
const diffPart = "diff"

// rowHash hashes rows in the order of their key. A row is its columns that are not
// NULL, by name; of a schema's columns, so that those of later ones change no hash.
type rowHash struct {
	sum    hash.Hash
	table  string
	schema int
	known  map[string]string // the schema's columns, and their types
	order  []int             // of the columns that are hashed, by name
	names  [][]byte          // of those, as they are hashed
	rows   int
	diff   string // what a run's environment keeps of differences, which is no part of the hash
	buffer []byte
}

// newRowHash makes one for the schema of an earlier hash, or the newest where there is none.
func newRowHash(ctx context.Context, t table, earlier string) (*rowHash, error) {
	schema := newest()
	if number, _, found := strings.Cut(earlier, ":"); found {
		if n, err := strconv.Atoi(number); err == nil && n > 0 && n < schema {
			schema = n
		}
	}
	made, err := madeByMigrations(ctx, schema)
	return &rowHash{sum: sha256.New(), table: t.name, schema: schema, known: made[t.name].types}, err
}

// note adds the hash of the rows that were added, if there were any, to those of other
// tables, and that of the differences.
func (h *rowHash) note(in map[string]string) {
	if h.rows > 0 {
		in[h.table] = fmt.Sprintf("%d:%x", h.schema, h.sum.Sum(nil))
	}
	if h.diff != "" {
		sum := sha256.Sum256([]byte(h.diff))
		in[diffPart] = hex.EncodeToString(sum[:])
	}
}

// add hashes a row.
func (h *rowHash) add(columns []string, values []any) {
	if h.rows++; h.order == nil {
		for i, column := range columns {
			if h.known[column] != "" {
				h.order = append(h.order, i)
			}
		}
		slices.SortFunc(h.order, func(a, b int) int { return strings.Compare(columns[a], columns[b]) })
		for _, i := range h.order {
			h.names = append(h.names, appendText(nil, columns[i]))
		}
	}
	out := h.buffer[:0]
	for k, i := range h.order {
		value := values[i]
		if h.table == "runs" {
			value = h.lasting(columns[i], value)
		}
		if value == nil {
			continue
		}
		out = append(out, h.names[k]...)
		switch v := value.(type) {
		case int64:
			out = binary.BigEndian.AppendUint64(append(out, 'i'), uint64(v))
		case float64:
			out = binary.BigEndian.AppendUint64(append(out, 'f'), math.Float64bits(v))
		case string:
			out = appendText(append(out, 't'), v)
		case []byte:
			out = appendText(append(out, 'b'), string(v))
		default: // no other reaches a table
			out = appendText(append(out, '?'), fmt.Sprint(v))
		}
	}
	out = append(out, 0) // no name is empty: the row ends here
	_, _ = h.sum.Write(out)
	h.buffer = out
}

// appendText appends a text behind its length.
func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// lasting is what of a column of runs cannot change once a run has ended: a request to
// stop can come later, and differences can be taken out.
func (h *rowHash) lasting(column string, value any) any {
	switch text, _ := value.(string); column {
	case "stop_attempt":
		return nil
	case "environment":
		if text != "" {
			value, h.diff = withoutDiff(text)
		}
	}
	return value
}

// withoutDiff takes the text of the differences out of an environment. The rest is
// JSON with sorted keys, whoever wrote it; an environment that is not as trials write
// it stays as it is.
func withoutDiff(environment string) (rest, diff string) {
	decoder := json.NewDecoder(strings.NewReader(environment))
	decoder.UseNumber()
	var all map[string]any
	if decoder.Decode(&all) != nil || decoder.More() {
		return environment, ""
	}
	if changes, ok := all["changes"].(map[string]any); ok {
		diff, _ = changes["diff"].(string)
		delete(changes, "diff")
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return environment, ""
	}
	return string(raw), diff
}
