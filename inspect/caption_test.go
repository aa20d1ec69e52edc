package inspect

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/runner"
)

// colourNamer is an engine whose one captioner says how red a picture is.
type colourNamer struct {
	Engine
	vocabulary []string // that the checkpoint holds
	looks      bool
	blind      bool     // takes features
	spoken     []string // the vocabulary that the captioner was made with
	beam       int
	closed     bool
}

func (n *colourNamer) Vocabulary(string) ([]string, error) { return n.vocabulary, nil }

func (n *colourNamer) Pictures(_ context.Context, _ experiments.Settings, _ string, vocabulary []string) (PictureCaptioner, error) {
	n.spoken = vocabulary
	return n, nil
}

func (n *colourNamer) Size() int {
	if n.blind {
		return 0
	}
	return 4
}
func (n *colourNamer) Dim() int    { return 3 }
func (n *colourNamer) Looks() bool { return n.looks }
func (n *colourNamer) Grid() captioner.Grid {
	if n.blind {
		return captioner.Grid{}
	}
	return captioner.Grid{Side: 1, First: 0.5, Step: 1}
}
func (n *colourNamer) Close() { n.closed = true }

func (n *colourNamer) Caption(_ context.Context, pixels [][]uint8, o experiments.Decode) ([]data.Caption, error) {
	n.beam = o.Beam
	captions := make([]data.Caption, len(pixels))
	for i, p := range pixels {
		captions[i] = data.Caption{Image: i, Words: []string{"red", fmt.Sprint(p[0])}, LogProb: -1}
		if n.looks {
			captions[i].Alpha = [][]float32{{1}, {1}}
		}
	}
	return captions, nil
}

func (n *colourNamer) CaptionFeatures(_ context.Context, given []arrays.Array, _ experiments.Decode) ([]data.Caption, error) {
	captions := make([]data.Caption, len(given))
	for i, a := range given {
		captions[i] = data.Caption{Image: i, Words: []string{"seen", fmt.Sprint(a.Rows), fmt.Sprint(a.Values[0])}, LogProb: -1}
		for range captions[i].Words {
			captions[i].Alpha = append(captions[i].Alpha, slices.Repeat([]float32{1 / float32(a.Rows)}, a.Rows))
		}
	}
	return captions, nil
}

func (n *colourNamer) WriteFeatureLogits(_ context.Context, path string, given arrays.Array, words []string) error {
	return os.WriteFile(path, fmt.Append(nil, given.Values, words), 0o666)
}

func (n *colourNamer) WriteLogits(_ context.Context, path string, pixels []uint8, words []string) error {
	return os.WriteFile(path, fmt.Append(nil, pixels[0], words), 0o666)
}

// trained gives a results database with a run of fewScenes, begun and with a checkpoint.
func trained(t *testing.T) *store.DB {
	t.Helper()
	return trainedBy(t, fewScenes)
}

// trainedBy is that with these settings.
func trainedBy(t *testing.T, s experiments.Settings) *store.DB {
	t.Helper()
	s.Decode.Beam = 3
	d, err := data.Load(runner.DataOptions(s, "", data.Cache{}))
	check(t, err)
	db := begun(t, "data: {name: shapes}", s, map[string]string{"aaaa": runner.Signature(s, d, "")})
	claim, err := db.Claim(t.Context(), runOf(t, db, "aaaa"), store.Owner{Host: "h", PID: 1, Lease: time.Minute})
	check(t, err)
	check(t, db.SaveCheckpoint(t.Context(), claim, store.Checkpoint{
		Progress: json.RawMessage(`{"best": "one"}`), Epoch: &store.Epoch{Epoch: 1, Val: map[string]float64{}}, BestEpoch: 1,
	}))
	best := filepath.Join(runner.RunDir(runner.DefaultDir(db), "aaaa"), "one.safetensors")
	check(t, os.MkdirAll(filepath.Dir(best), 0o777))
	check(t, os.WriteFile(best, nil, 0o666))
	return db
}

