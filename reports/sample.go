package reports

import (
	"html/template"
	"math"

	"glimpse/internal/store"
	"glimpse/reports/charts"
)

// sampleSize is the number of images whose captions are shown, and half of it
// where there are more than fewArms arms; at most mostVoices arms are heard.
const (
	sampleSize = 8
	fewArms    = 5
	mostVoices = 8
)

// sampleNote says which captions are shown.
const sampleNote = "Images are spread evenly over the split, not selected by results. Captions are from each arm’s most typical seed, the one closest to the arm’s mean. In brackets: the caption’s own CIDEr, in points."

// browserNote says what the live view of captions shows.
const browserNote = "Captions are from each arm’s most typical seed. In brackets: the caption’s own score; differences are between means over seeds. " +
	"Point at a word, or use the arrow keys, to see its β, if the arm has a sentinel."

// captionSection shows what the arms say.
func (r *result) captionSection() section {
	s := section{Name: "captions", Title: "Captions"}
	if samples := r.samples(); len(samples) > 0 {
		s.add(part{Text: sampleNote})
		one := part{Samples: samples}
		if live, ok := r.browser(); ok {
			one.Live = &charts.Figure{Name: "captions-live", Title: "Captions, side by side", Kind: charts.KindCaptions, Data: live, Note: browserNote}
		}
		s.add(one)
	}
	return s
}

// A sample is one image with a caption from each arm.
type sample struct {
	Image    string
	Scene    template.URL // of a drawn one, "" otherwise
	Captions []sampleCaption
}

type sampleCaption struct {
	Arm   cell
	Words string
	Score string // CIDEr of this caption, in points
}

// samples shows captions of images spread evenly over the split, which no
// result had a say in: from each arm those of its most typical seed.
func (r *result) samples() []sample {
	arms, _ := r.drawn()
	for _, a := range arms {
		if typical := a.typical(r.Primary); typical != nil {
			size := sampleSize
			if len(arms) > fewArms {
				size /= 2
			}
			var images []string
			for _, c := range typical.captions() {
				images = append(images, c.Image)
			}
			return r.samplesOf(evenly(images, size))
		}
	}
	return nil
}

// samplesOf are the captions of some images, from each arm those of its most
// typical seed.
func (r *result) samplesOf(images []string) []sample {
	type voice struct {
		arm      *arm
		captions map[string]store.Caption
	}
	var voices []voice
	arms, _ := r.drawn()
	for _, a := range arms[:min(len(arms), mostVoices)] {
		typical := a.typical(r.Primary)
		if typical == nil {
			continue
		}
		v := voice{a, map[string]store.Caption{}}
		for _, c := range typical.captions() {
			v.captions[c.Image] = c
		}
		voices = append(voices, v)
	}
	var list []sample
	for _, image := range images {
		s := sample{Image: image, Scene: r.sceneURL(image)}
		for _, v := range voices {
			if c, ok := v.captions[image]; ok {
				s.Captions = append(s.Captions, v.arm.quoted(&c, "cider"))
			}
		}
		list = append(list, s)
	}
	return list
}

// typical is the finished run whose score is nearest to the arm's mean, the
// one of the smallest seed among equals; nil without a run that has captions.
func (a *arm) typical(m metric) *run {
	var best *run
	nearest := math.Inf(1)
	for _, run := range a.Runs {
		v, ok := m.of(run)
		if !ok || !run.completed() {
			continue
		}
		if d := math.Abs(100*v - a.Mean); (best == nil || d < nearest-1e-9) && len(run.captions()) > 0 {
			best, nearest = run, d
		}
	}
	return best
}
