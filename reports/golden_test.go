package reports

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/metrics/stats"
	"glimpse/reports/charts"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// golden renders the study of 15 trials, of which two have no result, with
// times that do not depend on when the test runs.
func golden(t *testing.T) map[string][]byte {
	t.Helper()
	trials := finished(5, levels, "none", "soft", "adaptive")
	trials[6].state, trials[6].error = "failed", "loss is NaN in epoch 4, step 812: lower train.optimizer.lr"
	trials[14].state = "interrupted"
	trials[10].audited = true
	for i := range trials {
		trials[i].read = trials[i].state == store.Completed
	}
	e, err := gather(context.Background(), usual(t, trials), "attention")
	check(t, err)
	e.Study.Declared.Declared = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	e.Study.Declared.Frozen = time.Date(2024, 3, 2, 17, 0, 0, 0, time.UTC)
	for i, run := range e.Runs {
		run.Started = time.Date(2024, 3, 1, 8, i, 0, 0, time.UTC)
		run.Finished = time.Time{}
		if run.completed() {
			run.Finished = time.Date(2024, 3, 2, 17, i, 0, 0, time.UTC)
		}
	}
	r, err := analyse(context.Background(), e)
	check(t, err)
	settle(r)
	files, err := rendered(r)
	check(t, err)
	return files
}

// rendered are the files of a report in memory.
func rendered(r *result) (map[string][]byte, error) {
	files, err := render(context.Background(), r)
	contents := map[string][]byte{}
	for name, write := range files {
		var b bytes.Buffer
		err = errors.Join(err, write(&b))
		contents[name] = b.Bytes()
	}
	return contents, err
}

// settle puts plain numbers and words in the place of those that package stats
// computes and says: they are its own to change.
func settle(r *result) {
	for _, a := range r.Arms {
		a.Low, a.High = a.Mean-3, a.Mean+3
	}
	detectable := 3.5
	for i, c := range r.Contrasts {
		c.Low, c.High, c.Verdict = c.Difference-2.5, c.Difference+2.5, stats.Supported
		if c.Low < 0 {
			c.Verdict = stats.Inconclusive
		}
		c.Result = &stats.Result{P: 0.01 / float64(i+1), PHolm: 0.03 / float64(i+1), PBetter: 0.9, DetectableEffect: &detectable}
	}
	around := func(intervals ...*stats.Interval) {
		for _, i := range intervals {
			if i != nil {
				i.Low, i.High = i.Value-0.05, i.Value+0.05
			}
		}
	}
	for _, a := range r.Read {
		for _, c := range a.Classes {
			around(c.Gain, c.RegionsGain, c.PlacesGain, c.Beta, c.OtherBeta)
		}
		if a.Sentinel != nil {
			for _, m := range a.Sentinel.Measures() {
				around(m.Interval)
			}
		}
	}
	for _, c := range r.GainContrasts {
		around(c.Gain, c.RegionsGain)
	}
	r.Analysis.Methods = stats.Methods{Interval: "a", Test: "b", Adjustment: "c", Detectable: "d", Assumption: "e"}
	r.Notices = append(r.Notices[:1], "A warning.")
}

// compare holds got against a golden file.
func compare(t *testing.T, name string, got []byte, equal func(got, want []byte) bool) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if !equal(got, want) {
		seen := filepath.Join(t.TempDir(), name)
		check(t, os.WriteFile(seen, got, 0o644))
		t.Errorf("%s is not what it was%s; if that is meant, go test ./reports -update", name, firstDifference(got, want))
	}
}

// equalNumbers compares two CSV files, numbers to a millionth: processors round
// sums in their own ways.
func equalNumbers(got, want []byte) bool {
	a, b := strings.FieldsFunc(string(got), isComma), strings.FieldsFunc(string(want), isComma)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, errX := strconv.ParseFloat(a[i], 64)
		y, errY := strconv.ParseFloat(b[i], 64)
		if a[i] != b[i] && (errX != nil || errY != nil || math.Abs(x-y) > 1e-6) {
			return false
		}
	}
	return true
}

func isComma(r rune) bool { return r == ',' || r == '\n' }

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want []byte) string {
	if bytes.HasPrefix(got, []byte("\x89PNG")) {
		return ""
	}
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return ":\n got: " + a[i] + "\nwant: " + strings.Join(b[min(i, len(b)):min(i+1, len(b))], "")
		}
	}
	return ": it is shorter"
}

// drawn matches what the plotting library decides in the page: the drawings,
// and the styles of their parts.
var drawn = regexp.MustCompile(`(?s)<svg[^>]*>.*?</svg>|\.plot \.p\d+\{[^}]*\}\n`)

// ownWords is a page without the script and the style of live charts, which package charts tests.
func ownWords(page []byte) []byte {
	page = bytes.Replace(page, []byte(charts.Script()+pageScript), nil, 1)
	return bytes.Replace(page, []byte(charts.Style()), nil, 1)
}

func TestGoldenTexts(t *testing.T) {
	files := golden(t)
	compare(t, "report.md", files["report.md"], bytes.Equal)
	compare(t, "index.html", drawn.ReplaceAll(ownWords(files["index.html"]), nil), bytes.Equal)
	for _, name := range []string{"scores.tex", "contrasts.tex"} {
		compare(t, name, files[name], bytes.Equal)
	}
	for _, name := range []string{"arms.csv", "contrasts.csv"} {
		compare(t, name, files[name], equalNumbers)
	}
}

func TestGoldenPlots(t *testing.T) {
	files := golden(t)
	for _, name := range []string{"scores.png", "contrasts.png", "images.png", "parameters.png", "time.png", "loss.png", "validation.png", "beta.png", "beta-classes.png", "entropy.png", "gain.png", "sentinel.png"} {
		got, err := png.Decode(bytes.NewReader(files[name]))
		check(t, err)
		var small bytes.Buffer
		check(t, png.Encode(&small, reduced(got)))
		compare(t, name, small.Bytes(), alike)
	}
}

// reduction is by how much golden pictures are smaller than the real ones.
const reduction = 4

// reduced is a picture with the mean of 4×4 pixels in each of its pixels.
func reduced(img image.Image) *image.RGBA {
	size := img.Bounds().Size()
	small := image.NewRGBA(image.Rect(0, 0, size.X/reduction, size.Y/reduction))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			var sum [3]uint32
			for i := range reduction * reduction {
				r, g, b, _ := img.At(x*reduction+i%reduction, y*reduction+i/reduction).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+r>>8, sum[1]+g>>8, sum[2]+b>>8
			}
			const n = reduction * reduction
			small.SetRGBA(x, y, color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255})
		}
	}
	return small
}

// alike says whether two pictures look the same: of one size, with no pixel
// off by more than a fifth of the scale and 1 in 500 of it off on the whole.
// Rounding on other processors moves edges by less than that.
func alike(got, want []byte) bool {
	a, errA := png.Decode(bytes.NewReader(got))
	b, errB := png.Decode(bytes.NewReader(want))
	if errA != nil || errB != nil || a.Bounds() != b.Bounds() {
		return false
	}
	sum, most := 0.0, 0.0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			for _, d := range []float64{float64(p.R) - float64(q.R), float64(p.G) - float64(q.G), float64(p.B) - float64(q.B)} {
				sum += max(d, -d)
				most = max(most, d, -d)
			}
		}
	}
	return most <= 255/5 && sum/float64(3*a.Bounds().Dx()*a.Bounds().Dy()) <= 255/500.
}
