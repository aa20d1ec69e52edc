package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"

	"glimpse/internal/store"
	"glimpse/reports"
	"glimpse/reports/charts"
)

// captionNote says how the browser of captions is used.
const captionNote = "Point at a word, or choose a caption and use the arrow keys, to see β and, where the run's attention is stored, " +
	"where it looked before it wrote the word. In brackets: the caption's own score."

// captionBrowser is the figure in which captions of a study's runs are looked through, over a
// table that says the same. source is the address of its data.
func (s *server) captionBrowser(ctx context.Context, src *source, study, source string, table captionTable) (template.HTML, error) {
	if table.Total == 0 {
		return "", nil
	}
	still, err := partOf("captiontable", table)
	if err != nil {
		return "", err
	}
	note := template.HTMLEscapeString(captionNote)
	if _, err := s.album(ctx, src, study); err != nil {
		note += " " + template.HTMLEscapeString("No pictures and reference captions of the data set: "+err.Error())
	}
	return charts.Figure{Name: "captions", Title: "Captions, side by side", Kind: charts.KindCaptions, Source: source, Static: still,
		Note: template.HTML(note)}.HTML()
}

// A voice is a run whose captions are shown.
type voice struct {
	run    store.Run
	label  string
	colour int // place in charts.ArmTints
	said   []store.Caption
}

// captionFigure is what voices of a study say, image by image, with pictures, references and where
// they looked, as far as these are at hand.
func (s *server) captionFigure(ctx context.Context, src *source, db *store.DB, study string, voices []voice) (*answered, error) {
	kept, err := illustrationOf(ctx, db, study)
	if err != nil {
		return nil, err
	}
	album, _ := s.album(ctx, src, study) // the page says why there is none
	looks := map[string][]store.AttentionMap{}
	for _, m := range kept.Maps {
		looks[m.Image] = append(looks[m.Image], m)
	}
	data := &charts.Captions{Score: "CIDEr", Classes: reports.WordClasses(), Against: [2]int{0, max(0, len(voices)-1)}}
	images := map[string]*charts.CaptionImage{}
	for i, v := range voices {
		data.Arms = append(data.Arms, charts.CaptionArm{Label: v.label, Colour: v.colour})
		for k := range v.said {
			c := &v.said[k]
			one := images[c.Image]
			if one == nil {
				one = &charts.CaptionImage{Name: c.Image, References: album.references(c.Image)}
				if one.References != nil {
					one.Picture = pictureLink(src, study, c.Image)
				}
				images[c.Image] = one
			}
			said := reports.Said(i, v.run.Seed, "cider", c)
			for _, m := range looks[c.Image] {
				if m.Run == v.run.ID {
					reports.ShowLooks(&said, m, reports.FullWeight(looks[c.Image]...))
				}
			}
			one.Captions = append(one.Captions, said)
		}
	}
	for _, p := range kept.Pictures {
		if one := images[p.Image]; one != nil && one.Picture == "" {
			one.Picture, one.Width, one.Height = pictureLink(src, study, p.Image), p.Width, p.Height
		}
	}
	for _, one := range slices.SortedFunc(maps.Values(images), func(a, b *charts.CaptionImage) int { return cmp.Compare(a.Name, b.Name) }) {
		data.Images = append(data.Images, *one)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("study %s: write its captions: %w", study, err)
	}
	return answerOf(http.StatusOK, "application/json", body), nil
}

// illustrationOf are the pictures and maps that the database has of a study; nothing of no study.
func illustrationOf(ctx context.Context, db *store.DB, study string) (store.Illustration, error) {
	if study == "" {
		return store.Illustration{}, nil
	}
	return db.Illustration(ctx, study)
}

// captionData gives what the browser of a study's captions shows, as JSON.
func (s *server) captionData(ctx context.Context, r *http.Request) (*answered, error) {
	src, db, of, done, err := s.opened(ctx, r)
	if err != nil {
		return nil, err
	}
	defer done()
	st := src.study(of.Name)
	page, _, _ := s.analyse(ctx, src, st, 0)
	standing, err := st.stand(ctx, src, db)
	if err != nil {
		return nil, err
	}
	p := captionsPage{Seed: r.URL.Query().Get("seed")}
	var voices []voice
	for i, run := range p.voices(standing) {
		v := voice{run: run, label: armOf(standing, run), colour: i % len(charts.ArmTints)}
		if page != nil {
			v.colour = page.Colours[run.ID]
		}
		if v.said, err = db.Captions(ctx, run.ID, standing.split()); err != nil {
			return nil, err
		}
		voices = append(voices, v)
	}
	return s.captionFigure(ctx, src, db, of.Name, voices)
}

// captionsOfRun gives what the browser of a run's captions shows, as JSON.
func (s *server) captionsOfRun(ctx context.Context, r *http.Request) (*answered, error) {
	src, db, _, done, err := s.opened(ctx, r)
	if err != nil {
		return nil, err
	}
	defer done()
	record, _, err := s.record(ctx, src, db, r.PathValue("run"), -1)
	if err != nil {
		return nil, err
	}
	return s.captionFigure(ctx, src, db, record.Run.Study, []voice{{run: record.Run, label: record.Run.Arm, said: record.Captions}})
}

// comparedCaptions gives what the browser of the captions of compared runs shows, as JSON.
func (s *server) comparedCaptions(ctx context.Context, r *http.Request) (*answered, error) {
	chosen, _, err := s.chosen(ctx, r)
	if err != nil {
		return nil, err
	}
	var voices []voice
	for i, c := range chosen {
		if c.record.Split != chosen[0].record.Split {
			return nil, &problem{http.StatusBadRequest, "Not comparable", differentSplits}
		}
		voices = append(voices, voice{c.record.Run, titleOf(c.record.Run), i % len(charts.ArmTints), c.record.Captions})
	}
	src := chosen[0].src
	db, done, err := src.use()
	if err != nil {
		return nil, err
	}
	defer done()
	study, _ := studyOf(chosen) // the page says why there is none
	return s.captionFigure(ctx, src, db, study, voices)
}
