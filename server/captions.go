package server

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/store"
	"glimpse/reports/charts"
)

// Of a study's captions, those of so many arms are shown side by side, and of so many images on a
// page.
const (
	mostVoices     = 8
	captionsOfPage = 50
)

// A captionTable holds captions of several runs, image by image.
type captionTable struct {
	Split, Query, Sort string
	Note               string
	Columns            []captionColumn
	Rows               []captionRow
	Total              int
	paging

	byImage map[string]*captionRow
	width   int
}

type captionColumn struct{ Text, Class, Link string }

type captionRow struct {
	Image string
	Cells []captionLine
	low   float64 // CIDEr
	high  float64
	some  bool // of the captions are scored
}

func newCaptionTable(r *http.Request, runs int) *captionTable {
	q := r.URL.Query()
	return &captionTable{Query: strings.TrimSpace(q.Get("q")), Sort: q.Get("order"), byImage: map[string]*captionRow{}, width: runs}
}

// add takes a caption of the i-th run.
func (t *captionTable) add(i int, c store.Caption) {
	one := t.byImage[c.Image]
	if one == nil {
		one = &captionRow{Image: c.Image, Cells: make([]captionLine, t.width)}
		t.byImage[c.Image] = one
	}
	one.Cells[i] = lineOf(c)
	if v := c.Score.CIDEr; c.Scored && finite(v) {
		if !one.some {
			one.low, one.high, one.some = v, v, true
		}
		one.low, one.high = min(one.low, v), max(one.high, v)
	}
}

// lay chooses, orders and parts the rows into pages.
func (t *captionTable) lay(r *http.Request, most int) {
	t.Total = len(t.byImage)
	var rows []captionRow
	query := strings.ToLower(t.Query)
	for _, one := range t.byImage {
		found := strings.Contains(strings.ToLower(one.Image), query) ||
			slices.ContainsFunc(one.Cells, func(c captionLine) bool { return strings.Contains(strings.ToLower(c.Words), query) })
		if found {
			rows = append(rows, *one)
		}
	}
	slices.SortFunc(rows, func(a, b captionRow) int {
		byImage := cmp.Compare(a.Image, b.Image)
		switch t.Sort {
		case "difference":
			return cmp.Or(cmp.Compare(b.high-b.low, a.high-a.low), byImage)
		case "score":
			return cmp.Or(cmp.Compare(a.low, b.low), byImage)
		}
		return byImage
	})
	t.paging = pageOf(r, len(rows), most)
	t.Rows = rows[t.From-1 : t.To]
	t.byImage = nil
}

// captionsPage shows what a study's arms say.
type captionsPage struct {
	frame
	Name, Withheld string
	Seeds          []string
	Seed, Path     string
	Captions       captionTable
	Browser        template.HTML // "" without captions
}

func (s *server) captions(ctx context.Context, r *http.Request) (string, any, error) {
	src, db, of, done, err := s.opened(ctx, r)
	if err != nil {
		return "", nil, err
	}
	defer done()
	st := src.study(of.Name)
	page, _, _ := s.analyse(ctx, src, st, 0)
	standing, err := st.stand(ctx, src, db)
	if err != nil {
		return "", nil, err
	}
	split := standing.split()
	link := studyLink(src, of.Name)
	p := captionsPage{
		frame: frame{Title: "Captions of " + of.Name, Trail: []crumb{{"Studies", "/"}, {of.Name, link}}, Follows: true},
		Name:  of.Name, Withheld: standing.withheld, Seed: r.URL.Query().Get("seed"), Path: link + "/captions",
	}
	runs := p.voices(standing)
	table := newCaptionTable(r, len(runs))
	table.Split = split
	var ids []string
	for _, run := range runs {
		c := captionColumn{Text: armOf(standing, run), Link: runLink(src, run.ID)}
		if page != nil {
			c.Class = charts.ArmClass(page.Colours[run.ID])
		}
		table.Columns, ids = append(table.Columns, c), append(ids, run.ID)
	}
	err = db.EachCaption(ctx, ids, []string{split}, func(i int, _ string, c *store.Caption) error {
		table.add(i, *c)
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	table.lay(r, captionsOfPage)
	p.Captions = *table
	p.Browser, err = s.captionBrowser(ctx, src, of.Name, link+"/captions.json?seed="+url.QueryEscape(p.Seed), *table)
	if err != nil {
		return "", nil, err
	}
	return "captions", p, nil
}

// voices are the completed runs of one seed, one of each arm: of the seed asked for, else of the
// arm's first.
func (p *captionsPage) voices(st standing) []store.Run {
	var voices []store.Run
	heard := map[string]int{}
	for _, run := range st.runs {
		if run.State != store.Completed {
			continue
		}
		seed := strconv.FormatInt(run.Seed, 10)
		if !slices.Contains(p.Seeds, seed) {
			p.Seeds = append(p.Seeds, seed)
		}
		label := armOf(st, run)
		if at, known := heard[label]; known {
			if seed == p.Seed {
				voices[at] = run
			}
			continue
		}
		if len(voices) < mostVoices {
			heard[label] = len(voices)
			voices = append(voices, run)
		}
	}
	if p.Seed != "" {
		voices = slices.DeleteFunc(voices, func(r store.Run) bool { return strconv.FormatInt(r.Seed, 10) != p.Seed })
	}
	slices.SortFunc(p.Seeds, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return voices
}
