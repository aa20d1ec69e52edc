package exports

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
)

// A table has a row a run, an epoch or a caption. A cell is text, a number, or
// nil where nothing is known.
type table struct {
	name    string
	columns []string
	rows    func(func(row []any) error) error
}

// CSV writes runs.csv, epochs.csv and captions.csv into dir. Empty cells stand
// for what is not known, and nan, inf and -inf for numbers that are not finite.
func CSV(ctx context.Context, db *store.DB, runs []Run, dir string) error {
	return writeTables(ctx, db, runs, dir, ".csv", func(w io.Writer, t table) error {
		out := csv.NewWriter(w)
		if err := out.Write(t.columns); err != nil {
			return err
		}
		cells := make([]string, len(t.columns))
		err := t.rows(func(row []any) error {
			for i, v := range row {
				cells[i] = cellText(v)
			}
			return out.Write(cells)
		})
		out.Flush()
		if err == nil {
			err = out.Error()
		}
		return err
	})
}

// JSONL writes the tables of CSV as runs.jsonl and so on, a flat object a line.
// What is not known is null, and numbers that are not finite are the texts
// "nan", "inf" and "-inf".
func JSONL(ctx context.Context, db *store.DB, runs []Run, dir string) error {
	return writeTables(ctx, db, runs, dir, ".jsonl", func(w io.Writer, t table) error {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return t.rows(func(row []any) error {
			object := make(map[string]any, len(row))
			for i, v := range row {
				if x, ok := v.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
					v = cellText(v)
				}
				object[t.columns[i]] = v
			}
			return out.Encode(object)
		})
	})
}

func writeTables(ctx context.Context, db *store.DB, runs []Run, dir, ext string, encode func(io.Writer, table) error) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, t := range []table{runTable(runs), epochTable(runs), captionTable(ctx, db, runs)} {
		err := atomicfile.Write(filepath.Join(dir, t.name+ext), func(w io.Writer) error { return encode(w, t) })
		if err != nil {
			return err
		}
	}
	return nil
}

func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		switch {
		case math.IsNaN(v):
			return "nan"
		case math.IsInf(v, 0):
			return map[bool]string{true: "inf", false: "-inf"}[v > 0]
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	text, _ := json.Marshal(v) // truth values, and lists
	return string(text)
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

func lookup(values map[string]float64, key string) any {
	if v, ok := values[key]; ok {
		return v
	}
	return nil
}

func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// place is where a row belongs, the first columns of every table.
var place = []string{"run", "study", "arm", "seed"}

func (r *Run) place() []any { return []any{r.ID, r.Study, r.Arm, r.Seed} }

func runTable(runs []Run) table {
	paths := keysOf(func(yield func(map[string]any)) {
		for i := range runs {
			yield(store.Flatten(runs[i].Settings))
		}
	})
	paths = slices.DeleteFunc(paths, func(path string) bool { return path == "seed" })
	t := table{name: "runs", columns: slices.Concat(place, []string{"state", "failure", "error", "attempt", "epochs", "best_epoch", "seconds",
		"parameters", "created", "started", "finished", "signature", "captions_sha256", "weights_sha256"})}
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
	t.columns = append(t.columns, paths...)
	t.rows = func(write func([]any) error) error {
		for i := range runs {
			r := &runs[i]
			row := append(r.place(), r.State, r.Failure, r.Error, r.Attempt, r.Run.Epochs, r.BestEpoch, r.Seconds, r.Parameters,
				moment(r.Created), moment(r.Started), moment(r.Finished), r.Signature, r.CaptionsSHA256, r.WeightsSHA256)
			for _, s := range scores {
				row = append(row, lookup(r.Metrics[s[0]], s[1]))
			}
			settings := store.Flatten(r.Settings) // again: all at once would be many times the runs
			for _, path := range paths {
				row = append(row, settings[path])
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
	keys := keysOf(func(yield func(map[string]float64)) {
		for i := range runs {
			for _, e := range runs[i].Epochs {
				yield(e.Val)
			}
		}
	})
	t := table{name: "epochs", columns: slices.Concat(place, []string{"epoch", "loss", "lr", "seconds", "captions_per_second", "selected"})}
	for _, key := range keys {
		t.columns = append(t.columns, "val."+key)
	}
	t.rows = func(write func([]any) error) error {
		for i := range runs {
			for _, e := range runs[i].Epochs {
				row := append(runs[i].place(), e.Epoch, e.Loss, e.LR, e.Seconds, e.CaptionsPerSecond, e.Selected)
				for _, key := range keys {
					row = append(row, lookup(e.Val, key))
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
	t.rows = func(write func([]any) error) error {
		at, row := -1, make([]any, len(t.columns))
		return db.EachCaption(ctx, idsOf(runs), splits, func(i int, split string, c *store.Caption) error {
			if i != at {
				at = i
				copy(row, runs[i].place())
			}
			rest := append(row[:len(place)], split, c.Image, c.Words, c.LogProb)
			if s := &c.Score; c.Scored {
				rest = append(rest, s.Length, s.RefLength, s.Match[0], s.Match[1], s.Match[2], s.Match[3], s.RougeL, s.CIDEr, s.CIDErD, s.METEOR)
			} else {
				clear(row[len(rest):])
			}
			return write(row)
		})
	}
	return t
}

func idsOf(runs []Run) []string {
	ids := make([]string, len(runs))
	for i := range runs {
		ids[i] = runs[i].ID
	}
	return ids
}
