package planning

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
)

// TestNeeded holds that views but the plain one are of training pictures alone, and what they take of the cache.
func TestNeeded(t *testing.T) {
	s := experiments.Settings{
		Data: experiments.Data{
			Name: "shapes", Split: "official", Images: 60, MinCount: 1, CaptionsPerImage: 5, Vocabulary: "train",
			Augment: experiments.Augment{Flip: true, Crops: 2},
		},
		Encoder: experiments.Encoder{Name: "resnet18", ImageSize: 64, Weights: "auto"},
	}
	joint := s
	joint.Encoder = experiments.Encoder{Name: "cnn", ImageSize: 64, Channels: 4}
	needed, err := new(Sets).Needed([]experiments.Trial{{Settings: s}, {Settings: joint}, {Settings: s}})
	if err != nil || len(needed) != 2 {
		t.Fatalf("%+v, %v: want features of two encoders", needed, err)
	}
	n := needed[0]
	if want := int64(2*4*512) * int64(60+5*n.Trained); n.Images != 60 || n.Trained < 30 || n.Trained == 60 || n.Views != 6 || n.Bytes != want {
		t.Errorf("%+v: want 6 views of the training pictures, %d bytes", n, want)
	}
	if needed[1].Bytes != 0 {
		t.Errorf("%+v: want no cache", needed[1])
	}
}

// TestFill holds that each encoder is asked once, what is told of that, and that an error names what was computed.
func TestFill(t *testing.T) {
	small := experiments.Settings{
		Data:    experiments.Data{Name: "shapes", Split: "official", Images: 60, MinCount: 1, CaptionsPerImage: 5, Vocabulary: "train"},
		Encoder: experiments.Encoder{Name: "resnet18", ImageSize: 64, Weights: "auto"},
	}
	large := small
	large.Encoder.ImageSize = 96
	large.Encoder.Train.Blocks = 1
	trials := []experiments.Trial{{Settings: small}, {Settings: large}, {Settings: small}}
	var told []string
	done, err := new(Sets).Fill(t.Context(), trials,
		func(_ context.Context, s experiments.Settings, _ *data.Dataset, progress func(done, total int)) error {
			if s.Encoder.ImageSize == 64 { // all of the other are there
				progress(1, 5)
				progress(5, 5)
			}
			return nil
		},
		func(encoder string, done, total int) {
			told = append(told, fmt.Sprintf("%s %d/%d", encoder, done, total))
		})
	if err != nil || len(done) != 2 {
		t.Fatalf("%+v, %v: want features of two sizes", done, err)
	}
	if f := done[0]; f.Data != "shapes" || f.Encoder != "resnet18" || f.ImageSize != 64 || f.Images != 60 || f.Computed != 5 {
		t.Errorf("%+v: want 5 computed of 60 images of 64 pixels", f)
	}
	if f := done[1]; f.ImageSize != 96 || f.Computed != 0 || f.Name() != "resnet18 below its last 1 block" {
		t.Errorf("%+v: want none computed of 96 pixels", f)
	}
	if got := strings.Join(told, ", "); got != "resnet18 1/5, resnet18 5/5" {
		t.Errorf("progress told %s", got)
	}

	full := errors.New("the disk is full")
	_, err = new(Sets).Fill(t.Context(), trials,
		func(context.Context, experiments.Settings, *data.Dataset, func(done, total int)) error { return full }, nil)
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "features of shapes by resnet18: ") {
		t.Errorf("error %v: want the data set, the encoder and %v", err, full)
	}
}
