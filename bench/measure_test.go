package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/torch"
	"glimpse/metrics/meteor"
	"glimpse/models"
)

// few returns options for the demo, too small for meaningful numbers.
func few(t *testing.T, sets ...string) Options {
	t.Helper()
	study, err := experiments.Demo(append([]string{"data.images=40", "train.batch_images=8", "model.hidden=8", "model.embedding=8", "model.attention_size=8",
		"encoder.image_size=32", "encoder.channels=4", "compare.match_parameters=off", "decode.max_length=6"}, sets...))
	if err != nil {
		t.Fatal(err)
	}
	return Options{Study: study, Engine: models.Engine{CacheDir: t.TempDir(), Device: torch.CPU, Threads: 1}}
}

// sameKeys checks that the JSON of a report has the keys of every report, and its first row exactly
// the given keys.
func sameKeys[R any](t *testing.T, report *Report[[]R], row ...string) {
	t.Helper()
	for _, c := range []struct {
		value any
		want  []string
	}{
		{report, []string{"bench", "study", "data", "device", "threads", "peak_rss_mb", "peak_anonymous_mb", "rows"}},
		{report.Rows[0], row},
	} {
		text, err := json.Marshal(c.value)
		var fields map[string]any
		if err == nil {
			err = json.Unmarshal(text, &fields)
		}
		slices.Sort(c.want)
		if got := slices.Sorted(maps.Keys(fields)); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("keys of the JSON: %v, %v; want %v", got, err, c.want)
		}
	}
}

// TestTrain measures more steps than an epoch has, of each arm, with a padded vocabulary.
func TestTrain(t *testing.T) {
	o := few(t)
	r, err := Train(t.Context(), o, TrainOptions{Steps: 6, WarmUp: 1, Vocabulary: 100})
	if err != nil {
		t.Fatal(err)
	}
	var arms []string
	for _, row := range r.Rows {
		arms = append(arms, row.Arm)
		if row.Vocabulary != 100 || row.Steps != 6 || row.Captions < 6*5 || row.Positions <= row.Captions || row.PerSecond <= 0 || row.StepMS[0] > row.StepMS[2] || row.Loss <= 0 {
			t.Errorf("%+v", row)
		}
	}
	if want := []string{"none", "soft"}; !slices.Equal(arms, want) {
		t.Errorf("arms %v, want %v", arms, want)
	}
	if !strings.HasPrefix(r.Study, "demo@") || r.Data != "shapes" || r.Device != "cpu" || r.Threads != 1 || r.Bench != "train" || r.PeakRSSMB < r.PeakAnonymousMB {
		t.Errorf("%+v", r)
	}
	sameKeys(t, r, "arm", "model", "batch_images", "vocabulary", "parameters", "steps", "captions", "positions", "captions_per_s", "captions_per_cpu_s", "captions_per_s_quartiles", "step_ms", "loss")
}

// TestNothingToMeasure checks the errors for options that leave nothing to measure.
func TestNothingToMeasure(t *testing.T) {
	o := few(t)
	_, err := Features(t.Context(), o, 3)
	var nothing *NothingError
	if !errors.As(err, &nothing) {
		t.Errorf("features of an encoder that is trained with the captioner: %v", err)
	}
	o.Arm = "sft"
	if _, err = Train(t.Context(), o, TrainOptions{Steps: 1}); !errors.As(err, &nothing) || !strings.Contains(err.Error(), "(arms: none, soft)") {
		t.Errorf("an unknown arm: %v", err)
	}
	if _, err = Scaling(t.Context(), ScalingOptions{Axes: []string{"beam", "hiden"}}); !errors.As(err, &nothing) || !strings.Contains(err.Error(), "--axis hiden") {
		t.Errorf("an unknown axis: %v", err)
	}
}

func TestDecode(t *testing.T) {
	o := few(t, "decode.beam=2")
	o.Arm = "soft"
	r, err := Decode(t.Context(), o, DecodeOptions{Images: 3, TrainSteps: 2})
	if err != nil {
		t.Fatal(err)
	}
	row := r.Rows[0]
	if len(r.Rows) != 1 || row.Arm != "soft" || row.Model != "trained for 2 steps" || row.Beam != 2 || row.MaxLength != 6 || row.Images != 3 || row.PerSecond <= 0 || row.Words > 6 {
		t.Errorf("%+v", r.Rows)
	}
	sameKeys(t, r, "arm", "model", "beam", "max_length", "images", "words_per_caption", "captions_per_s", "captions_per_cpu_s", "seconds")
}

