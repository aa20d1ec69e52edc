package models

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// smallScenes is a shapes data set of a size for tests.
func smallScenes(t *testing.T) *data.Dataset {
	t.Helper()
	d, err := data.Load(data.Options{Name: "shapes", Split: "official", Images: 60, Seed: 1, MinCount: 1, Tokenize: strings.Fields})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// smallSettings are a trial that trains in a second.
func smallSettings(arm string) experiments.Settings {
	return experiments.Settings{
		Encoder: experiments.Encoder{Name: "cnn", ImageSize: 32, Channels: 4},
		Model:   experiments.Model{Embedding: 16, Hidden: 24, Attention: arm, AttentionSize: 16, Dropout: 0.3, Layers: 1},
		Train: experiments.Train{
			Epochs: 3, BatchImages: 8, LabelSmoothing: 0.1,
			Optimizer: experiments.Optimizer{Name: "adam", LR: 2e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 5},
			Schedule:  experiments.Schedule{Name: "cosine", WarmupSteps: 3},
		},
		Decode: experiments.Decode{Beam: 3, LengthPenalty: 0.7, MaxLength: 12},
		Seed:   5,
	}
}

func newSmall(t *testing.T, s experiments.Settings, d *data.Dataset) *Captioner {
	t.Helper()
	return newSmallOn(t, torch.CPU, s, d)
}

func newSmallOn(t *testing.T, device torch.Device, s experiments.Settings, d *data.Dataset) *Captioner {
	t.Helper()
	c, err := Engine{Device: device, Threads: 1}.Captioner(s, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// onEachDevice runs a test on the CPU and on a GPU.
func onEachDevice(t *testing.T, test func(t *testing.T, device torch.Device)) {
	t.Run("cpu", func(t *testing.T) { test(t, torch.CPU) })
	t.Run("cuda", func(t *testing.T) {
		if _, err := torch.CUDADevices(); err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { torch.SetDeterministic(false) })
		torch.SetDeterministic(true)
		torch.SetFullPrecision()
		test(t, 0)
	})
}

// steps gives a context that ends after so many training steps, and the
// progress function that counts them.
func stopAfter(t *testing.T, n int) (context.Context, func(int, int, float64)) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, func(int, int, float64) {
		if n--; n == 0 {
			cancel()
		}
	}
}

func quiet(int, int, float64) {}

func TestTrainingLowersTheLoss(t *testing.T) {
	d := smallScenes(t)
	eachArm(t, func(t *testing.T, a captioner.Arm, cell captioner.Cell) {
		s := smallSettings(a.Name)
		s.Model.Cell = cell.Name
		s.Train.Optimizer.LR = 1e-2
		c := newSmall(t, s, d)
		var losses []float64
		for range 3 {
			r, err := c.TrainEpoch(t.Context(), quiet)
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, r.Loss)
			if want := len(d.Splits["train"]) * 5; r.Captions != want {
				t.Errorf("%d captions trained on, want %d", r.Captions, want)
			}
		}
		if !(losses[2] < losses[0]-0.1) {
			t.Errorf("the loss went from %v to %v", losses[0], losses[2])
		}
	})
}

// A trial that is stopped in the middle of an epoch and goes on in another
// process ends bit for bit like one that was not.
func TestResumeIsExact(t *testing.T) { onEachDevice(t, testResumeIsExact) }

