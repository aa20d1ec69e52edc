package server

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/results"
	"glimpse/results/view"
)

// mostCompared is how many runs are shown side by side.
const mostCompared = 8

// differentSplits is why captions are not shown side by side.
const differentSplits = "The captions of these runs are from different splits."

// differentData is why they are shown without pictures.
const differentData = "These runs were made with different data, so captions have no pictures and reference captions here."

// comparePage shows runs side by side.
type comparePage struct {
	frame
	Runs     []comparedRun
	Parts    []view.DiffPart // what differs
	Metric   string
	Figures  []template.HTML
	Epochs   []row // the validation metric and the training loss of each epoch
	Pair     []row // of two runs: difference, interval and p by metric
	PairNote string
	Notices  []string
	Captions captionTable
	Browser  template.HTML // of captions; "" without any
}

type comparedRun struct {
	Title, Link, Value string
}

func (s *server) compare(ctx context.Context, r *http.Request) (string, any, error) {
	p := comparePage{frame: frame{Title: "Compare", Trail: []crumb{{"Studies", "/"}}, Follows: true}}
	chosen, notices, err := s.chosen(ctx, r)
	if err != nil {
		return "", nil, err
	}
	p.Notices = notices
	var (
		runs    []store.Run
		records []*view.Record
		shared  = chosen[0].src
	)
	for _, c := range chosen {
		run := c.record.Run
		runs, records = append(runs, run), append(records, c.record)
		p.Runs = append(p.Runs, comparedRun{titleOf(run), runLink(c.src, run.ID), c.src.name + "/" + run.ID})
		if c.src != shared {
			shared = nil
		}
	}
	if err := p.epochs(records); err != nil {
		return "", nil, err
	}
	if len(runs) == 2 && shared != nil && len(p.Notices) == 0 {
		p.pair(ctx, shared, runs)
	}
	p.differences(runs, records[0].Split)
	p.captions(r, records)
	source := "/compare/captions.json?" + url.Values{"run": r.URL.Query()["run"]}.Encode()
	study, sameData := studyOf(chosen)
	if !sameData {
		p.Notices = append(p.Notices, differentData)
	}
	p.Browser, err = s.captionBrowser(ctx, chosen[0].src, study, source, p.Captions)
	return "compare", p, err
}

// A compared run is one of those that a request names.
type compared struct {
	src    *source
	record *view.Record // with all captions
}

// chosen reads the runs that are to be compared, two at least, and says of which the test split is hidden.
func (s *server) chosen(ctx context.Context, r *http.Request) (chosen []compared, notices []string, err error) {
	values := r.URL.Query()["run"]
	if len(values) < 2 {
		return nil, nil, &problem{http.StatusBadRequest, "Choose two runs or more",
			"Tick them in the table of a study's trials and press Compare."}
	}
	if len(values) > mostCompared {
		return nil, nil, &problem{http.StatusBadRequest, "Too many runs",
			fmt.Sprintf("At most %d runs are shown side by side; %d were chosen.", mostCompared, len(values))}
	}
	for _, value := range values {
		name, id, _ := strings.Cut(value, "/")
		src, db, done, err := s.using(name)
		if err != nil {
			return nil, nil, err
		}
		record, withheld, err := s.record(ctx, src, db, id, -1)
		done()
		if err != nil {
			return nil, nil, err
		}
		if withheld != "" && !slices.Contains(notices, withheld) {
			notices = append(notices, withheld)
		}
		if !slices.ContainsFunc(chosen, func(c compared) bool { return c.src == src && c.record.Run.ID == record.Run.ID }) {
			chosen = append(chosen, compared{src, record})
		}
	}
	return chosen, notices, nil
}

// studyOf is the study of which pictures and reference captions stand beside what the runs say: that
// of the first, and none where the runs are of different data, as far as that is known.
func studyOf(chosen []compared) (study string, sameData bool) {
	first := chosen[0].record.Run
	for _, c := range chosen[1:] {
		if !results.SameData(first, c.record.Run) {
			return "", false
		}
	}
	return first.Study, true
}

// titleOf names a run by its id, arm and seed.
func titleOf(r store.Run) string { return fmt.Sprintf("%.6s %s, seed %d", r.ID, r.Arm, r.Seed) }

// differences are all that differs but for the scores of a split that are compared above.
func (p *comparePage) differences(runs []store.Run, split string) {
	d := view.DiffRuns(runs)
	if len(p.Pair) > 0 {
		d.Metrics = slices.DeleteFunc(d.Metrics, func(one view.Difference) bool {
			key, of := strings.CutPrefix(one.Name, split+".")
			entry, known := metrics.Find(key)
			return of && known && slices.ContainsFunc(p.Pair, func(r row) bool { return r.Head == entry.Column() })
		})
	}
	p.Parts = d.Parts()
}

// epochs lays out a metric of the validation split and the training loss, epoch by epoch, and their
// curves.
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
				if e := record.Epochs[i]; e.Sampled == nil { // else the loss is a negative reward
					cell += fmt.Sprintf(" (%.3f)", e.Loss)
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
			p.Captions.Note = differentSplits
			return
		}
		for _, c := range record.Captions {
			table.add(i, c)
		}
		table.Columns = append(table.Columns, captionColumn{Text: p.Runs[i].Title})
	}
	table.lay(r, captionsOfPage)
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
