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
		if err != nil || got.Regions != c.regions || got.Dim != c.dim {
			t.Errorf("%s at %d: %d×%d, %v; want %d×%d", c.name, c.size, got.Regions, got.Dim, err, c.regions, c.dim)
		}
	}
}

// TestCut holds what the last blocks of encoders are given, and how many numbers of theirs are trained, to counts by hand.
func TestCut(t *testing.T) {
	const head = 320 * 1280
	last := 192*1152 + 1152*9 + 1152*320 // of EfficientNet-Lite0: 1×1, 3×3 by channel, 1×1
	basic := 9 * 512 * 512
	for _, c := range []struct {
		name                       string
		size, blocks, regions, dim int
		parameters                 int
		err                        string
	}{
		{"efficientnet_lite0", 224, 0, 49, 1280, 0, ""},
		{"efficientnet_lite0", 224, 1, 49, 192, last + head, ""},
		{"efficientnet_lite0", 224, 2, 49, 192, 192*1152 + 1152*25 + 1152*192 + last + head, ""},
		{"efficientnet_lite0", 224, 5, 14 * 14, 112, 112*672 + 672*25 + 672*192 + 3*(192*1152+1152*25+1152*192) + last + head, ""},
		{"efficientnet_lite2", 224, 2, 49, 208, 208*1248 + 1248*25 + 1248*208 + 208*1248 + 1248*9 + 1248*352 + 352*1280, ""},
		{"efficientnet_lite0", 224, 16, 112 * 112, 32, 4652008 - 1281000 - 42016 - 864, ""}, // all but classifier, batch norms and stem
		{"efficientnet_lite0", 224, 17, 0, 0, 0, "encoder.train.blocks 17: efficientnet_lite0 has 16"},
		{"resnet18", 224, 1, 49, 512, 2 * basic, ""},
		{"resnet18", 225, 2, 15 * 15, 256, 256*512*9 + 256*512 + 3*basic, ""},
		{"resnet50", 224, 1, 49, 2048, 2048*512 + basic + 512*2048, ""},
		{"resnet50", 224, 3, 14 * 14, 1024, 1024*512 + basic + 512*2048 + 1024*2048 + 2*(2048*512+basic+512*2048), ""},
		{"inception_v3", 299, 1, 0, 0, 0, "encoder.train.blocks 1: inception_v3 has 0"},
	} {
		e, err := EncoderOf(c.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Cut(c.size, c.blocks)
		shapes, err2 := e.TrainedParameters(c.blocks)
		if c.err != "" {
			if err == nil || err2 == nil || !strings.Contains(err.Error(), c.err) || err2.Error() != err.Error() {
				t.Errorf("%s, %d blocks: %v, %v, want %q", c.name, c.blocks, err, err2, c.err)
			}
			continue
		}
		if err != nil || err2 != nil || got != (Features{c.regions, c.dim}) || Count(shapes) != int64(c.parameters) {
			t.Errorf("%s at %d, %d blocks: %v, %d parameters, %v, %v; want %d×%d and %d",
				c.name, c.size, c.blocks, got, Count(shapes), err, err2, c.regions, c.dim, c.parameters)
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
		features, err := e.Features(e.Usual, 32)
		if e.Name == Precomputed {
			if err == nil || e.Grid(224) != (Grid{}) || e.Frozen() {
				t.Errorf("%s: %+v, a grid %+v", e.Name, features, e.Grid(224))
			}
			continue
		}
		if side := e.Grid(e.Usual).Side; err != nil || features.Regions != side*side {
			t.Errorf("%s: %+v, %v on a grid of side %d", e.Name, features, err, side)
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
