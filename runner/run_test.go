package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

func TestStudyRunsOnce(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Jobs: 2}
	kinds := map[string]int{}
	features := 0
	change := func(cfg *Config) {
		cfg.Features = (&fakeEngine{touched: func() { features++ }}).Features
		cfg.Progress = func(e Event) {
			kinds[e.Kind]++
			if e.Kind == EventCompleted && (e.Done != kinds[e.Kind] || e.Total != 4) {
				t.Errorf("completed %d is announced as %d of %d", kinds[e.Kind], e.Done, e.Total)
			}
		}
	}
	summary, err := b.run(context.Background(), change)
	if err != nil || summary.Completed != 4 || summary.Total != 4 || summary.Skipped != 0 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	if features != 1 {
		t.Errorf("features were asked for %d times, want once", features)
	}
	for kind, least := range map[string]int{
		EventPlanned: 1, EventFeatures: 1, EventStarted: 4, EventStep: 12, EventEpoch: 12, EventCaptioning: 16, EventPhase: 16, EventCompleted: 4,
	} {
		if kinds[kind] < least {
			t.Errorf("%d events %s, want at least %d", kinds[kind], kind, least)
		}
	}
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	study, err := db.Study(context.Background(), "bench")
	if err != nil || study.Question != "Does it run?" || study.Spec != "study: bench" {
		t.Errorf("study %+v, %v", study, err)
	}
	for _, run := range b.runs(t) {
		if run.State != store.Completed || run.Attempt != 1 || run.Epochs != 3 || run.BestEpoch < 1 || run.Parameters != 16 ||
			len(run.CaptionsSHA256) != 64 || len(run.WeightsSHA256) != 64 || run.Seconds <= 0 || run.Metrics["test"]["cider"] == 0 {
			t.Errorf("run %+v", run)
		}
		for _, part := range []string{"data=shapes/official@", "tokenizer=ptb", "vocabulary=", "decode=beam:5,length_penalty:0.7,max_length:24", "metrics="} {
			if !strings.Contains(run.Signature, part) {
				t.Errorf("signature %q lacks %q", run.Signature, part)
			}
		}
		for _, key := range []string{"host", "threads", "cpu", "versions", "peak_rss_bytes", "timings"} {
			if !strings.Contains(string(run.Environment), `"`+key+`":`) {
				t.Errorf("environment %s lacks %s", run.Environment, key)
			}
		}
		captions, err := db.Captions(context.Background(), run.ID, "test")
		if err != nil || len(captions) == 0 || !captions[0].Scored || captions[0].Beta == nil || store.CaptionsSHA256(captions) != run.CaptionsSHA256 {
			t.Errorf("captions %v, %v", captions, err)
		}
		epochs, err := db.Epochs(context.Background(), run.ID)
		if err != nil || len(epochs) != 3 || !epochs[run.BestEpoch-1].Selected || !maps.Equal(epochs[run.BestEpoch-1].Val, run.Metrics["val"]) {
			t.Errorf("epochs %+v, %v", epochs, err)
		}
		for _, e := range epochs {
			if e.Val["cider"] > run.Metrics["val"]["cider"] {
				t.Errorf("epoch %d is better than the selected %d", e.Epoch, run.BestEpoch)
			}
		}
		if _, err := BestCheckpoint(filepath.Join(b.Dir, "runs"), run); err != nil {
			t.Error(err)
		}
		if files, _ := filepath.Glob(filepath.Join(b.Dir, "runs", run.ID, "*")); len(files) != 3 {
			t.Errorf("want the best checkpoint and the log, there are %v", files)
		}
	}
	// Nothing is left to do, so nothing may be needed: no data, no process.
	summary, err = b.run(context.Background(), func(cfg *Config) {
		cfg.Features = (&fakeEngine{touched: func() { t.Error("features were asked for again") }}).Features
		cfg.Command = func(string) *exec.Cmd {
			t.Error("a trial was run again")
			return exec.Command("false")
		}
	})
	if err != nil || summary.Skipped != 4 || summary.Completed != 4 {
		t.Errorf("second time: %+v, %v", summary, err)
	}
	// A study that shares trials with this one runs the others only.
	b.Seeds = 3
	if summary, err = b.run(context.Background(), nil); err != nil || summary.Skipped != 4 || summary.Completed != 6 {
		t.Errorf("with another seed: %+v, %v", summary, err)
	}
}

