package reports

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/reports/attention"
	"glimpse/reports/charts"
	"glimpse/results"
)

// A Choice is which pictures tell most about a study: those whose captions
// changed most between the arms of its main contrast, and the runs whose
// captions of them are shown.
type Choice struct {
	Split  string   // of the primary metric
	Images []string // the most improved first, then the most worsened
	Runs   []string // ids: of each of the two arms the finished run of the lowest seed
}

// Choose picks at most so many pictures, half of them improved and half
// worsened by the primary metric's score of the image, averaged over the
// seeds. It fails when nothing can be compared yet.
func Choose(ctx context.Context, db *store.DB, study string, most int) (Choice, error) {
	e, err := outline(ctx, db, study)
	if err != nil {
		return Choice{}, err
	}
	r := &result{evidence: e}
	r.group()
	for _, c := range e.Study.Declared.Contrasts() {
		r.Contrasts = append(r.Contrasts, r.contrast(&results.Contrast{Contrast: c}))
	}
	choice := Choice{Split: e.Primary.Split}
	c := r.headline()
	if c == nil || c.interacts() {
		return choice, fmt.Errorf("study %q declares no contrast of two arms", study)
	}
	for _, a := range []*arm{c.B, c.A} {
		first := a.first()
		if first == nil {
			return choice, fmt.Errorf("study %q: arm %s has no finished run, which the contrast %s − %s needs", study, a.Label, c.B.Label, c.A.Label)
		}
		choice.Runs = append(choice.Runs, first.ID)
	}
	book := bookImages(e.Primary.Key, []experiments.Contrast{c.Contrast.Contrast}, r.Arms)
	for _, a := range []*arm{c.B, c.A} {
		for _, run := range a.Runs {
			if !run.completed() {
				continue
			}
			scores, err := db.Scores(ctx, run.ID, e.Primary.Split)
			if err != nil {
				return choice, err
			}
			book.add(run.ID, scores)
		}
		a.images = book.sides[a.Name]
	}
	improved, worsened := changed(c.imageDifferences())
	for _, list := range [][]imageDifference{improved, worsened} {
		for _, d := range list[:min(most/2, len(list))] {
			choice.Images = append(choice.Images, d.Image)
		}
	}
	return choice, nil
}

// changed splits differences into gains and losses, the greatest first.
func changed(list []imageDifference) (improved, worsened []imageDifference) {
	for _, d := range list { // ascending
		switch {
		case d.Points > 0:
			improved = append(improved, d)
		case d.Points < 0:
			worsened = append(worsened, d)
		}
	}
	slices.SortStableFunc(improved, func(x, y imageDifference) int { return cmp.Compare(y.Points, x.Points) })
	return improved, worsened
}

// first is the finished run of the lowest seed, nil where there is none.
func (a *arm) first() *run {
	for _, run := range a.Runs {
		if run.completed() && len(run.captions()) > 0 {
			return run
		}
	}
	return nil
}

// A pictured is an image with what two arms said of it, and where they looked.
type pictured struct {
	Image    string
	Class    string            // of the CSS rule that holds the picture
	Change   string            // of its score, in points
	Captions []picturedCaption // of the lowest seed
	Seed     int64             // the seed that changed most
	Changed  []sampleCaption   // its captions, nil where it is the lowest
	picture  store.Picture
}

type picturedCaption struct {
	sampleCaption
	Most  string // the weight that lifts the veil wholly
	Looks []look // nil for an arm without attention
}

// A look is a word with the veil that shows where the captioner looked.
type look struct {
	Word string
	Veil template.URL
	Beta string // "" where there is no sentinel
}

// pictureSection shows the images whose captions changed most.
func (r *result) pictureSection() section {
	s := section{Name: "pictures", Title: "Most changed captions"}
	c := r.headline()
	if c == nil || c.interacts() || len(r.Illustration.Pictures) == 0 {
		return s
	}
	improved, worsened := changed(c.imageDifferences())
	for _, group := range []struct {
		what string
		list []imageDifference
	}{{"improved", improved}, {"worsened", worsened}} {
		if shown := r.picture(c, group.list); len(shown) > 0 {
			s.add(part{Text: fmt.Sprintf("Most %s by %s over %s: images ranked by %s, mean over seeds; captions of the lowest seed, with their own scores in brackets.",
				group.what, c.B.Label, c.A.Label, metrics.Title(r.Primary.Key))})
			s.add(part{Pictures: shown, Live: &charts.Figure{
				Name: "most-" + group.what, Title: "Most " + group.what, Kind: charts.KindCaptions, Data: r.pictureBrowser(c, group.list), Note: pictureNote,
			}})
		}
	}
	if len(r.Illustration.Maps) > 0 {
		s.add(part{Text: "One picture per word, darkened where the captioner did not look before writing the word. Brightest: the largest weight of any " +
			"region in the two captions of the image; brightness follows the square root of the weight. β: share of attention on the sentinel instead of the picture."})
	}
	return s
}

