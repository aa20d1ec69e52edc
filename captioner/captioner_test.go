package captioner

import (
	"slices"
	"strings"
	"testing"
)

func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		name         string
		size         int
		regions, dim int
		err          string
	}{
		{"cnn", 64, 64, 64, ""},
		{"cnn", 20, 9, 64, ""},
		{"cnn", 15, 0, 0, "encoder.image_size 15: cnn needs at least 16"},
		{"efficientnet_lite0", 224, 49, 1280, ""},
		{"efficientnet_lite0", 240, 49, 1280, ""}, // padded for 224: 7 on a side, not ⌈240/32⌉
		{"efficientnet_lite2", 224, 49, 1280, ""},
		{"efficientnet_lite2", 260, 81, 1280, ""},
		{"efficientnet_lite2", 288, 81, 1280, ""},
		{"resnet18", 224, 49, 512, ""},
		{"resnet50", 225, 64, 2048, ""},
		{"inception_v3", 299, 64, 2048, ""},
		{"inception_v3", 75, 1, 2048, ""},
		{"inception_v3", 74, 0, 0, "needs at least 75"},
		{"resnet18", 31, 0, 0, "needs at least 32"},
	} {
		e, err := EncoderOf(c.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Features(c.size, 32)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s at %d: %v, want %q", c.name, c.size, err, c.err)
			}
			continue
		}
		if err != nil || got.Regions() != c.regions || got.Dim != c.dim {
			t.Errorf("%s at %d: %d×%d, %v; want %d×%d", c.name, c.size, got.Regions(), got.Dim, err, c.regions, c.dim)
		}
	}
}

func TestNames(t *testing.T) {
	if _, err := EncoderOf("vgg16"); err == nil || !strings.Contains(err.Error(), `encoder.name "vgg16": want one of cnn, efficientnet_lite0, `) {
		t.Error(err)
	}
	if _, err := ArmOf("hard"); err == nil || !strings.Contains(err.Error(), `model.attention "hard": want one of none, soft, adaptive, uniform`) {
		t.Error(err)
	}
	if _, err := CellOf("rnn"); err == nil || !strings.Contains(err.Error(), `model.cell "rnn": want one of gru, lstm`) {
		t.Error(err)
	}
	for _, e := range Encoders {
		if _, err := e.Features(e.Usual, 32); err != nil {
			t.Error(err)
		}
	}
}

// TestParameters counts by hand: E=2, H=3, K=4, D=5, V=7, one layer.
func TestParameters(t *testing.T) {
	z := Sizes{Vocabulary: 7, Features: 5, Embedding: 2, Hidden: 3, Attention: 4, Layers: 1}
	none := 7*2 + (5*2 + 2) + (5*3 + 3) + (3*3*4 + 3*3*3 + 2*3*3) + (3*7 + 7)
	uniform := none + 5*3 + 3
	soft := uniform + 3*4 + 3*4 + 4
	adaptive := soft + (4*3 + 3) + (3*3 + 3) + 3*4
	memory := (3*4 + 3*3 + 2*3) + (5*3 + 3) // a fourth gate, and the first memory
	for cell, more := range map[string]int{"gru": 0, "lstm": memory} {
		c, err := CellOf(cell)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"none": none, "uniform": uniform, "soft": soft, "adaptive": adaptive} {
			a, err := ArmOf(name)
			if err != nil {
				t.Fatal(err)
			}
			shapes := a.Parameters(c, z)
			if got := Count(shapes); got != int64(want+more) {
				t.Errorf("%s, %s: %d parameters, want %d", name, cell, got, want+more)
			}
			var names []string
			for _, s := range shapes {
				names = append(names, s.Name)
			}
			slices.Sort(names)
			if len(slices.Compact(names)) != len(shapes) {
				t.Errorf("%s, %s: a name twice among %v", name, cell, names)
			}
		}
	}
	if got, want := Count(JointParameters(2)), int64(9*(5*2+2*4+4*4+4*4)+2+4+4+4); got != want {
		t.Errorf("the joint encoder: %d parameters, want %d", got, want)
	}
}