// TestCaption holds that each picture is told of in its order with its own caption, that one which cannot be read is counted
// and does not shift the others, and what is written beside them.
func TestCaption(t *testing.T) {
	db := trained(t)
	t.Chdir(t.TempDir())
	paint(t, "red.png", color.RGBA{200, 0, 0, 255})
	paint(t, "black.png", color.RGBA{0, 0, 0, 255})
	pictures := []Picture{{"red.png", "red.png"}, {"missing.png", "missing.png"}, {"black.png", "black.png"}, {"red.png", "red.png"}}
	engine := &colourNamer{vocabulary: []string{"<pad>", "red"}, looks: true}
	var remarks []string
	o := Opener{DB: db, Engine: engine, Remark: func(line string) { remarks = append(remarks, line) }}
	var told []Captioned
	done, err := o.Caption(t.Context(), "aa", pictures, CaptionOptions{Attention: "looks", Logits: "logits"},
		func(c Captioned) error { told = append(told, c); return nil })
	check(t, err)
	if done.Pictures != 4 || done.Failed != 1 || done.First != 4 || done.FirstTook != done.Took {
		t.Errorf("counted %+v", done)
	}
	for i, want := range []Captioned{
		{Path: "red.png", Caption: "red 200", Attention: "looks/red.attention.png", Logits: "logits/red.logits.safetensors"},
		{Path: "missing.png", Error: "picture missing.png is missing"},
		{Path: "black.png", Caption: "red 0", Attention: "looks/black.attention.png", Logits: "logits/black.logits.safetensors"},
		{Path: "red.png", Caption: "red 200", Attention: "looks/red-2.attention.png", Logits: "logits/red-2.logits.safetensors"},
	} {
		got := told[i]
		if got.Path != want.Path || got.Caption != want.Caption || got.Attention != want.Attention || got.Logits != want.Logits || !strings.HasPrefix(got.Error, want.Error) {
			t.Errorf("picture %d: %+v, want %+v", i, got, want)
		}
		for _, file := range []string{got.Attention, got.Logits} {
			if info, err := os.Stat(file); file != "" && (err != nil || info.Size() == 0) {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if text, _ := os.ReadFile("logits/black.logits.safetensors"); string(text) != "0 [red 0]" {
		t.Errorf("the logits of black.png are of %s", text)
	}
	if want := []string{"run aaaa is running: using the best of its 1 epoch so far"}; !slices.Equal(remarks, want) {
		t.Errorf("remarks %q, want %q", remarks, want)
	}
	if engine.beam != 3 || !engine.closed || len(engine.spoken) != 2 {
		t.Errorf("beam %d, want the run's 3; closed: %v; vocabulary %q", engine.beam, engine.closed, engine.spoken)
	}
}

// TestCaptionOfOlderCheckpoints holds that words that a checkpoint lacks come from the run's data set, that a run without
// attention gets no folder for it, and that an error of who is told ends it.
func TestCaptionOfOlderCheckpoints(t *testing.T) {
	db := trained(t)
	t.Chdir(t.TempDir())
	paint(t, "red.png", color.RGBA{200, 0, 0, 255})
	engine := &colourNamer{}
	var remarks strings.Builder
	o := Opener{DB: db, Engine: engine, Cache: data.Cache{Dir: t.TempDir()}, Remark: func(line string) { remarks.WriteString(line + "\n") }}
	full := errors.New("the disk is full")
	_, err := o.Caption(t.Context(), "aaaa", []Picture{{"red.png", "red.png"}}, CaptionOptions{Beam: 7, Attention: "looks"},
		func(Captioned) error { return full })
	if !errors.Is(err, full) || !engine.closed {
		t.Errorf("error %v, want %v; the captioner is closed: %v", err, full, engine.closed)
	}
	if engine.beam != 7 || !slices.Contains(engine.spoken, "square") {
		t.Errorf("beam %d, want 7; vocabulary %q", engine.beam, engine.spoken)
	}
	if _, err := os.Stat("looks"); err == nil || !strings.Contains(remarks.String(), "run aaaa has no attention to draw: its arm is none") {
		t.Errorf("a folder for nothing, or no remark: %v, %s", err, remarks.String())
	}
}

// TestCaptionWithoutCheckpoint holds what is said where a run has none.
func TestCaptionWithoutCheckpoint(t *testing.T) {
	db := begun(t, "data: {name: shapes}", fewScenes, map[string]string{"aaaa": ""})
	o := Opener{DB: db, Engine: &colourNamer{}}
	_, err := o.Caption(t.Context(), "aaaa", nil, CaptionOptions{}, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "and no epoch has been validated; run its study again to train it") {
		t.Errorf("error %v", err)
	}
}

// TestCaptionFeatures holds that a run which was trained on features captions the pictures that are named, by theirs, or all that
// have features, and that others take none.
func TestCaptionFeatures(t *testing.T) {
	s := fewScenes
	s.Encoder = experiments.Encoder{Name: captioner.Precomputed, Content: experiments.FeatureContent{SHA256: "ab", Least: 1, Most: 2, Dim: 3}}
	db := trainedBy(t, s)
	t.Chdir(t.TempDir())
	paint(t, "red.png", color.RGBA{200, 0, 0, 255})
	npy := func(name, shape string, values ...float32) {
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s}", shape)
		text := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
		text = append(text, header...)
		for _, v := range values {
			text = binary.LittleEndian.AppendUint32(text, math.Float32bits(v))
		}
		check(t, os.MkdirAll("features", 0o777))
		check(t, os.WriteFile(filepath.Join("features", name), text, 0o666))
	}
	npy("red.npy", "(2, 3)", 1, 2, 3, 4, 5, 6)
	npy("wide.jpg.npy", "(4,)", 1, 2, 3, 4)
	engine := &colourNamer{vocabulary: []string{"<pad>", "red"}, looks: true, blind: true}
	o := Opener{DB: db, Engine: engine}
	caption := func(pictures []Picture, options CaptionOptions) (told []Captioned, err error) {
		_, err = o.Caption(t.Context(), "aaaa", pictures, options, func(c Captioned) error { told = append(told, c); return nil })
		return told, err
	}
	told, err := caption([]Picture{{"red.png", "red.png"}, {"deep/red.jpg", "deep/red.jpg"}, {"blue.png", "blue.png"}}, CaptionOptions{Features: "features", Logits: "logits"})
	check(t, err)
	for i, want := range []Captioned{{Caption: "seen 2 1"}, {Caption: "seen 2 1"}, {Error: "no features of blue.png"}} {
		if told[i].Caption != want.Caption || told[i].Error != want.Error {
			t.Errorf("picture %d: %+v, want %+v", i, told[i], want)
		}
	}
	if text, _ := os.ReadFile(told[0].Logits); string(text) != "[1 2 3 4 5 6] [seen 2 1]" {
		t.Errorf("the logits of red.png are of %q", text)
	}
	if told, err = caption(nil, CaptionOptions{Features: "features"}); err != nil || len(told) != 2 || told[0].Path != "red" ||
		told[1].Error != "the features of wide.jpg have 4 numbers per region, but the run was trained on 3" {
		t.Errorf("all that have features: %+v, %v", told, err)
	}
	told, err = caption([]Picture{{"red.png", "red.png"}}, CaptionOptions{Features: "features", Attention: "looks"})
	check(t, err)
	if info, err := os.Stat(told[0].Attention); err != nil || info.Size() == 0 {
		t.Errorf("no attention is drawn: %+v, %v", told, err)
	}
	if _, err := caption(nil, CaptionOptions{}); err == nil || !strings.Contains(err.Error(), "--features FILE") {
		t.Errorf("without features: %v", err)
	}
	if _, err := caption(nil, CaptionOptions{Features: "gone.npz"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("features that are not there: %v", err)
	}
	o.DB = trained(t)
	if _, err := caption(nil, CaptionOptions{Features: "features"}); err == nil || !strings.Contains(err.Error(), "remove --features") {
		t.Errorf("features for an encoder that sees pictures: %v", err)
	}
}
