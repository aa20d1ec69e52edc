package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

// scenes are the data of the bench's trials, and their content.
func scenes(t *testing.T, b bench) (*data.Dataset, experiments.Content) {
	t.Helper()
	d, err := data.Load(DataOptions(b.trials()[0].Settings, "", data.Cache{}))
	if err != nil {
		t.Fatal(err)
	}
	content, err := ContentOf(d)
	if err != nil {
		t.Fatal(err)
	}
	return d, content
}

// planned gives the trials of the bench, planned for data of this content.
func (b bench) planned(content experiments.Content) []experiments.Trial {
	trials := b.trials()
	for i := range trials {
		trials[i].Settings.Data.Content = content
	}
	return trials
}

func TestRunsRecordWhatTheirDataHold(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1}
	d, content := scenes(t, b)
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Trials, cfg.Cache = b.planned(content), data.Cache{Dir: filepath.Join(b.Dir, "features")}
	})
	if err != nil || summary.Completed != 2 {
		t.Fatalf("%+v, %v", summary, err)
	}
	for _, run := range b.runs(t) {
		hashes := run.Hashes()
		if got := (experiments.Content{Captions: hashes["captions"], Splits: hashes["splits"], Pictures: hashes["pictures"]}); got != content {
			t.Errorf("recorded %+v, the data hold %+v", got, content)
		}
		if !strings.Contains(string(run.Settings), `"pictures":"`+content.Pictures+`"`) {
			t.Errorf("settings %s lack what the data hold", run.Settings)
		}
		if err := CheckData(run, d); err != nil {
			t.Error(err)
		}
	}
}

