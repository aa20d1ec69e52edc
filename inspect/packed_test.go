package inspect

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/experiments"
)

// packer is a colourNamer that packs descriptions alone.
type packer struct{ colourNamer }

func (p *packer) Pack(path, _, description string, half bool) error {
	return os.WriteFile(path, fmt.Appendf(nil, "%s%v", description, half), 0o666)
}

func (p *packer) PackedDescription(path string) (string, error) {
	text, err := os.ReadFile(path)
	return strings.TrimSuffix(string(text), "true"), err
}

func (p *packer) PackedPictures(_ context.Context, _ experiments.Settings, _ string, vocabulary []string) (PictureCaptioner, error) {
	p.spoken = vocabulary
	return &p.colourNamer, nil
}

// TestPacked holds that a packed captioner captions by the run's decoding and vocabulary, without
// its database, and tells no place of the machine that packed it.
func TestPacked(t *testing.T) {
	db := trained(t)
	t.Chdir(t.TempDir())
	engine := &packer{colourNamer{vocabulary: []string{"<pad>", "red"}, looks: true}}
	o := Opener{DB: db, Engine: engine}
	path := filepath.Join("new", "small.safetensors")
	made, err := o.Pack(t.Context(), "aaaa", PackOptions{Path: path, Licence: "CC0-1.0"})
	if err != nil || made.Path != path || made.Precision != "half" {
		t.Fatalf("packed %+v, %v", made, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(text), "true") || strings.Contains(string(text), path) {
		t.Errorf("half precision is not asked for, or the path is in the file: %s, %v", text, err)
	}
	p, err := OpenPacked(engine, path)
	if err != nil || p.Source != "shapes" || p.Licence != "CC0-1.0" || p.Epoch != 1 || p.Run != "aaaa" {
		t.Fatalf("opened %+v, %v", p, err)
	}
	if !strings.HasPrefix(p.Summary(), "captioner small: ") || !strings.HasSuffix(p.Summary(), " attention, trained on shapes; not scored") {
		t.Errorf("summary %q", p.Summary())
	}
	p.Scores, p.Split = map[string]float64{"cider": 0.519, "bleu4": 0.203}, "test"
	if !strings.HasSuffix(p.Summary(), "; test CIDEr 51.9, BLEU-4 20.3") {
		t.Errorf("summary %q", p.Summary())
	}
	paint(t, "red.png", color.RGBA{200, 0, 0, 255})
	var captions []string
	alone := Opener{Engine: engine}
	_, err = alone.CaptionPacked(t.Context(), p, []Picture{{"red.png", "red.png"}}, CaptionOptions{Attention: "looks"}, func(c Captioned) error {
		captions = append(captions, c.Caption, c.Attention)
		return nil
	})
	if want := []string{"red 200", filepath.Join("looks", "red.attention.png")}; err != nil || !slices.Equal(captions, want) {
		t.Errorf("captions %q, want %q; %v", captions, want, err)
	}
	if engine.beam != 3 || !slices.Equal(engine.spoken, engine.vocabulary) {
		t.Errorf("beam %d, want the run's 3; vocabulary %q", engine.beam, engine.spoken)
	}
}

// TestPackedRefused holds what is said of descriptions that no packed captioner has.
func TestPackedRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.safetensors")
	for text, want := range map[string]string{
		"":              "cannot read its description",
		`{"format": 2}`: "has format 2, but this program reads format 1",
		`{"format": 1}`: "has no vocabulary",
		`{"format": 1, "settings": {"model": {"hidden": 999999999}}}`: "its settings are not valid",
		`{"format": "no, two"}`: "cannot read its description",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenPacked(&packer{}, path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q and the path", text, err, want)
		}
	}
}
