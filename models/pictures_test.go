package models

import (
	"math"
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

// saved is an untrained captioner, which seldom ends a caption by itself, with its checkpoint; the features of a frozen
// encoder are in the cache.
func saved(t *testing.T, s experiments.Settings, d *data.Dataset, cache string) (*Captioner, string) {
	t.Helper()
	engine := Engine{CacheDir: cache, Device: torch.CPU, Threads: 1}
	if err := engine.Features(t.Context(), s, d, nil); err != nil {
		t.Fatal(err)
	}
	c, err := engine.Captioner(s, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if s.Encoder.Train.Blocks > 0 { // whose weights are then not those to begin with
		if _, err := c.TrainEpoch(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	if _, err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	return c, path
}

// A picture on its own gets the caption that it gets as part of its data set, from either kind of encoder, and the very
// features that the cache has from a frozen one.
func TestPicturesCaptionAsTheDataSetDoes(t *testing.T) {
	d := smallScenes(t)
	for _, encoder := range []experiments.Encoder{
		{Name: "cnn", ImageSize: 32, Channels: 4},
		{Name: "efficientnet_lite0", ImageSize: 64, Weights: "random"},
		{Name: "efficientnet_lite0", ImageSize: 64, Weights: "random", Train: experiments.EncoderTrain{Blocks: 2, FromEpoch: 1, LR: 1e-2}},
	} {
		for _, arm := range []string{"none", "adaptive"} {
			s := smallSettings(arm)
			s.Encoder = encoder
			cache := t.TempDir()
			c, checkpoint := saved(t, s, d, cache)
			want, err := c.Caption(t.Context(), d.Splits["test"], s.Decode, true)
			if err != nil {
				t.Fatal(err)
			}
			vocabulary, err := CheckpointVocabulary(checkpoint)
			if err != nil || !slices.Equal(vocabulary, d.Vocabulary.Words) {
				t.Fatalf("vocabulary of the checkpoint: %v, %v", vocabulary, err)
			}
			p, err := Engine{CacheDir: cache, Device: torch.CPU, Threads: 3}.Pictures(t.Context(), s, checkpoint, vocabulary)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			var pixels [][]uint8
			for _, i := range d.Splits["test"] {
				rgb, err := d.Pixels(i, p.Size())
				if err != nil {
					t.Fatal(err)
				}
				pixels = append(pixels, rgb)
			}
			got, err := p.Caption(t.Context(), pixels, s.Decode)
			if err != nil {
				t.Fatal(err)
			}
			if p.frozen != nil {
				cached, _ := cachedRows(t, cache, s, d, d.Splits["test"])
				if rows, err := p.rows(t.Context(), pixels); err != nil || !slices.Equal(rows, slices.Concat(cached...)) {
					t.Errorf("%s: other features than in the cache, %v", arm, err)
				}
			}
			for i := range want {
				if len(want[i].Words) == 0 || !slices.Equal(got[i].Words, want[i].Words) || got[i].Image != i || math.Abs(got[i].LogProb-want[i].LogProb) > 1e-4 {
					t.Errorf("%s, %s, picture %d: %q (%v), want %q (%v)", encoder.Name, arm, i, got[i].Words, got[i].LogProb, want[i].Words, want[i].LogProb)
				}
				if p.Looks() != (arm == "adaptive") || p.Looks() && len(got[i].Alpha) != len(got[i].Words) {
					t.Errorf("%s, %s: %d maps for %d words", encoder.Name, arm, len(got[i].Alpha), len(got[i].Words))
				}
			}
		}
	}
}

func TestPicturesRefuse(t *testing.T) {
	d, s := smallScenes(t), smallSettings("soft")
	_, checkpoint := saved(t, s, d, "")
	engine := Engine{Device: torch.CPU, Threads: 1}
	others := newSmall(t, s, scenes(t, 60))
	if err := others.Load(checkpoint); err == nil || !strings.Contains(err.Error(), "has another vocabulary") {
		t.Errorf("another vocabulary: %v", err)
	}
	if _, err := engine.Pictures(t.Context(), s, checkpoint, d.Vocabulary.Words[:9]); err == nil || !strings.Contains(err.Error(), "of another model: embed.weight") {
		t.Errorf("a smaller vocabulary: %v", err)
	}
	if _, err := engine.Pictures(t.Context(), s, checkpoint+"s", d.Vocabulary.Words); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no checkpoint: %v", err)
	}
	p, err := engine.Pictures(t.Context(), s, checkpoint, d.Vocabulary.Words)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Caption(t.Context(), [][]uint8{make([]uint8, 7)}, s.Decode); err == nil || !strings.Contains(err.Error(), "has 7 bytes") {
		t.Errorf("7 bytes: %v", err)
	}
	if made, err := p.Caption(t.Context(), nil, s.Decode); err != nil || len(made) != 0 {
		t.Errorf("no pictures: %v, %v", made, err)
	}
}

// Reading a caption gives what was recorded while it was written, and on another picture something else.
func TestExplain(t *testing.T) {
	d := smallScenes(t)
	for _, a := range captioner.Arms {
		arm := a.Name
		s := smallSettings(arm)
		c, _ := saved(t, s, d, "")
		want, err := c.Caption(t.Context(), d.Splits["test"], s.Decode, true)
		if err != nil {
			t.Fatal(err)
		}
		got, other := slices.Clone(want), slices.Clone(want)
		for i := range got {
			got[i].Beta, got[i].Entropy, got[i].Alpha = []float64{7}, []float64{7}, nil // to be replaced
			other[i].Image = want[(i+1)%len(want)].Image
		}
		if err := c.Explain(t.Context(), got); err != nil {
			t.Fatal(err)
		}
		if err := c.Explain(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if !a.Scores {
			if got[0].Alpha != nil || want[0].Alpha != nil {
				t.Errorf("%s has maps", arm)
			}
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read as %v, want %v", arm, got[0], want[0])
		}
		if reflect.DeepEqual(other[0].Alpha, want[0].Alpha) {
			t.Errorf("%s: looks alike on another picture", arm)
		}
		for _, caption := range got {
			for k, alpha := range caption.Alpha {
				sum := 0.0
				for _, v := range alpha {
					sum += float64(v)
				}
				if a.Sentinel {
					sum += caption.Beta[k]
				}
				if len(alpha) != 16 || math.Abs(sum-1) > 1e-5 {
					t.Errorf("%s: %d weights with a sum of %v", arm, len(alpha), sum)
				}
			}
		}
	}
	c, _ := saved(t, smallSettings("soft"), d, "")
	strange := []data.Caption{{Image: 0}, {Image: 1, Words: []string{"never", "heard", "of"}}}
	if err := c.Explain(t.Context(), strange); err != nil || len(strange[0].Alpha) != 0 || len(strange[1].Alpha) != 3 {
		t.Errorf("an empty caption and unknown words: %v, %v", strange, err)
	}
}

// The regions lie where GridOf says: a speck on a grey picture moves the features of the cells around it, and the middle
// of what moves is at the speck.
func TestGridLiesOverThePicture(t *testing.T) {
	for name, size := range map[string]int{"cnn": 64, "efficientnet_lite0": 224, "efficientnet_lite2": 224, "resnet18": 224} {
		settings := smallSettings("soft")
		settings.Encoder = experiments.Encoder{Name: name, ImageSize: size, Channels: 8, Weights: "random"}
		d := smallScenes(t)
		c, err := Engine{Device: torch.CPU, Threads: 1, CacheDir: t.TempDir()}.Pictures(t.Context(), settings, savedFresh(t, settings, d), d.Vocabulary.Words)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var off [2]float64
		places := make([]float64, 6) // over one cell: the middle is known no better at one place
		for i := range places {
			places[i] = 0.45 + c.Grid().Step*float64(i)/float64(len(places))
		}
		for _, place := range places {
			x, y, err := speck(c, place, 1-place)
			if err != nil {
				t.Fatal(err)
			}
			off[0] += (x - place) / float64(len(places))
			off[1] += (y - (1 - place)) / float64(len(places))
		}
		t.Logf("%s: %+v, off by %.3f and %.3f", name, c.Grid(), off[0], off[1])
		if math.Abs(off[0]) > 0.03 || math.Abs(off[1]) > 0.03 {
			t.Errorf("%s: regions are off by %.3f and %.3f of the picture's side", name, off[0], off[1])
		}
	}
}

// savedFresh is the checkpoint of an untrained captioner.
func savedFresh(t *testing.T, s experiments.Settings, d *data.Dataset) string {
	t.Helper()
	var src source
	features, err := s.Encoder.Features()
	if err != nil {
		t.Fatal(err)
	}
	src = &noFeatures{dimension: features.Dim}
	if s.Encoder.Name == captioner.Joint {
		src, err = newCNNSource(d, torch.CPU, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCaptioner(s, d, torch.CPU, src)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	path := filepath.Join(t.TempDir(), "fresh")
	if _, err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// noFeatures stands for a frozen encoder that is never asked.
type noFeatures struct {
	cachedSource
	dimension int
}

func (n *noFeatures) dim() int     { return n.dimension }
func (n *noFeatures) close() error { return nil }

func (n *noFeatures) hashes() map[string]string { return nil }

// speck draws a bright square around (x, y), in fractions of the side, and gives the middle of what it changes.
func speck(p *Pictures, x, y float64) (midX, midY float64, err error) {
	size := p.Size()
	plain := make([]uint8, 3*size*size)
	for i := range plain {
		plain[i] = 110
	}
	marked := slices.Clone(plain)
	half := max(1, size/40)
	for v := int(y*float64(size)) - half; v < int(y*float64(size))+half; v++ {
		for u := int(x*float64(size)) - half; u < int(x*float64(size))+half; u++ {
			copy(marked[3*(v*size+u):], []uint8{255, 255, 255})
		}
	}
	var values []float32
	var dim int
	err = torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			f, err := p.features(s, [][]uint8{plain, marked})
			if err != nil {
				return err
			}
			dim = int(f.Size(2))
			values, err = s.Floats(f)
			return err
		})
	})
	if err != nil {
		return 0, 0, err
	}
	g := p.Grid()
	each := g.Side * g.Side * dim
	total := 0.0
	for r := range g.Side * g.Side {
		moved := 0.0
		for k := range dim {
			d := float64(values[each+r*dim+k] - values[r*dim+k])
			moved += d * d
		}
		total += moved
		midX += moved * (g.First + g.Step*float64(r%g.Side))
		midY += moved * (g.First + g.Step*float64(r/g.Side))
	}
	return midX / total, midY / total, nil
}