// A study on other data than it was planned for ends before anything is recorded or
// trained, and so does a trial that is started by hand.
func TestOtherDataAreRefused(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1}
	_, content := scenes(t, b)
	other := content
	other.Pictures = "0123456789abcdef"
	refuse := func(want string, change func(*Config)) {
		t.Helper()
		_, err := b.run(context.Background(), func(cfg *Config) {
			cfg.Command = func(string) *exec.Cmd {
				t.Error("a trial was started")
				return exec.Command("false")
			}
			change(cfg)
		})
		var refused *DataError
		if !errors.As(err, &refused) || refused.Run != "soft00000001" || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	pictures := "run soft00000001 was planned for other data (planned against found: pictures 01234567 against " + content.Pictures[:8] +
		"); point --data at the study's data set, or use another --db"
	refuse(pictures, func(cfg *Config) { cfg.Trials = b.planned(other) })
	if list := b.runs(t); len(list) > 0 {
		t.Errorf("recorded were %+v", list)
	}

	db, err := store.Open(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	record := func(trials []experiments.Trial, start store.Start) {
		t.Helper()
		var list []store.Run
		for _, trial := range trials {
			raw, err := json.Marshal(trial.Settings)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, store.Run{ID: trial.ID, Arm: trial.Arm, Seed: trial.Settings.Seed, Settings: raw})
		}
		err := db.SaveStudy(context.Background(), store.Study{Name: "bench"}, list, store.Declaration{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		run, err := db.Run(context.Background(), "soft00000001")
		if err != nil {
			t.Fatal(err)
		}
		claim, err := db.Claim(context.Background(), run, store.Owner{Host: "h"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Start(context.Background(), claim, start), db.Interrupt(context.Background(), claim)); err != nil {
			t.Fatal(err)
		}
	}
	// Runs of before data were part of their identity have only what they recorded.
	record(b.trials(), store.Start{Signature: "data=shapes/official@123456789abc tokenizer=ptb"})
	refuse("captions and splits shapes/official@123456789abc against shapes/official@", func(*Config) {})
	record(b.trials(), store.Start{Environment: json.RawMessage(`{"hashes":{"splits":"0123456789abcdef","features":"f"}}`)})
	refuse("splits 01234567 against "+content.Splits[:8], func(*Config) {})

	err = RunTrial(context.Background(), TrialConfig{Launch: Launch{Run: "soft00000001", Dir: filepath.Join(b.Dir, "runs")}, DB: db, Log: &strings.Builder{}},
		&fakeEngine{})
	if !errors.As(err, new(*DataError)) {
		t.Errorf("a trial by hand: %v", err)
	}
	run, err := db.Run(context.Background(), "soft00000001")
	if err != nil || run.State != store.Failed || run.Failure != FailureData || Retryable(run.Failure) || !strings.Contains(run.Error, "splits 01234567") {
		t.Errorf("%+v, %v", run, err)
	}

	// Features are known once there is a captioner: it is the trial that refuses.
	record(b.trials(), store.Start{Environment: json.RawMessage(`{"hashes":{"features":"fedcba9876"}}`)})
	summary, err := b.run(context.Background(), nil)
	if err != nil || summary.Completed != 1 || summary.Failed != 1 || summary.Failures[0].Kind != FailureData ||
		!strings.Contains(summary.Failures[0].Error, "features fedcba98 against f") {
		t.Errorf("other features: %+v, %v", summary, err)
	}
}

func TestCheckData(t *testing.T) {
	t.Parallel()
	d, content := scenes(t, bench{Seeds: 1})
	other := experiments.Content{Captions: "11111111aaaaaaaa", Splits: "22222222aaaaaaaa", Pictures: "33333333aaaaaaaa"}
	hashes := func(c experiments.Content) string {
		return fmt.Sprintf(`{"hashes":{"data":"x","captions":%q,"splits":%q,"pictures":%q}}`, c.Captions, c.Splits, c.Pictures)
	}
	for name, c := range map[string]struct {
		planned     experiments.Content
		environment string
		signature   string
		want        []string
	}{
		"nothing known":       {environment: `{"hashes":{"features":"f"}}`},
		"never begun":         {planned: content},
		"all known":           {planned: content, environment: hashes(content), signature: "data=" + DataField(d) + " tokenizer=ptb"},
		"planned for another": {planned: experiments.Content{Splits: other.Splits}, want: []string{"splits 22222222 against " + content.Splits[:8]}},
		"recorded another":    {environment: hashes(experiments.Content{Captions: other.Captions}), want: []string{"captions 11111111 against " + content.Captions[:8]}},
		"said once": {planned: experiments.Content{Pictures: other.Pictures}, environment: hashes(experiments.Content{Pictures: other.Pictures}),
			want: []string{"pictures 33333333 against " + content.Pictures[:8]}},
		"another signature": {planned: content, signature: "tokenizer=ptb data=coco/karpathy@123456789abc",
			want: []string{"captions and splits coco/karpathy@123456789abc against " + DataField(d)}},
	} {
		settings := experiments.Settings{Data: experiments.Data{Content: c.planned}}
		raw, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckData(store.Run{ID: "r", Settings: raw, Environment: json.RawMessage(c.environment), Signature: c.signature}, d)
		var refused *DataError
		if len(c.want) == 0 && err != nil || len(c.want) > 0 && (!errors.As(err, &refused) || !slices.Equal(refused.Differences, c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := CheckData(store.Run{ID: "r", Settings: json.RawMessage(`[`)}, d); err == nil || errors.As(err, new(*DataError)) {
		t.Errorf("settings that cannot be read: %v", err)
	}
}

// A picture that is changed in its folder is another one for the runs of it, and
// they need it only where they say which it was.
func TestChangedPicture(t *testing.T) {
	t.Parallel()
	root, cache := t.TempDir(), data.Cache{Dir: filepath.Join(t.TempDir(), "features")}
	draw := func(name string, side int) {
		f, err := os.Create(filepath.Join(root, "Images", name))
		if err == nil {
			err = errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, side, 8))), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "Images"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"captions.txt": "image,caption\n"}
	for name, list := range map[string]string{"a.png": "train", "b.png": "dev", "c.png": "test"} {
		draw(name, 8)
		files["captions.txt"] += name + ",a dog runs\n"
		files["Flickr_8k."+list+"Images.txt"] = name + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings := experiments.Settings{Data: experiments.Data{Name: "flickr8k", Split: "official", MinCount: 1, CaptionsPerImage: 1, MaxLength: 5}}
	d, err := data.Load(DataOptions(settings, root, cache))
	if err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	if settings.Data.Content, err = ContentOf(d); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	run, old := store.Run{ID: "r", Settings: raw}, store.Run{ID: "old", Settings: before, Signature: "data=" + DataField(d)}
	draw("b.png", 9)
	err = CheckData(run, d)
	if !errors.As(err, new(*DataError)) || !strings.Contains(err.Error(), "pictures "+settings.Data.Content.Pictures[:8]+" against ") ||
		strings.Contains(err.Error(), "captions") {
		t.Errorf("a changed picture: %v", err)
	}
	draw("b.png", 8)
	if err := CheckData(run, d); err != nil {
		t.Errorf("the picture is as it was: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(root, "Images")); err != nil {
		t.Fatal(err)
	}
	if err := CheckData(old, d); err != nil {
		t.Errorf("of before pictures were hashed: %v", err)
	}
	if err := CheckData(run, d); err == nil || !strings.Contains(err.Error(), "hash data set flickr8k") {
		t.Errorf("without pictures: %v", err)
	}
}
