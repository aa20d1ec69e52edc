package exports

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/jsonline"
	"glimpse/internal/secret"
	"glimpse/internal/sheet"
	"glimpse/internal/store"
	"glimpse/results"
)

// A table has a row a run, an epoch or a caption.
type table struct {
	name    string
	columns []string
	rows    func(func(row []cell) error) error // which must not keep a row
}

// A cell is text, a number, something else that JSON knows, or nothing where nothing is known.
type cell struct {
	kind   kind
	text   string
	number float64
	whole  int64
	other  any
}

type kind int8

const (
	unknown kind = iota
	textual
	fractional
	integral
	other
)

func text(s string) cell            { return cell{kind: textual, text: s} }
func number(v float64) cell         { return cell{kind: fractional, number: v} }
func whole[N int | int64](n N) cell { return cell{kind: integral, whole: int64(n)} }
func truth(b bool) cell             { return cell{kind: other, other: b} }
func known(v float64, is bool) (none cell) {
	if is {
		return number(v)
	}
	return none
}

// setting is the cell of a leaf of a run's settings.
func setting(leaf any) cell {
	switch v := leaf.(type) {
	case nil:
		return cell{}
	case string:
		return text(v)
	case float64:
		return number(v)
	}
	return cell{kind: other, other: leaf}
}

// String is the cell in a CSV file.
func (c cell) String() string {
	switch c.kind {
	case unknown:
		return ""
	case textual:
		return c.text
	case fractional:
		if name := jsonline.NonFinite(c.number); name != "" {
			return name
		}
		return strconv.FormatFloat(c.number, 'g', -1, 64)
	case integral:
		return strconv.FormatInt(c.whole, 10)
	}
	text, _ := json.Marshal(c.other) // truth values, and lists
	return string(text)
}

// appendJSON writes the cell as a value of JSON.
func (c cell) appendJSON(line []byte) ([]byte, error) {
	switch c.kind {
	case unknown:
		return append(line, "null"...), nil
	case textual:
		return jsonline.AppendText(line, c.text), nil
	case fractional:
		return jsonline.AppendNumber(line, c.number), nil
	case integral:
		return strconv.AppendInt(line, c.whole, 10), nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(c.other)
	return append(line, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), err
}

// CSV writes runs.csv, epochs.csv and captions.csv into dir, and ensembles.csv where there are any. Empty cells stand
// for what is not known, and nan, inf and -inf for numbers that are not finite.
func CSV(ctx context.Context, db *store.DB, runs []Run, dir string) error {
	return writeTables(ctx, db, runs, dir, ".csv", func(w io.Writer, t table) error {
		out := sheet.NewWriter(w)
		if err := out.Write(t.columns); err != nil {
			return err
		}
		texts := make([]string, len(t.columns))
		err := t.rows(func(row []cell) error {
			for i, c := range row {
				texts[i] = c.String()
			}
			return out.Write(texts)
		})
		out.Flush()
		if err == nil {
			err = out.Error()
		}
		return err
	})
}

// JSONL writes the tables of CSV as runs.jsonl and so on, a flat object a line, whose keys are sorted.
// What is not known is null, and numbers that are not finite are the texts
// "nan", "inf" and "-inf".
func JSONL(ctx context.Context, db *store.DB, runs []Run, dir string) error {
	return writeTables(ctx, db, runs, dir, ".jsonl", func(w io.Writer, t table) error {
		order := make([]int, len(t.columns))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int { return strings.Compare(t.columns[i], t.columns[j]) })
		keys := make([][]byte, len(order))
		for k, i := range order {
			keys[k] = append(jsonline.AppendText([]byte{','}, t.columns[i]), ':')
		}
		var line []byte
		return t.rows(func(row []cell) (err error) {
			line = line[:0]
			for k, i := range order {
				line = append(line, keys[k]...)
				if line, err = row[i].appendJSON(line); err != nil {
					return err
				}
			}
			line[0] = '{' // in place of the first comma
			line = append(line, "}\n"...)
			_, err = w.Write(line)
			return err
		})
	})
}

