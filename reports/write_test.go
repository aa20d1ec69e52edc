package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// written writes the report of the study called attention and gives its files.
func written(t *testing.T, trials []trial) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	check(t, Write(context.Background(), usual(t, trials), "attention", dir))
	return read(t, dir)
}

func read(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	files := map[string][]byte{}
	for _, e := range entries {
		files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name()))
		check(t, err)
	}
	return files
}

func TestEqualDataGiveEqualBytes(t *testing.T) {
	db := usual(t, finished(5, levels, "none", "soft", "adaptive"))
	var reports [2]map[string][]byte
	for i := range reports {
		dir := filepath.Join(t.TempDir(), "a", "b") // made by Write
		check(t, Write(context.Background(), db, "attention", dir))
		reports[i] = read(t, dir)
	}
	for name, content := range reports[0] {
		if !bytes.Equal(content, reports[1][name]) {
			t.Errorf("%s differs between two writings", name)
		}
	}
	for _, name := range []string{"index.html", "report.md", "arms.csv", "contrasts.csv", "runs.csv", "epochs.csv", "beta.csv",
		"scores.svg", "scores.png", "contrasts.svg", "contrasts.png", "loss.svg", "loss.png", "validation.svg", "validation.png", "beta.svg", "beta.png"} {
		if len(reports[0][name]) == 0 {
			t.Errorf("%s was not written", name)
		}
	}
}

func TestWhatComesFromTheStoreIsEscaped(t *testing.T) {
	const evil = `</style></svg><script>alert("x")</script> & "q" 'a' | # *b* ` + "`c` \x01\u202e\x1b[2J"
	study := store.Study{Name: evil, Question: evil, Spec: "# ```\n" + evil, Compare: json.RawMessage(
		`{"arms":"model.attention","baseline":"none","contrasts":[["<i>b</i> onload=\"x\"","none"]],"primary":{"metric":"test.cider"}}`)}
	trials := finished(2, levels, "none", `<i>b</i> onload="x"`)
	trials = append(trials, trial{arm: "none", seed: 3, state: store.Failed, error: evil})
	dir := t.TempDir()
	check(t, Write(context.Background(), fill(t, study, trials), evil, dir))
	for name, content := range read(t, dir) {
		text := strings.ReplaceAll(string(ownWords(content)), `<script type="application/json">`, "<data>")
		text = strings.Replace(text, "<script>\n\n</script>", "", 1)
		if s := "\x01\x1b\u202e"; filepath.Ext(name) != ".png" && filepath.Ext(name) != ".csv" && strings.ContainsAny(text, s) {
			t.Errorf("%s holds one of %q", name, s)
		}
		switch filepath.Ext(name) {
		case ".html", ".svg":
			for _, s := range []string{"<script", "<i>", `onload="x"`, "\x01"} {
				if strings.Contains(text, s) {
					t.Errorf("%s holds %q", name, s)
				}
			}
		case ".md":
			text, spec, _ := strings.Cut(text, "````yaml") // a longer fence than any in the spec
			text = codeSpan.ReplaceAllString(strings.ReplaceAll(text, "\\`", ""), "")
			if spec == "" || strings.Contains(text, "<script") || strings.Contains(text, "<i>") {
				t.Errorf("%s does not escape its texts", name)
			}
		}
		if filepath.Ext(name) == ".svg" {
			wellFormed(t, name, content)
		}
	}
}

// codeSpan matches code in Markdown, which shows tags as they are.
var codeSpan = regexp.MustCompile("`[^`\n]*`")

func TestTablesHoldNoFormulas(t *testing.T) {
	trials := finished(2, levels, "none", "=1+1")
	trials = append(trials, trial{arm: "none", seed: 3, state: store.Failed, error: "@SUM(1)"})
	study := store.Study{Name: "s", Compare: json.RawMessage(
		`{"arms":"model.attention","baseline":"none","contrasts":[["=1+1","none"]],"primary":{"metric":"test.cider"}}`)}
	dir := t.TempDir()
	check(t, Write(context.Background(), fill(t, study, trials), "s", dir))
	files := read(t, dir)
	for name, want := range map[string]string{
		"arms.csv": "\n'=1+1,", "contrasts.csv": "\n'=1+1,none,", "runs.csv": ",'@SUM(1)", "epochs.csv": ",'=1+1,",
	} {
		if !strings.Contains(string(files[name]), want) {
			t.Errorf("%s lacks %q:\n%s", name, want, files[name])
		}
	}
}

