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

// CaptionsSHA256 returns the SHA-256 of captions, sorted by image id, as lines of id, tab and
// words.
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

// diffPart is the part of a run that may be removed later: the diff of the working directory,
// stored in its environment.
const diffPart = "diff"

// rowHash hashes rows in the order of their key. Of a row it hashes the columns that are not
// NULL, sorted by name. It hashes only the columns of one schema, so that columns of later
// schemas change no hash.
type rowHash struct {
	sum    hash.Hash
	table  string
	schema int
	known  map[string]string // the schema's columns, and their types
	order  []int             // of the columns that are hashed, by name
	names  [][]byte          // of those, as they are hashed
	rows   int
	diff   string // the diff in a run's environment, which is not part of the hash
	buffer []byte
}

// newRowHash returns a rowHash for the schema of an earlier hash, or for the newest if there is
// none.
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

// note stores the hash of the added rows, if any, and that of the diff, in a map of hashes by
// part.
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
		default: // SQLite returns no other type
			out = appendText(append(out, '?'), fmt.Sprint(v))
		}
	}
	out = append(out, 0) // no name is empty: the row ends here
	_, _ = h.sum.Write(out)
	h.buffer = out
}

// appendText appends a text, preceded by its length.
func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// lasting returns the part of a column of runs that cannot change once a run has ended: a request
// to stop may come later, and a diff may be removed.
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

// withoutDiff removes the diff from an environment. The rest is JSON with sorted keys, whatever
// program wrote it. An environment that trials could not have written is returned unchanged.
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
