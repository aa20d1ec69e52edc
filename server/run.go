package server

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/results"
	"glimpse/results/view"
	"glimpse/runner"
)

// runPage shows a run.
type runPage struct {
	frame
	*view.Record
	Database  string
	Studies   []crumb
	StateText string
	Tags      []string
	Withheld  string
	Settings  [][2]string
	Facts     [][2]string // of the environment
	Columns   []string    // of the tables of metrics and epochs
	Metrics   []row
	Epochs    []row
	Figures   []template.HTML
	Captions  captionTable
	Browser   template.HTML // of captions; "" without any
	Log       string
	LogFailed string
}

// A row of a table: its head and its cells.
type row struct {
	Head  string
	Cells []string
	Mark  bool
}

type captionLine struct{ Image, Words, Score string }

func (s *server) run(ctx context.Context, r *http.Request) (string, any, error) {
	src, db, _, done, err := s.opened(ctx, r)
	if err != nil {
		return "", nil, err
	}
	defer done()
	record, withheld, err := s.record(ctx, src, db, r.PathValue("run"), -1)
	if err != nil {
		return "", nil, err
	}
	run := record.Run
	p := runPage{
		frame:  frame{Title: "Run " + run.ID, Trail: []crumb{{"Studies", "/"}}, Follows: true},
		Record: record, Database: src.name, StateText: results.StateText(run, time.Now()), Withheld: withheld, Tags: results.Tags(run),
		Settings: store.Paths(run.Settings),
	}
	for _, name := range run.Studies {
		p.Studies = append(p.Studies, crumb{name, studyLink(src, name)})
	}
	if run.Study != "" {
		p.Trail = append(p.Trail, crumb{run.Study, studyLink(src, run.Study)})
	}
	for _, pair := range store.Paths(run.Environment) {
		if pair[0] != "changes.diff" {
			p.Facts = append(p.Facts, pair)
		}
	}
	p.tables()
	table := newCaptionTable(r, 1)
	table.Split, table.Columns = record.Split, []captionColumn{{Text: "Caption"}}
	for _, c := range record.Captions {
		table.add(0, c)
	}
	table.lay(r, captionsOfPage)
	p.Captions = *table
	p.Browser, err = s.captionBrowser(ctx, src, run.Study, runLink(src, run.ID)+"/captions.json", p.Captions)
	if err != nil {
		return "", nil, err
	}
	if p.Figures, _, err = epochFigures([]traced{{run.Arm, run, record.Epochs}}); err != nil {
		return "", nil, err
	}
	if p.Log, err = logOf(src, db, run); err != nil {
		p.LogFailed = "This run has no log here: " + err.Error()
	}
	return "run", p, nil
}

// record reads a run, without its test split where all studies that hold it keep that hidden.
func (s *server) record(ctx context.Context, src *source, db *store.DB, id string, captions int) (*view.Record, string, error) {
	run, err := db.Run(ctx, id)
	if err != nil {
		return nil, "", err
	}
	withheld, err := s.withheld(ctx, src, db, run)
	if err != nil {
		return nil, "", err
	}
	split := "test"
	if withheld != "" || run.Metrics["test"] == nil {
		split = "val"
	}
	record, err := view.ReadRecord(ctx, db, run.ID, split, captions)
	if err != nil {
		return nil, "", err
	}
	if withheld != "" {
		record.Run = hideTest(record.Run)
	}
	return record, withheld, nil
}

// withheld says why a run's test split is hidden: all studies that hold it hide it. It is ""
// where one does not.
func (s *server) withheld(ctx context.Context, src *source, db *store.DB, run store.Run) (string, error) {
	why := ""
	for _, name := range run.Studies {
		st := src.study(name)
		standing, err := st.stand(ctx, src, db)
		if err != nil {
			return "", err
		}
		if standing.withheld != "" {
			s.analyse(ctx, src, st, studyPatience) // a sequential study may be decided
			if standing, err = st.stand(ctx, src, db); err != nil {
				return "", err
			}
		}
		if standing.withheld == "" {
			return "", nil
		}
		why = name + ": " + standing.withheld
	}
	return why, nil
}

// tables lays out metrics and epochs.
func (p *runPage) tables() {
	keys := p.MetricKeys()
	for _, key := range keys {
		e, _ := metrics.Find(key)
		p.Columns = append(p.Columns, e.Column())
	}
	for _, split := range []string{"test", "val"} {
		if values := p.Run.Metrics[split]; values != nil {
			p.Metrics = append(p.Metrics, row{split, valuesOf(keys, values), false})
		}
	}
	if len(keys) == 0 && len(p.Record.Epochs) > 0 {
		for _, key := range metrics.Shown() {
			if _, has := p.Record.Epochs[0].Val[key]; has {
				entry, _ := metrics.Find(key)
				keys, p.Columns = append(keys, key), append(p.Columns, entry.Column())
			}
		}
	}
	for _, e := range p.Record.Epochs {
		cells := append([]string{fmt.Sprintf("%.4f", e.Loss)}, valuesOf(keys, e.Val)...)
		cells = append(cells, fmt.Sprintf("%.3g", e.LR), fmt.Sprintf("%.0f s", e.Seconds))
		p.Epochs = append(p.Epochs, row{fmt.Sprint(e.Epoch), cells, e.Selected})
	}
}

func lineOf(c store.Caption) captionLine {
	l := captionLine{Image: c.Image, Words: c.Words}
	if strings.TrimSpace(c.Words) == "" {
		l.Words = "(an empty caption)"
	}
	if c.Scored {
		l.Score = scaled("cider", c.Score.CIDEr)
	}
	return l
}

func valuesOf(keys []string, values map[string]float64) []string {
	cells := make([]string, len(keys))
	for i, key := range keys {
		cells[i] = "–"
		if v, has := values[key]; has {
			cells[i] = scaled(key, v)
		}
	}
	return cells
}

// logOf is the end of a run's log, if that lies in the folder of the database: a database of
// others may name any path.
func logOf(src *source, db *store.DB, run store.Run) (string, error) {
	path, err := filepath.EvalSymlinks(runner.LogOf(db, run))
	if err != nil {
		if os.IsNotExist(err) {
			err = fmt.Errorf("%s not found", filepath.Join("runs", run.ID))
		}
		return "", err
	}
	folder, err := filepath.EvalSymlinks(src.folder())
	if err != nil {
		return "", err
	}
	if relative, err := filepath.Rel(folder, path); err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("it is outside the database's folder")
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("it is not a readable file")
	}
	return runner.LogTail(path)
}
