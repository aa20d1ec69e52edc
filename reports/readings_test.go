package reports

import (
	"context"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

func TestReadingRun(t *testing.T) {
	caption := store.Caption{Image: "a.jpg", Words: "a red dog", Beta: []float64{0.9, 0.1, 0.2}}
	reading := store.Reading{Image: "a.jpg", Other: "b.jpg", LogProb: []float64{-1, -2, -3}, LogProbOther: []float64{-1.5, -4, -3},
		LogProbRegions: []float64{-1, -3, -3}, BetaOther: []float64{0.9, 0.2, 0.2}}
	run, err := ReadingRun(7, []store.Caption{caption, {Image: "b.jpg"}}, []store.Reading{reading, {Image: "b.jpg", LogProb: []float64{}}})
	if err != nil || run.Seed != 7 || len(run.Captions) != 2 || len(run.Captions[1]) != 0 {
		t.Fatalf("%+v, %v", run, err)
	}
	for i, want := range []struct {
		class         wordClass
		kind          stats.Kind
		gain, regions float64
	}{{determiners, stats.FunctionWord, 0.5, 0}, {colourWords, stats.VisualWord, 2, 1}, {nouns, stats.VisualWord, 0, 0}} {
		w := run.Captions[0][i]
		if w.Class != string(want.class) || w.Kind != want.kind || w.Gain != want.gain || w.RegionsGain != want.regions || finite(w.PlacesGain) ||
			w.Beta != caption.Beta[i] || w.OtherBeta != reading.BetaOther[i] {
			t.Errorf("word %d is %+v, want %+v", i, w, want)
		}
	}
	short := reading
	short.LogProbOther = short.LogProbOther[:2]
	for name, c := range map[string]struct {
		readings []store.Reading
		want     string
	}{
		"fewer readings": {[]store.Reading{reading}, "2 captions are stored, but readings of 1"},
		"another image":  {[]store.Reading{reading, reading}, "image b.jpg: none are stored, but some of a.jpg"},
		"other words":    {[]store.Reading{short, {Image: "b.jpg"}}, "image a.jpg: they have 2 values, but the caption has 3 words"},
	} {
		if _, err := ReadingRun(7, []store.Caption{caption, {Image: "b.jpg"}}, c.readings); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSentinelFinding(t *testing.T) {
	between := func(low, high float64) *stats.Interval {
		return &stats.Interval{Value: (low + high) / 2, Low: low, High: high, Runs: []float64{low, high}}
	}
	for _, c := range []struct {
		sentinel stats.Sentinel
		want     []string
	}{
		{stats.Sentinel{WithinPosition: between(-0.5, -0.3), DifferenceWithin: between(0.1, 0.3), OtherPicture: between(0.8, 0.9), Change: between(0.01, 0.03), Verdict: stats.Supported},
			[]string{"Yes: β of adaptive is higher", "−0.40 [−0.50, −0.30] (moderate; its authors say negative, as in 2 of 2 runs)", "is 0.20 [0.10, 0.30]", "changes by 0.02", "correlation of 0.85"}},
		{stats.Sentinel{WithinPosition: between(-0.08, -0.02), DifferenceWithin: between(0.1, 0.3), Verdict: stats.Supported},
			[]string{"Barely: β of adaptive is slightly higher", "(negligible; "}},
		{stats.Sentinel{WithinPosition: between(0.1, 0.3), DifferenceWithin: between(-0.3, -0.1), Verdict: stats.Opposite},
			[]string{"No, the opposite: β of adaptive", "(weak; ", "0 of 2 runs"}},
		{stats.Sentinel{WithinPosition: between(-0.1, 0.1), DifferenceWithin: between(0.1, 0.2), Verdict: stats.Inconclusive},
			[]string{"Not shown: β of adaptive", "(negligible; ", "1 of 2 runs"}},
		{stats.Sentinel{WithinPosition: &stats.Interval{Value: 0.2, Low: 0.1, High: 0.3, Runs: []float64{0.2}}, DifferenceWithin: between(-0.3, -0.1), Verdict: stats.Opposite},
			[]string{"0 of 1 run)", "one training run; another may differ"}},
		{stats.Sentinel{Verdict: stats.Inconclusive}, []string{"The words of adaptive do not allow an answer."}},
	} {
		got := sentinelFinding(&armReading{&arm{Label: "adaptive"}, stats.ReadingSummary{Sentinel: &c.sentinel}})
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
	}
}

// Only what was read is shown: arms without a sentinel have no answer to the question.
func TestReadingSectionShowsWhatThereIs(t *testing.T) {
	for _, c := range []struct {
		read  string // arms
		title string
		parts []string
		lacks []string
	}{
		{"", "", nil, []string{`id="sentinel"`, "sentinel.png"}},
		{"none soft", "What the captions use from the picture", []string{"soft, the regions", "soft − none"}, []string{"sentinel.svg", "Does the sentinel"}},
		{"adaptive", "Does the sentinel do what its authors say?", []string{"Yes: β of adaptive", "reading-table-adaptive"}, []string{"soft, the regions", "soft − none"}},
	} {
		trials := finished(2, levels, "none", "soft", "adaptive")
		for i := range trials {
			trials[i].read = strings.Contains(c.read, trials[i].arm)
		}
		e, err := gather(context.Background(), usual(t, trials), "attention")
		check(t, err)
		r, err := analyse(context.Background(), e)
		check(t, err)
		files, err := rendered(r)
		check(t, err)
		section := r.readingSection()
		if (len(section.Parts) > 0) != (c.title != "") || len(section.Parts) > 0 && section.Title != c.title {
			t.Errorf("%q read: the section is %q with %d parts, want %q", c.read, section.Title, len(section.Parts), c.title)
		}
		if (files["readings.csv"] != nil) != (c.read != "") {
			t.Errorf("%q read: readings.csv is %s", c.read, files["readings.csv"])
		}
		_, body, _ := strings.Cut(string(files["index.html"]), `id="sentinel"`)
		body, _, _ = strings.Cut(body, "Captions</h2>")
		for _, want := range c.parts {
			if !strings.Contains(body, want) {
				t.Errorf("%q read: the section lacks %q:\n%s", c.read, want, body)
			}
		}
		for _, lacks := range c.lacks {
			if strings.Contains(body, lacks) {
				t.Errorf("%q read: the section has %q", c.read, lacks)
			}
		}
	}
}