// pictureNote says what the live view of pictures shows.
const pictureNote = "The seed whose score changed most comes first, then the lowest seed if it is another. Point at a word, or select a caption and use the arrow keys, " +
	"to see where the captioner looked before writing the word."

// pictureClass names the CSS rule of a picture.
func pictureClass(k int) string { return fmt.Sprintf("pic%d", k) }

// mapOf is where a run looked, as far as it is known.
func (r *result) mapOf(run *run, image string) store.AttentionMap {
	if run == nil {
		return store.AttentionMap{}
	}
	k := slices.IndexFunc(r.Illustration.Maps, func(m store.AttentionMap) bool { return m.Run == run.ID && m.Image == image })
	if k < 0 {
		return store.AttentionMap{}
	}
	return r.Illustration.Maps[k]
}

// picture shows those of the images of which the store holds a picture.
func (r *result) picture(c *contrast, list []imageDifference) []pictured {
	var shown []pictured
	for _, d := range list {
		k := slices.IndexFunc(r.Illustration.Pictures, func(p store.Picture) bool { return p.Image == d.Image })
		if k < 0 {
			continue
		}
		p := pictured{Image: d.Image, Class: pictureClass(k), Change: signed(d.Points, 1), picture: r.Illustration.Pictures[k]}
		p.Seed, p.Changed = r.changedCaptions(c, d.Image)
		var words [][]attention.Word
		var maps []store.AttentionMap
		for _, a := range []*arm{c.A, c.B} {
			caption, looks, m, ok := r.looks(a, d.Image)
			if ok {
				p.Captions = append(p.Captions, picturedCaption{sampleCaption: caption})
				words, maps = append(words, looks), append(maps, m)
			}
		}
		full := attention.Full(words...)
		for i := range p.Captions {
			p.Captions[i].draw(words[i], maps[i], full, image.Pt(p.picture.Width, p.picture.Height))
		}
		shown = append(shown, p)
	}
	return shown
}

// looks gives the caption of an image by an arm's first run, and where the run
// looked if that is known.
func (r *result) looks(a *arm, image string) (caption sampleCaption, words []attention.Word, m store.AttentionMap, ok bool) {
	run := a.first()
	if run == nil {
		return caption, nil, m, false
	}
	said, found := run.captionOf(image)
	if !found {
		return caption, nil, m, false
	}
	caption = a.quoted(said, r.Primary.Key)
	m = r.mapOf(run, image)
	texts := strings.Fields(said.Words)
	if m.Run == "" || len(m.Alpha) != len(texts) {
		return caption, nil, m, true
	}
	for i, text := range texts {
		w := attention.Word{Text: text, Beta: math.NaN()}
		for _, v := range m.Alpha[i] {
			w.Alpha = append(w.Alpha, float32(v))
		}
		if i < len(said.Beta) {
			w.Beta = said.Beta[i]
		}
		words = append(words, w)
	}
	return caption, words, m, true
}

// veilSide is the longer side of an inlined veil, in pixels; the page scales it up.
const veilSide = 40

// draw makes the veils of a caption over a picture of that size.
func (p *picturedCaption) draw(words []attention.Word, m store.AttentionMap, full float64, size image.Point) {
	if len(words) == 0 {
		return
	}
	p.Most = attention.Percent(full)
	long := max(size.X, size.Y, 1)
	width, height := max(1, size.X*veilSide/long), max(1, size.Y*veilSide/long)
	g := attention.Grid{Side: m.Side, First: m.First, Step: m.Step}
	for _, w := range words {
		l := look{Word: w.Text}
		var b bytes.Buffer
		if png.Encode(&b, g.Veil(w.Alpha, full, width, height)) == nil { // a buffer takes every write
			l.Veil = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
		}
		if finite(w.Beta) {
			l.Beta = "β\u00a0" + fixed(w.Beta, 2)
		}
		p.Looks = append(p.Looks, l)
	}
}

// pictureRules are the CSS rules of the page's pictures: each is in the page once,
// however often it is seen.
func (p *page) pictureRules() string {
	var b strings.Builder
	for _, s := range p.Sections {
		for _, part := range s.Parts {
			for _, shown := range part.Pictures {
				fmt.Fprintf(&b, ".%s{aspect-ratio:%d/%d;background-image:url(data:image/jpeg;base64,%s)}\n", shown.Class,
					shown.picture.Width, shown.picture.Height, base64.StdEncoding.EncodeToString(shown.picture.JPEG))
			}
		}
	}
	return b.String()
}
