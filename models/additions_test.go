package models

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// TestNewArm holds that an arm of package captioner needs its head here, and nothing else where it computes with the
// parameters that are there already.
func TestNewArm(t *testing.T) {
	listed, known := captioner.Arms, heads
	t.Cleanup(func() { captioner.Arms, heads = listed, known })
	captioner.Arms = append(slices.Clip(listed), captioner.Arm{Name: "hard", Regions: true, Scores: true})
	d, settings := smallScenes(t), smallSettings("hard")

	_, err := Engine{Device: torch.CPU, Threads: 1}.Captioner(settings, d)
	if err == nil || !strings.Contains(err.Error(), "model.attention hard has no head: add it to heads") {
		t.Fatalf("an arm without formulas: %v", err)
	}

	heads = map[string]head{"hard": attended}
	c := newSmall(t, settings, d)
	if want, err := settings.Parameters(len(d.Vocabulary.Words)); err != nil || c.Parameters() != want {
		t.Errorf("%d parameters, planned were %d, %v", c.Parameters(), want, err)
	}
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	captions, err := c.Caption(t.Context(), d.Splits["test"], settings.Decode, true)
	if err != nil || len(captions) == 0 || len(captions[0].Entropy) != len(captions[0].Words) {
		t.Errorf("%d captions, %v", len(captions), err)
	}
}

// TestNewEncoder holds that a frozen encoder of package captioner needs its architecture here, and nothing else.
func TestNewEncoder(t *testing.T) {
	listed, known := captioner.Encoders, architectures
	t.Cleanup(func() { captioner.Encoders, architectures = listed, known })
	wide, err := captioner.EncoderOf("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	wide.Name = "wide18"
	captioner.Encoders = append(slices.Clip(listed), wide)
	d, settings := scenes(t, 20), smallSettings("soft")
	settings.Encoder = experiments.Encoder{Name: "wide18", ImageSize: 32, Weights: "random"}
	engine := Engine{CacheDir: t.TempDir(), Device: torch.CPU, Threads: 1}

	for what, try := range map[string]func() error{
		"features": func() error { return engine.Features(t.Context(), settings, d, nil) },
		"captioner": func() error {
			_, err := engine.Captioner(settings, d)
			return err
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), "encoder.name wide18 has no architecture: add it to architectures") {
			t.Errorf("%s of an encoder without architecture: %v", what, err)
		}
	}

	architectures = map[string]architecture{"wide18": known["resnet18"]}
	if err := engine.Features(t.Context(), settings, d, nil); err != nil {
		t.Fatal(err)
	}
	c, err := engine.Captioner(settings, d)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
		t.Error(err)
	}
}

// TestHeads holds the heads to the arms.
func TestHeads(t *testing.T) {
	if got := slices.Sorted(maps.Keys(heads)); !slices.Equal(got, slices.Sorted(slices.Values(captioner.ArmNames()))) {
		t.Errorf("there are heads of %v, and arms %v", got, captioner.ArmNames())
	}
}