func testResumeIsExact(t *testing.T, device torch.Device) {
	d := smallScenes(t)
	for _, kind := range []struct{ name, cell, precision string }{{"adam", "gru", ""}, {"adamw", "gru", "bfloat16"}, {"sgd", "gru", ""}, {"adam", "lstm", "bfloat16"}} {
		name := kind.name
		s := smallSettings("adaptive")
		s.Model.Cell, s.Train.Precision = kind.cell, kind.precision
		s.Train.Optimizer.Name, s.Train.Optimizer.Momentum, s.Train.Optimizer.WeightDecay = name, 0.9, 0.01
		s.Train.Schedule = experiments.Schedule{Name: "plateau", Gamma: 0.5, Patience: 1}
		s.Model.Layers, s.Train.WordDropout = 2, 0.2
		s.Data.Augment, s.Train.AttentionPenalty = experiments.Augment{Flip: true, Crops: 1}, 0.01

		whole := newSmallOn(t, device, s, d)
		var want []data.EpochResult
		for i := range 3 {
			r, err := whole.TrainEpoch(t.Context(), quiet)
			if err != nil {
				t.Fatal(err)
			}
			whole.ValidationDone(float64(-i)) // worse and worse: the rate drops
			want = append(want, r)
		}

		path := filepath.Join(t.TempDir(), "stopped")
		first := newSmallOn(t, device, s, d)
		var got []data.EpochResult
		r, err := first.TrainEpoch(t.Context(), quiet)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
		first.ValidationDone(0)
		ctx, count := stopAfter(t, 2)
		if _, err := first.TrainEpoch(ctx, count); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped training returned %v", err)
		}
		if _, err := first.Save(path); err != nil {
			t.Fatal(err)
		}

		second := newSmallOn(t, device, s, d)
		if err := second.Load(path); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < 3; i++ {
			r, err := second.TrainEpoch(t.Context(), quiet)
			if err != nil {
				t.Fatal(err)
			}
			second.ValidationDone(float64(-i))
			got = append(got, r)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: epochs after resuming %+v, want %+v", name, got, want)
		}
		a, err := whole.Save(path + "-whole")
		if err != nil {
			t.Fatal(err)
		}
		b, err := second.Save(path + "-resumed")
		if err != nil {
			t.Fatal(err)
		}
		if a != b {
			t.Errorf("%s: the weights after resuming differ", name)
		}
		state := func(name string) string {
			text, err := os.ReadFile(path + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		if state("-whole") != state("-resumed") {
			t.Errorf("%s: the state after resuming differs", name)
		}
	}
}

// Captions of untrained networks, which seldom end by themselves: each image
// still gets one, within MaxLength and without special words.
func TestCaptionsAlwaysCome(t *testing.T) { onEachDevice(t, testCaptionsAlwaysCome) }

func testCaptionsAlwaysCome(t *testing.T, device torch.Device) {
	d := smallScenes(t)
	eachArm(t, func(t *testing.T, a captioner.Arm, cell captioner.Cell) {
		settings := smallSettings(a.Name)
		settings.Model.Cell = cell.Name
		c := newSmallOn(t, device, settings, d)
		captions, err := c.Caption(t.Context(), d.Splits["test"], experiments.Decode{Beam: 5, LengthPenalty: 0.7, MaxLength: 7}, true)
		if err != nil {
			t.Fatal(err)
		}
		for i, caption := range captions {
			if caption.Image != d.Splits["test"][i] {
				t.Fatalf("caption %d is of image %d", i, caption.Image)
			}
			if len(caption.Words) > 7 || !(caption.LogProb < 0) {
				t.Errorf("caption %v of log probability %v", caption.Words, caption.LogProb)
			}
			for _, w := range caption.Words {
				if strings.HasPrefix(w, "<") {
					t.Errorf("%q came out", w)
				}
			}
			wantBeta, wantEntropy := 0, 0
			if a.Scores {
				wantEntropy = len(caption.Words)
			}
			if a.Sentinel {
				wantBeta = len(caption.Words)
			}
			if len(caption.Beta) != wantBeta || len(caption.Entropy) != wantEntropy {
				t.Errorf("%d β and %d entropies for %d words", len(caption.Beta), len(caption.Entropy), len(caption.Words))
			}
			for _, h := range caption.Entropy {
				if !(h >= 0 && h <= math.Log(16)+1e-6) {
					t.Errorf("entropy %v over 16 regions", h)
				}
			}
		}
	})
}

// A checkpoint of either device loads on the other, and says the same there.
func TestCheckpointsMoveBetweenDevices(t *testing.T) {
	if _, err := torch.CUDADevices(); err != nil {
		t.Skip(err)
	}
	d := smallScenes(t)
	eachArm(t, func(t *testing.T, a captioner.Arm, cell captioner.Cell) {
		for from, to := range map[torch.Device]torch.Device{torch.CPU: 0, 0: torch.CPU} {
			s := smallSettings(a.Name)
			s.Model.Cell = cell.Name
			s.Train.Optimizer.LR = 1e-2
			trained := newSmallOn(t, from, s, d)
			for range 3 {
				if _, err := trained.TrainEpoch(t.Context(), quiet); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(t.TempDir(), "moved")
			if _, err := trained.Save(path); err != nil {
				t.Fatal(err)
			}
			moved := newSmallOn(t, to, s, d)
			if err := moved.Load(path); err != nil {
				t.Fatalf("from %s to %s: %v", from, to, err)
			}
			var said [2][]data.Caption
			for i, c := range []*Captioner{trained, moved} {
				var err error
				if said[i], err = c.Caption(t.Context(), d.Splits["test"], s.Decode, true); err != nil {
					t.Fatal(err)
				}
			}
			for i := range said[0] {
				if x, y := said[0][i], said[1][i]; !slices.Equal(x.Words, y.Words) || math.Abs(x.LogProb-y.LogProb) > 1e-3 {
					t.Errorf("from %s to %s: %q (%.4f) became %q (%.4f)", from, to, x.Words, x.LogProb, y.Words, y.LogProb)
				}
			}
		}
	})
}

func TestLossThatIsNotFinite(t *testing.T) {
	s := smallSettings("none")
	s.Train.Optimizer.LR, s.Train.Optimizer.ClipNorm, s.Train.Schedule.WarmupSteps = 1e20, 0, 0
	c := newSmall(t, s, smallScenes(t))
	var err error
	for range 3 {
		if _, err = c.TrainEpoch(t.Context(), quiet); err != nil {
			break
		}
	}
	if !errors.Is(err, data.ErrDiverged) || !strings.Contains(err.Error(), "step") || !strings.Contains(err.Error(), "lr") {
		t.Errorf("a learning rate of 1e20: error %v", err)
	}
}

func TestSchedules(t *testing.T) {
	const epochs, long = 4, 10
	for _, c := range []struct {
		schedule experiments.Schedule
		step     int
		want     float64
	}{
		{experiments.Schedule{Name: "constant"}, 39, 1},
		{experiments.Schedule{Name: "constant", WarmupSteps: 4}, 0, 0.25},
		{experiments.Schedule{Name: "constant", WarmupSteps: 4}, 3, 1},
		{experiments.Schedule{Name: "cosine"}, 0, 1},
		{experiments.Schedule{Name: "cosine"}, 20, 0.5}, // half way
		{experiments.Schedule{Name: "cosine"}, 40, 0},
		{experiments.Schedule{Name: "step", StepEpochs: 2, Gamma: 0.1}, 19, 1},
		{experiments.Schedule{Name: "step", StepEpochs: 2, Gamma: 0.1}, 20, 0.1},
	} {
		s := schedule{Schedule: c.schedule, peak: 1, epochs: epochs, epochLong: long}
		if got := s.rate(c.step); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%+v at step %d: %v, want %v", c.schedule, c.step, got, c.want)
		}
	}
	p := schedule{Schedule: experiments.Schedule{Name: "plateau", Gamma: 0.5, Patience: 2}, peak: 1, epochs: epochs, epochLong: long}
	var rates []float64
	for _, value := range []float64{1, 2, 2, 1, 0, 3, 3} { // better, better, three not better, better, not better
		p.observe(value)
		rates = append(rates, p.rate(0))
	}
	if want := []float64{1, 1, 1, 1, 0.5, 0.5, 0.5}; !reflect.DeepEqual(rates, want) {
		t.Errorf("plateau: rates %v, want %v", rates, want)
	}
}

func TestPack(t *testing.T) {
	p := pack(data.Batch{
		Images: []int{7, 9}, C: 2, T: 4,
		Tokens: []int64{
			1, 4, 2, 0, // two positions
			1, 5, 6, 2, // three
			0, 0, 0, 0, // no caption
			1, 2, 0, 0, // one
		},
	})
	want := positions{
		input:    []int64{1, 1, 1, 5, 4, 6},
		target:   []int64{5, 4, 2, 6, 2, 2},
		image:    []int64{0, 0, 1, 0, 0, 0},
		previous: []int64{0, 1, 2, 3, 4, 6},
		sizes:    []int64{3, 2, 1},
		rowImage: []int64{0, 0, 1},
		row:      []int{1, 0, 3},
		order:    []int64{0, 1, 3, 4, 5, 2},
		start:    []int64{0, 5, 6},
		slot:     []int64{0, 1, 5, 2, 3, 4},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	cells := usesOf(p.image, 2)
	if want := []int64{0, 1, 3, 4, 5, 2, 6, 6, 6, 6}; !reflect.DeepEqual(cells, want) {
		t.Errorf("positions by image %v, want %v", cells, want)
	}
	for m, slot := range p.slot {
		if cells[slot] != int64(m) {
			t.Errorf("position %d is not in its slot %d of %v", m, slot, cells)
		}
	}
}