func TestFailedTrialsDoNotEndTheStudy(t *testing.T) {
	for _, c := range []struct {
		fault   fault
		failure string
		want    []string // in the recorded error
	}{
		{fault{Kind: "nan", Epoch: 2, Step: 3}, FailureLoss, []string{"NaN", "epoch 2", "step 3", "soft00000001"}},
		{fault{Kind: "exit", Epoch: 1, Step: 2}, FailureCrash, []string{"run soft00000001", "exit code 3: terminate called after", "(last message: ", "std::bad_alloc", "log.txt"}},
		{fault{Kind: "kill", Epoch: 1, Step: 2}, FailureCrash, []string{"signal 9", "memory"}},
		{fault{Kind: "panic", Epoch: 1, Step: 1}, FailureCrash, []string{"run soft00000001: a fault in this program", "invalid memory address", "(*fakeCaptioner).strike (fake_test.go:"}},
		{fault{Kind: "hang", Epoch: 1, Step: 2}, FailureStalled, []string{"no progress for"}},
		{fault{Kind: "stop", Epoch: 1, Step: 2}, FailureStalled, []string{"no progress for"}},
		{fault{Kind: "mute"}, FailureError, []string{"ended before the trial was complete"}},
	} {
		t.Run(c.fault.Kind, func(t *testing.T) {
			t.Parallel()
			c.fault.Seed = 1
			b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Jobs: 2, Fault: c.fault}
			failed, completed := 2, 2
			if c.fault.Kind == "mute" { // which trial it is, it does not look at
				failed, completed = 4, 0
			}
			silence := DefaultSilence
			if c.failure == FailureStalled { // a busy machine would stall healthy trials as well: have none
				b.Seeds, completed, silence = 1, 0, time.Second
			}
			total := failed + completed
			summary, err := b.run(context.Background(), func(cfg *Config) { cfg.Silence = silence })
			if err != nil || summary.Failed != failed || summary.Completed != completed || len(summary.Failures) != failed {
				t.Fatalf("summary %+v, %v", summary, err)
			}
			run := b.runs(t)[0]
			if run.State != store.Failed || run.Failure != c.failure {
				t.Errorf("run is %s by %q, want failed by %q: %s", run.State, run.Failure, c.failure, run.Error)
			}
			for _, want := range c.want {
				if !strings.Contains(run.Error, want) {
					t.Errorf("error lacks %q:\n%s", want, run.Error)
				}
			}
			// With the fault mended, running again mends what can be mended.
			b.Fault = fault{}
			before := summary.Completed
			if summary, err = b.run(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			if Retryable(c.failure) != (summary.Completed == total) {
				t.Errorf("run again after %s: %+v", c.failure, summary)
			}
			if summary.Skipped != before {
				t.Errorf("%d trials were skipped, want %d", summary.Skipped, before)
			}
			b.Retry = true
			if summary, err = b.run(context.Background(), nil); err != nil || summary.Completed != total {
				t.Errorf("with RetryFailed: %+v, %v", summary, err)
			}
		})
	}
}

// TestFullDiskEndsTheStudy: what one trial cannot write, the others cannot either.
func TestFullDiskEndsTheStudy(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Jobs: 1, Fault: fault{Kind: "disk", Epoch: 2}}
	summary, err := b.run(context.Background(), nil)
	if !errors.Is(err, ErrDisk) || summary.Failed != 1 || summary.Unfinished != 3 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	run := b.runs(t)[0]
	if run.State != store.Failed || run.Failure != FailureDisk {
		t.Errorf("run is %s by %q: %s", run.State, run.Failure, run.Error)
	}
	for _, want := range []string{run.ID, "epoch 2", "no space left on device", "run again"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error is of several lines: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(b.Dir, "runs", run.ID, "*.tmp")); files != nil {
		t.Errorf("a failed save left %v", files)
	}
	b.Fault = fault{}
	if summary, err = b.run(context.Background(), nil); err != nil || summary.Completed != 4 {
		t.Errorf("with room again: %+v, %v", summary, err)
	}
}

func TestCommandThatCannotStart(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1}
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Command = func(string) *exec.Cmd { return exec.Command(filepath.Join(b.Dir, "absent")) }
	})
	if err != nil || summary.Failed != 2 || !strings.Contains(summary.Failures[0].Error, "absent") {
		t.Errorf("summary %+v, %v", summary, err)
	}
}

