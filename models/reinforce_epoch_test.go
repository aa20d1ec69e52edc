package models

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// short rewards captions for ending early.
func short(_ []int, captions [][]string) []float64 {
	rewards := make([]float64, len(captions))
	for i, words := range captions {
		rewards[i] = -float64(len(words))
	}
	return rewards
}

// reinforcedSettings are smallSettings with two epochs of reinforcement after one.
func reinforcedSettings(arm, baseline string) experiments.Settings {
	s := smallSettings(arm)
	s.Train.Epochs = 1
	s.Train.Reinforce = experiments.Reinforce{Epochs: 2, LR: 5e-3, Metric: "cider_d", Samples: 3, Baseline: baseline}
	return s
}

// begun is a captioner that has gone over to reinforcement from a checkpoint.
func begun(t *testing.T, device torch.Device, s experiments.Settings, d *data.Dataset) *Captioner {
	t.Helper()
	c := newSmallOn(t, device, s, d)
	path := filepath.Join(t.TempDir(), "best")
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := c.Reinforce(path); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReinforcementRaisesTheReward(t *testing.T) { onEachDevice(t, testReinforcementRaises) }

func testReinforcementRaises(t *testing.T, device torch.Device) {
	d := smallScenes(t)
	for _, baseline := range []string{"mean", "greedy"} {
		c := begun(t, device, reinforcedSettings("adaptive", baseline), d)
		var rewards []float64
		for range 3 {
			r, err := c.ReinforceEpoch(t.Context(), short, quiet)
			if err != nil {
				t.Fatal(err)
			}
			n := 3 * len(d.Splits["train"])
			if r.Captions != n || r.Samples.Captions != n || r.LR != 5e-3 || -r.Samples.Reward != float64(r.Samples.Tokens) {
				t.Fatalf("%d captions at %v, samples %+v", r.Captions, r.LR, r.Samples)
			}
			rewards = append(rewards, r.Samples.Reward/float64(n))
		}
		if !(rewards[2] > rewards[0]+1) {
			t.Errorf("baseline %s: the rewards of three epochs are %v", baseline, rewards)
		}
	}
}

// A captioner that is stopped in the middle of reinforcement and goes on in another process ends
// bit for bit like one that was not.
func TestReinforcementResumesExactly(t *testing.T) { onEachDevice(t, testReinforcementResumes) }

func testReinforcementResumes(t *testing.T, device torch.Device) {
	for _, cell := range []string{"", "lstm"} {
		s := reinforcedSettings("soft", "greedy")
		s.Model.Cell = cell
		s.Train.Reinforce.Schedule = "cosine"
		reinforcementResumes(t, device, s)
	}
}

// The cosine runs over the epochs of reinforcement, whichever epoch they begin after.
func TestReinforcementFollowsItsSchedule(t *testing.T) {
	d := smallScenes(t)
	s := reinforcedSettings("none", "mean")
	s.Train.Epochs, s.Train.Reinforce.Schedule = 3, "cosine"
	c := begun(t, torch.CPU, s, d) // after one of three epochs
	steps := float64(c.schedule.epochLong)
	for epoch := range 2 {
		r, err := c.ReinforceEpoch(t.Context(), short, quiet)
		if err != nil {
			t.Fatal(err)
		}
		done := (float64(epoch+1)*steps - 1) / (2 * steps) // before the epoch's last step
		if want := 5e-3 * (1 + math.Cos(math.Pi*done)) / 2; math.Abs(r.LR-want) > 1e-15 {
			t.Errorf("epoch %d ends with a learning rate of %g, want %g", epoch+1, r.LR, want)
		}
	}
}

func reinforcementResumes(t *testing.T, device torch.Device, s experiments.Settings) {
	d := smallScenes(t)
	whole, first, second := begun(t, device, s, d), begun(t, device, s, d), newSmallOn(t, device, s, d)
	var want, got []data.EpochResult
	for range 2 {
		r, err := whole.ReinforceEpoch(t.Context(), short, quiet)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
	}
	path := filepath.Join(t.TempDir(), "stopped")
	ctx, count := stopAfter(t, 2)
	if _, err := first.ReinforceEpoch(ctx, short, count); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped training returned %v", err)
	}
	if _, err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := second.Load(path); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := second.ReinforceEpoch(t.Context(), short, quiet)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("epochs after resuming %+v, want %+v", got, want)
	}
	for name, c := range map[string]*Captioner{"-whole": whole, "-resumed": second} {
		if _, err := c.Save(path + name); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{".json", ".safetensors", ".optimizer.safetensors"} {
		a, err := os.ReadFile(path + "-whole" + file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path + "-resumed" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) {
			t.Errorf("%s differs after resuming", file)
		}
	}
}

// Reinforcement begins from the checkpoint that it is given, not from the last epoch, and cannot
// go on unbegun.
func TestReinforceBeginsFromTheCheckpoint(t *testing.T) {
	d := smallScenes(t)
	s := reinforcedSettings("none", "mean")
	c := newSmall(t, s, d)
	if _, err := c.ReinforceEpoch(t.Context(), short, quiet); err == nil {
		t.Error("reinforcement went on without having begun")
	}
	path := filepath.Join(t.TempDir(), "best")
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	best, err := c.Save(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if err := c.Reinforce(path); err != nil {
		t.Fatal(err)
	}
	sum, err := c.Save(path + "-begun")
	if err != nil {
		t.Fatal(err)
	}
	if sum != best || c.epoch != 2 || c.optimizer.step != 0 {
		t.Errorf("weights %s after %d epochs and %d steps, want %s after 2 and 0", sum, c.epoch, c.optimizer.step, best)
	}
	if err := torch.Run(func(s *torch.Scope) error {
		for _, moment := range slices.Concat(c.optimizer.first, c.optimizer.second) {
			if values, err := s.Floats(moment); err != nil || slices.ContainsFunc(values, func(v float32) bool { return v != 0 }) {
				t.Fatalf("the optimizer kept moments, %v", err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