func writeTables(ctx context.Context, db *store.DB, runs []Run, dir, ext string, encode func(io.Writer, table) error) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	ensembles, err := gatherEnsembles(ctx, db, runs)
	if err != nil {
		return err
	}
	tables := []table{runTable(runs), epochTable(runs), captionTable(ctx, db, runs)}
	if len(ensembles) > 0 {
		tables = append(tables, ensembleTable(ensembles))
	}
	for _, t := range tables {
		err := atomicfile.Write(filepath.Join(dir, t.name+ext), func(w io.Writer) error {
			out := bufio.NewWriterSize(w, 1<<16)
			return errors.Join(encode(out, t), out.Flush())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keysOf gives the keys that any of the maps has, sorted.
func keysOf[V any](each func(yield func(map[string]V))) []string {
	all := map[string]bool{}
	each(func(m map[string]V) {
		for key := range m {
			all[key] = true
		}
	})
	return slices.Sorted(maps.Keys(all))
}

func moment(t time.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	return text(t.UTC().Format(time.RFC3339))
}

// place is where a row belongs, the first columns of every table.
var place = []string{"run", "study", "arm", "seed"}

func (r *Run) place() []cell { return []cell{text(r.ID), text(r.Study), text(r.Arm), whole(r.Seed)} }

func runTable(runs []Run) table {
	settings := newLeaves(runs)
	t := table{name: "runs", columns: slices.Concat(place, []string{"state", "failure", "error", "attempt", "epochs", "best_epoch", "seconds",
		"parameters", "created", "started", "finished", "signature", "captions_sha256", "weights_sha256", "tags", "notes"})}
	var scores [][2]string
	for _, split := range []string{"test", "val"} {
		for _, key := range keysOf(func(yield func(map[string]float64)) {
			for i := range runs {
				yield(runs[i].Metrics[split])
			}
		}) {
			scores = append(scores, [2]string{split, key})
			t.columns = append(t.columns, split+"."+key)
		}
	}
	t.columns = append(t.columns, settings.paths...)
	t.rows = func(write func([]cell) error) error {
		for i := range runs {
			r := &runs[i]
			row := append(r.place(), text(r.State), text(r.Failure), text(secret.Redact(r.Error)), whole(r.Attempt), whole(r.Run.Epochs), whole(r.BestEpoch),
				number(r.Seconds), whole(r.Parameters), moment(r.Created), moment(r.Started), moment(r.Finished),
				text(r.Signature), text(r.CaptionsSHA256), text(r.WeightsSHA256),
				text(strings.Join(results.Tags(r.Run), " ")), text(strings.Join(r.Notes, "\n")))
			for _, s := range scores {
				v, is := r.Metrics[s[0]][s[1]]
				row = append(row, known(v, is))
			}
			for _, path := range settings.paths {
				row = append(row, setting(settings.get(i, path)))
			}
			if err := write(row); err != nil {
				return err
			}
		}
		return nil
	}
	return t
}

func epochTable(runs []Run) table {
	keysIn := func(values func(store.Epoch) map[string]float64) []string {
		return keysOf(func(yield func(map[string]float64)) {
			for i := range runs {
				for _, e := range runs[i].Epochs {
					yield(values(e))
				}
			}
		})
	}
	keys := keysIn(func(e store.Epoch) map[string]float64 { return e.Val })
	sampled := keysIn(func(e store.Epoch) map[string]float64 { return e.Sampled })
	t := table{name: "epochs", columns: slices.Concat(place, []string{"epoch", "loss", "lr", "seconds", "captions_per_second", "selected"})}
	for _, key := range keys {
		t.columns = append(t.columns, "val."+key)
	}
	for _, key := range sampled {
		t.columns = append(t.columns, "sampled."+key)
	}
	t.rows = func(write func([]cell) error) error {
		for i := range runs {
			for _, e := range runs[i].Epochs {
				row := append(runs[i].place(), whole(e.Epoch), number(e.Loss), number(e.LR), number(e.Seconds), number(e.CaptionsPerSecond), truth(e.Selected))
				for _, key := range keys {
					v, is := e.Val[key]
					row = append(row, known(v, is))
				}
				for _, key := range sampled {
					v, is := e.Sampled[key]
					row = append(row, known(v, is))
				}
				if err := write(row); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return t
}

func captionTable(ctx context.Context, db *store.DB, runs []Run) table {
	t := table{name: "captions", columns: slices.Concat(place, []string{"split", "image", "caption", "log_prob", "length", "ref_length",
		"match1", "match2", "match3", "match4", "rouge_l", "cider", "cider_d", "meteor"})}
	t.rows = func(write func([]cell) error) error {
		ids := make([]string, len(runs))
		for i := range runs {
			ids[i] = runs[i].ID
		}
		at, row := -1, make([]cell, len(t.columns))
		return db.EachCaption(ctx, ids, splits, func(i int, split string, c *store.Caption) error {
			if i != at {
				at = i
				copy(row, runs[i].place())
			}
			rest := append(row[:len(place)], text(split), text(c.Image), text(c.Words), number(c.LogProb))
			if s := &c.Score; c.Scored {
				rest = append(rest, whole(s.Length), whole(s.RefLength), whole(s.Match[0]), whole(s.Match[1]), whole(s.Match[2]), whole(s.Match[3]),
					number(s.RougeL), number(s.CIDEr), number(s.CIDErD), number(s.METEOR))
			}
			clear(row[len(rest):])
			return write(row)
		})
	}
	return t
}

// leaves are the settings of runs by their dotted paths, without the seed.
type leaves struct {
	paths []string       // that any run has, sorted
	at    map[string]int // path → its place in what a run has
	of    [][]any
}

func newLeaves(runs []Run) *leaves {
	l := &leaves{at: map[string]int{}, of: make([][]any, len(runs))}
	for i := range runs {
		for path, leaf := range store.Flatten(runs[i].Settings) {
			at, known := l.at[path]
			if !known {
				at = len(l.at)
				l.at[path] = at
			}
			for len(l.of[i]) <= at {
				l.of[i] = append(l.of[i], nil)
			}
			l.of[i][at] = leaf
		}
	}
	delete(l.at, "seed")
	l.paths = slices.Sorted(maps.Keys(l.at))
	return l
}

// get is a leaf of a run, nil where it has none.
func (l *leaves) get(run int, path string) any {
	if at := l.at[path]; at < len(l.of[run]) {
		return l.of[run][at]
	}
	return nil
}