func TestWrongStudiesAreRefusedBeforeTraining(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no study":        {func(cfg *Config) { cfg.Study = nil }, "no study"},
		"no database":     {func(cfg *Config) { cfg.DB = nil }, "no results database"},
		"no features":     {func(cfg *Config) { cfg.Features = nil }, "lacks Features"},
		"no data":         {func(cfg *Config) { cfg.Trials[3].Settings.Data.Name = "flickr8k" }, "data set flickr8k"},
		"no such picture": {func(cfg *Config) { cfg.Features = brokenFeatures }, "a.jpg is no picture"},
	} {
		b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 1}
		_, err := b.run(context.Background(), func(cfg *Config) {
			cfg.Root = b.Dir
			cfg.Command = func(string) *exec.Cmd {
				t.Errorf("%s: a trial was started", name)
				return exec.Command("false")
			}
			c.change(cfg)
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestLastEpochCanBeKept(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Select: selectLast}
	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 2 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	for _, run := range b.runs(t) {
		if run.BestEpoch != 2 || run.Metrics["val"] != nil || run.Metrics["test"] == nil {
			t.Errorf("run %+v", run)
		}
	}
}

func TestTestSplitCanBeSpared(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2}
	summary, err := b.run(context.Background(), func(cfg *Config) {
		for i := range cfg.Trials {
			cfg.Trials[i].Settings.Decode.Split = "val"
		}
	})
	if err != nil || summary.Completed != 2 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, run := range b.runs(t) {
		split, scores := run.Final()
		if run.Metrics["test"] != nil || split != "val" || scores["cider"] == 0 || !strings.Contains(run.Signature, ",split:val ") {
			t.Errorf("run %+v", run)
		}
		spared, err := db.Captions(context.Background(), run.ID, "test")
		if err != nil || len(spared) > 0 {
			t.Errorf("%d captions of the test split, %v", len(spared), err)
		}
		captions, err := db.Captions(context.Background(), run.ID, "val")
		if err != nil || len(captions) == 0 || !captions[0].Scored || store.CaptionsSHA256(captions) != run.CaptionsSHA256 {
			t.Errorf("captions %v, %v", captions, err)
		}
	}
}

func TestUnknownSelectMetric(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Select: "val.spice"}
	summary, err := b.run(context.Background(), nil)
	if err != nil || summary.Failed != 2 || !strings.Contains(summary.Failures[0].Error, "val.spice is not available; available: bleu") {
		t.Fatalf("summary %+v, %v", summary, err)
	}
}

func TestPatienceStopsTraining(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 40}
	_, err := b.run(context.Background(), func(cfg *Config) {
		for i := range cfg.Trials {
			cfg.Trials[i].Settings.Train.Select.Patience = 2
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range b.runs(t) {
		if run.State != store.Completed || run.Epochs != run.BestEpoch+2 {
			t.Errorf("%d epochs, the best was %d, patience is 2", run.Epochs, run.BestEpoch)
		}
	}
}

func TestStudyStopsWhenTheDatabaseFails(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 2, Jobs: 1}
	_, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Progress = func(e Event) {
			if e.Kind == EventStarted {
				_ = cfg.DB.Close()
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("error is %v", err)
	}
}

// brokenFeatures cannot read a picture.
func brokenFeatures(context.Context, experiments.Settings, *data.Dataset, string, int, func(done, total int)) error {
	return fmt.Errorf("a.jpg is no picture: %w", os.ErrInvalid)
}

// Weights that are drawn from the trial's seed give each seed features of its
// own; published ones are shared.
func TestFeaturesAreMadeForEachEncoder(t *testing.T) {
	for weights, want := range map[string]int{"auto": 1, "random": 2} {
		b, asked := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 1}, 0
		_, err := b.run(context.Background(), func(cfg *Config) {
			cfg.Features = (&fakeEngine{touched: func() { asked++ }}).Features
			for i := range cfg.Trials {
				cfg.Trials[i].Settings.Encoder.Weights = weights
			}
		})
		if err != nil || asked != want {
			t.Errorf("weights %s: features asked for %d times, want %d (%v)", weights, asked, want, err)
		}
	}
}