// A report is passed on: what a failed run said is in it without passwords.
func TestReportHoldsNoPasswords(t *testing.T) {
	trials := append(finished(2, levels, "none", "soft"), trial{arm: "none", seed: 3, state: store.Failed, error: "at http://me:hunter2-pass@host: no"})
	told := 0
	for name, text := range written(t, trials) {
		if strings.Contains(string(text), "hunter2-pass") {
			t.Errorf("%s holds the password", name)
		}
		told += strings.Count(string(text), "http://host")
	}
	if told < 2 {
		t.Error("the report does not tell the cause")
	}
}

func TestFiguresAreWellFormedXML(t *testing.T) {
	for name, content := range written(t, finished(2, levels, "none", "soft", "adaptive")) {
		if filepath.Ext(name) == ".svg" {
			wellFormed(t, name, content)
		}
	}
}

func wellFormed(t *testing.T, name string, content []byte) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(content)); ; {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// Loss and metrics that are not finite, captions that were never scored and
// runs without epochs have to be told, not drawn.
func TestReportOfStrangeNumbers(t *testing.T) {
	for name, spoil := range map[string]func(*evidence){
		"loss is NaN":        func(e *evidence) { e.Runs[0].Epochs[2].Loss = math.NaN() },
		"every loss is +Inf": func(e *evidence) { eachEpoch(e, func(x *epoch) { x.Loss = math.Inf(1) }) },
		"no validation":      func(e *evidence) { eachEpoch(e, func(x *epoch) { x.Val = values{} }) },
		"no epochs":          func(e *evidence) { eachRun(e, func(r *run) { r.Epochs = nil }) },
		"no captions":        func(e *evidence) { eachCaptions(e, func(c []store.Caption) []store.Caption { return nil }) },
		"unscored": func(e *evidence) {
			eachCaptions(e, func(c []store.Caption) []store.Caption { c[0].Scored = false; return c })
		},
		"no metrics":      func(e *evidence) { eachRun(e, func(r *run) { r.Metrics = nil }) },
		"metric is NaN":   func(e *evidence) { e.Runs[0].Metrics["test"]["cider"] = math.NaN() },
		"metric untested": func(e *evidence) { e.Primary.Key = "length_ratio" },
		"no environment":  func(e *evidence) { eachRun(e, func(r *run) { r.Environment = nil }) },
		"one level":       func(e *evidence) { eachRun(e, func(r *run) { r.Metrics["test"]["cider"] = 0.5 }) },
	} {
		t.Run(name, func(t *testing.T) {
			e, err := gather(context.Background(), usual(t, finished(2, levels, "none", "adaptive")), "attention")
			check(t, err)
			spoil(e)
			r, err := analyse(context.Background(), e)
			check(t, err)
			for _, text := range texts(t, r) {
				for _, s := range []string{"NaN", "Inf", "%!"} {
					if strings.Contains(text, s) {
						t.Errorf("the report says %s: …%s…", s, around(text, s))
					}
				}
			}
		})
	}
}

// texts are the page and its Markdown twin, without the pictures as files.
func texts(t *testing.T, r *result) []string {
	t.Helper()
	p := newPage(r, nil)
	var sheet stylesheet
	for f := range p.figures() {
		body, err := f.body()
		check(t, err)
		f.Inline = f.inline(body, &sheet)
	}
	index, err := webPage(p, &sheet)
	check(t, err)
	return []string{string(ownWords(index)), string(markdown(p))}
}

func around(text, s string) string {
	at := strings.Index(text, s)
	return text[max(0, at-80):min(len(text), at+80)]
}

func eachRun(e *evidence, f func(*run)) {
	for _, r := range e.Runs {
		f(r)
	}
}

func eachCaptions(e *evidence, f func([]store.Caption) []store.Caption) {
	read := e.said.read
	e.said.read = func(r *run) ([]store.Caption, error) {
		captions, err := read(r)
		return f(captions), err
	}
}

func eachEpoch(e *evidence, f func(*epoch)) {
	for _, r := range e.Runs {
		for i := range r.Epochs {
			f(&r.Epochs[i])
		}
	}
}

func TestFiguresOfManyArmsShowTheHighest(t *testing.T) {
	r := &result{}
	for i := range 30 {
		r.Arms = append(r.Arms, &arm{Index: i, Mean: float64(i)})
	}
	r.Arms[29].Mean = math.NaN() // has no finished run
	arms, note := r.drawn()
	if len(arms) != mostDrawn || arms[0].Index != 5 || arms[mostDrawn-1].Index != 28 || !strings.Contains(note, "24 highest means of 30") {
		t.Errorf("%d arms from %d to %d: %s", len(arms), arms[0].Index, arms[len(arms)-1].Index, note)
	}
}

func TestCancelledReportWritesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	db := usual(t, finished(1, levels, "none", "adaptive"))
	cancel()
	dir := filepath.Join(t.TempDir(), "report")
	if err := Write(ctx, db, "attention", dir); err == nil {
		t.Error("a cancelled report was written")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("a cancelled report left files")
	}
}
