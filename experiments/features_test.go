package experiments

import (
	"fmt"
	"testing"
)

// TestDistinctFeatures holds what features depend on: of the settings changed here, one after another, only some make others.
func TestDistinctFeatures(t *testing.T) {
	frozen := Settings{Seed: 1, Data: Data{Name: "shapes", Images: 60}, Encoder: Encoder{Name: "resnet18", ImageSize: 64, Weights: "auto"}}
	drawn := frozen
	drawn.Encoder.Weights = "random"
	tuned := frozen
	tuned.Encoder.Train = EncoderTrain{Blocks: 2, FromEpoch: 3, LR: 1e-5}
	for _, c := range []struct {
		name   string
		from   Settings
		change func(*Settings)
		want   int
	}{
		{"model", frozen, func(s *Settings) { s.Model.Hidden = 7 }, 1},
		{"seed, trained weights", frozen, func(s *Settings) { s.Seed = 2 }, 1},
		{"seed, random weights", drawn, func(s *Settings) { s.Seed = 2 }, 2},
		{"size", frozen, func(s *Settings) { s.Encoder.ImageSize = 96 }, 2},
		{"how blocks are trained", tuned, func(s *Settings) { s.Encoder.Train = EncoderTrain{Blocks: 2, FromEpoch: 5, LR: 1e-4} }, 1},
		{"how many blocks are trained", tuned, func(s *Settings) { s.Encoder.Train.Blocks = 1 }, 2},
		{"data", frozen, func(s *Settings) { s.Data.Images = 80 }, 2},
		{"expected content", frozen, func(s *Settings) { s.Data.Content.Pictures = "aa" }, 1},
		{"place of the data", frozen, func(s *Settings) { s.Data.Root = "there" }, 1},
	} {
		trials := []Trial{{ID: "first", Settings: c.from}, {ID: "second", Settings: c.from}}
		c.change(&trials[1].Settings)
		kept := DistinctFeatures(append(trials, trials...))
		if len(kept) != c.want || kept[0].ID != "first" {
			t.Errorf("%s: kept %s, want %d", c.name, fmt.Sprint(kept), c.want)
		}
	}
}