// TestReinforce measures steps after cross-entropy training, and a study without train.reinforce.
func TestReinforce(t *testing.T) {
	o := few(t, "train.reinforce.epochs=1", "train.reinforce.samples=3")
	o.Arm = "soft"
	r, err := Reinforce(t.Context(), o, ReinforceOptions{Steps: 5, WarmUp: 1, TrainSteps: 2})
	if err != nil {
		t.Fatal(err)
	}
	row := r.Rows[0]
	if len(r.Rows) != 1 || row.Arm != "soft" || row.Samples != 3 || row.Captions < 5*3 || row.Captions%3 != 0 || row.Words > 6 || row.PerSecond <= 0 {
		t.Errorf("%+v", r.Rows)
	}
	sameKeys(t, r, "arm", "model", "batch_images", "samples", "steps", "captions", "words_per_caption", "captions_per_s", "captions_per_cpu_s",
		"step_ms", "reward")
	var nothing *NothingError
	if _, err = Reinforce(t.Context(), few(t), ReinforceOptions{Steps: 1}); !errors.As(err, &nothing) {
		t.Errorf("a study without reinforcement: %v", err)
	}
}

// TestFeatures checks how many pictures are encoded, that equal encoders are measured once, and
// that the real cache stays empty.
func TestFeatures(t *testing.T) {
	o := few(t, "encoder.name=resnet18", "encoder.weights=random", "encoder.image_size=64")
	r, err := Features(t.Context(), o, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 1 || r.Rows[0].Encoder != "resnet18" || r.Rows[0].ImageSize != 64 || r.Rows[0].Images != 3 || r.Rows[0].PerSecond <= 0 {
		t.Errorf("%+v", r.Rows)
	}
	if found, _ := filepath.Glob(filepath.Join(o.Engine.CacheDir, "features", "*.features")); len(found) > 0 {
		t.Errorf("the cache holds %v", found)
	}
	sameKeys(t, r, "encoder", "image_size", "images", "images_per_s", "seconds")
}

// TestScore checks which parts are timed with and without METEOR's data, and that an error of
// loading them is returned.
func TestScore(t *testing.T) {
	damaged := errors.New("damaged")
	for _, c := range []struct {
		name  string
		data  *meteor.Data
		fails error
		want  string
	}{
		{"without data", nil, nil, "tokenize 100, score, METEOR by exact words and stems 100"},
		{"with data", &meteor.Data{}, nil, "tokenize 100, score, METEOR by exact words and stems 100, load METEOR's data 1, score, METEOR with its data 100"},
		{"damaged data", nil, damaged, ""},
	} {
		r, err := Score(t.Context(), few(t), ScoreOptions{Images: 100, LoadMeteor: func() (*meteor.Data, error) { return c.data, c.fails }})
		if !errors.Is(err, c.fails) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		var parts []string
		for _, p := range r.Rows {
			parts = append(parts, fmt.Sprintf("%s %d", p.Part, p.Rows))
		}
		if got := strings.Join(parts, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		sameKeys(t, r, "part", "rows", "rows_per_s", "seconds")
	}
}

// TestStore checks the parts of a small study, and the rows of each.
func TestStore(t *testing.T) {
	r, err := Store(t.Context(), few(t), StoreOptions{Runs: 2, Epochs: 3, Captions: 5})
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, p := range r.Rows {
		parts = append(parts, fmt.Sprintf("%s %d", p.Part, p.Rows))
		if p.Seconds <= 0 {
			t.Errorf("%s took %v s", p.Part, p.Seconds)
		}
	}
	want := "plan runs 2, claim runs 2, epochs 6, captions 10, scores of captions 10, list runs 2, read captions 10"
	if got := strings.Join(parts, ", "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestLimits checks that the parts add up to the step, and that each product has a measured speed.
func TestLimits(t *testing.T) {
	o := few(t)
	o.Arm = "soft"
	r, err := Limits(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows.MemoryGBs <= 0 || r.Rows.TanhGs <= 0 || len(r.Rows.Arms) != 1 {
		t.Fatalf("%+v", r.Rows)
	}
	arm := r.Rows.Arms[0]
	var ms, gflop float64
	for _, p := range arm.Parts {
		ms += float64(p.LimitMS)
		gflop += float64(p.GFLOP)
		if p.LimitMS <= 0 || (p.Shape != "") != (p.GFLOPs > 0) {
			t.Errorf("%+v", p)
		}
	}
	if ms-float64(arm.StepMS) > 1e-9 || float64(arm.StepMS)-ms > 1e-9 || gflop-float64(arm.GFLOP) > 1e-9 {
		t.Errorf("parts of %v ms and %v GFLOP make a step of %v and %v", ms, gflop, arm.StepMS, arm.GFLOP)
	}
	if arm.Shape.Regions != 16 || arm.Shape.Images != 8 || arm.Shape.Captions < 8 {
		t.Errorf("%+v", arm.Shape)
	}
}

// TestScaling checks the command lines that are run, the values read from their output, and the
// files that are written.
func TestScaling(t *testing.T) {
	var asked []string
	run := func(_ context.Context, stdout io.Writer, args ...string) error {
		line := strings.Join(args, " ")
		asked = append(asked, line)
		printed := `{"peak_rss_mb": 300, "rows": [{"step_ms": [1, 2, 3]}]}`
		if strings.HasPrefix(line, "bench decode ") {
			printed = `{"peak_rss_mb": 200, "rows": [{"images": 100, "seconds": 0.5}]}`
		}
		_, err := io.WriteString(stdout, printed)
		return err
	}
	folder := filepath.Join(t.TempDir(), "scaling")
	var done int
	points, err := Scaling(t.Context(), ScalingOptions{
		Axes: []string{"beam", "regions"}, Sets: []string{"data.images=60"}, Steps: 3, Threads: 1, Folder: folder, Run: run,
		Done: func(string, ScalingPoint) { done++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(points) != 10 || done != 10 || points[0] != (ScalingPoint{"regions", 16, 2, 300}) || points[9] != (ScalingPoint{"beam", 10, 5, 200}) {
		t.Errorf("%d reported, %+v", done, points)
	}
	for i, want := range map[int][2]string{
		1: {"bench train --steps 3 --warm-up 2 --json --arm soft ", " --set data.images=60 --set encoder.image_size=48"},
		8: {"bench decode --images 100 --train-steps 18 --json --arm soft ", " --set data.images=60 --set decode.beam=5"},
	} {
		if !strings.HasPrefix(asked[i], want[0]) || !strings.HasSuffix(asked[i], want[1]) {
			t.Errorf("command line %d is %s, want %s…%s", i, asked[i], want[0], want[1])
		}
	}
	table, err := os.ReadFile(filepath.Join(folder, "scaling.csv"))
	if err != nil || !strings.HasPrefix(string(table), "axis,value,ms,peak_rss_mb\nregions,16,2.000,300.0\n") {
		t.Errorf("table %s, %v", table, err)
	}
	for name, begins := range map[string]string{"scaling.svg": "<?xml", "scaling.png": "\x89PNG"} {
		if file, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !strings.HasPrefix(string(file), begins) {
			t.Errorf("%s: %d bytes, %v", name, len(file), err)
		}
	}
}

// TestScalingFails checks that an error names the point that failed.
func TestScalingFails(t *testing.T) {
	for printed, want := range map[string]string{
		"":                                "hidden size 128: parsing the output of bench train: ",
		`{"rows": []}`:                    "hidden size 128: bench train measured 0 arms, expected 1",
		`{"rows": [{"step_ms": "much"}]}`: "hidden size 128: parsing the output of bench train: ",
	} {
		_, err := Scaling(t.Context(), ScalingOptions{Axes: []string{"hidden"}, Folder: t.TempDir(), Run: func(_ context.Context, stdout io.Writer, _ ...string) error {
			_, err := io.WriteString(stdout, printed)
			return err
		}})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", printed, err, want)
		}
	}
}
