package server

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/results/view"
)

// Of runs that are compared, so many are shown side by side, and so many captions on a page.
const (
	mostCompared     = 8
	comparedCaptions = 50
)

// comparePage shows runs side by side.
type comparePage struct {
	frame
	Runs     []comparedRun
	Parts    []view.DiffPart // what differs
	Metric   string
	Figures  []template.HTML
	Epochs   []row // the validation metric after each epoch
	Pair     []row // of two runs: difference, interval and p by metric
	PairNote string
	Notices  []string
	Captions captionTable
}

type comparedRun struct {
	Title, Link, Value string
}

func (s *server) compare(ctx context.Context, r *http.Request) (string, any, error) {
	p := comparePage{frame: frame{Title: "Compare", Trail: []crumb{{"Studies", "/"}}, Follows: true}}
	values := r.URL.Query()["run"]
	if len(values) < 2 {
		return "", nil, &problem{http.StatusBadRequest, "Choose two runs or more",
			"Tick them in the table of a study's trials and press Compare."}
	}
	if len(values) > mostCompared {
		return "", nil, &problem{http.StatusBadRequest, "Too many runs",
			fmt.Sprintf("At most %d runs are shown side by side; %d were chosen.", mostCompared, len(values))}
	}
	var (
		runs    []store.Run
		records []*view.Record
		shared  *source
	)
	for i, value := range values {
		name, id, _ := strings.Cut(value, "/")
		src, db, done, err := s.using(name)
		if err != nil {
			return "", nil, err
		}
		if i == 0 {
			shared = src
		} else if shared != src {
			shared = nil
		}
		record, withheld, err := s.record(ctx, src, db, id, -1)
		done()
		if err != nil {
			return "", nil, err
		}
		if withheld != "" && !slices.Contains(p.Notices, withheld) {
			p.Notices = append(p.Notices, withheld)
		}
		if slices.ContainsFunc(p.Runs, func(c comparedRun) bool { return c.Value == src.name+"/"+record.Run.ID }) {
			continue
		}
		runs, records = append(runs, record.Run), append(records, record)
		p.Runs = append(p.Runs, comparedRun{titleOf(record.Run), runLink(src, record.Run.ID), src.name + "/" + record.Run.ID})
	}
	p.Parts = view.DiffRuns(runs).Parts()
	if err := p.epochs(records); err != nil {
		return "", nil, err
	}
	if len(runs) == 2 && shared != nil && len(p.Notices) == 0 {
		p.pair(ctx, shared, runs)
	}
	p.captions(r, records)
	return "compare", p, nil
}

// titleOf names a run by its id, arm and seed.
func titleOf(r store.Run) string { return fmt.Sprintf("%.6s %s, seed %d", r.ID, r.Arm, r.Seed) }

// epochs lays out a metric of the validation split, epoch by epoch, and its curves.
func (p *comparePage) epochs(records []*view.Record) error {
	var runs []traced
	last := 0
	for i, record := range records {
		last = max(last, len(record.Epochs))
		runs = append(runs, traced{p.Runs[i].Title, record.Run, record.Epochs})
	}
	figures, key, err := epochFigures(runs)
	if err != nil {
		return err
	}
	p.Figures = figures
	entry, _ := metrics.Find(key)
	p.Metric = entry.Column()
	for i := range last {
		one := row{Head: fmt.Sprint(i + 1)}
		for _, record := range records {
			cell := "–"
			if i < len(record.Epochs) {
				if v, has := record.Epochs[i].Val[key]; has {
					cell = scaled(key, v)
				}
				if record.Epochs[i].Selected {
					cell += " ◂"
				}
			}
			one.Cells = append(one.Cells, cell)
		}
		p.Epochs = append(p.Epochs, one)
	}
	return nil
}

// pair compares two runs of one database over their images.
func (p *comparePage) pair(ctx context.Context, src *source, runs []store.Run) {
	db, done, err := src.use()
	if err == nil {
		defer done()
		var pair *view.RunPair
		if pair, err = view.CompareRuns(ctx, db, runs[0], runs[1]); err == nil {
			p.Pair, p.PairNote = pairRows(pair), "The second run minus the first, over the same images. "+
				"Such tests say nothing about training the same model again; “glimpse compare --study” with two arms does."
		}
	}
	if err != nil {
		p.PairNote = err.Error()
	}
}

// captions lays the captions out by image.
func (p *comparePage) captions(r *http.Request, records []*view.Record) {
	table := newCaptionTable(r, len(records))
	split := records[0].Split
	for i, record := range records {
		if record.Split != split {
			p.Captions.Note = "The captions of these runs are from different splits."
			return
		}
		for _, c := range record.Captions {
			table.add(i, c)
		}
		table.Columns = append(table.Columns, captionColumn{Text: p.Runs[i].Title})
	}
	table.lay(r, comparedCaptions)
	table.Split = split
	p.Captions = *table
}

// pairRows are the differences by metric: scores, difference, interval and p.
func pairRows(pair *view.RunPair) []row {
	var rows []row
	for _, one := range pair.Pairs {
		entry, _ := metrics.Find(one.Metric)
		// Arms are named by their runs, and the pair may be either way round.
		a, b, difference, low, high := one.ScoreA, one.ScoreB, one.Difference, one.Low, one.High
		if one.A != pair.Runs[0].ID {
			a, b, difference, low, high = b, a, -difference, -high, -low
		}
		cells := []string{scaled(one.Metric, a), scaled(one.Metric, b), scaled(one.Metric, difference),
			scaled(one.Metric, low) + " to " + scaled(one.Metric, high), fmt.Sprintf("%.4f", one.PRandomization)}
		rows = append(rows, row{Head: entry.Column(), Cells: cells})
	}
	return rows
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
