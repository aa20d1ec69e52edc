package models

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// The logits that are written are those that the caption was drawn from: its words' log probabilities sum to the caption's.
func TestWrittenLogitsGiveTheCaptionsProbability(t *testing.T) {
	d := smallScenes(t)
	for _, encoder := range []experiments.Encoder{
		{Name: "cnn", ImageSize: 32, Channels: 4},
		{Name: "efficientnet_lite0", ImageSize: 64, Weights: "random"},
	} {
		eachArm(t, func(t *testing.T, a captioner.Arm, cell captioner.Cell) {
			s := smallSettings(a.Name)
			s.Encoder, s.Model.Layers, s.Model.Cell = encoder, 2, cell.Name
			cache := t.TempDir()
			_, checkpoint := saved(t, s, d, cache)
			p, err := Engine{CacheDir: cache, Device: torch.CPU, Threads: 1}.Pictures(t.Context(), s, checkpoint, d.Vocabulary.Words)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			rgb, err := d.Pixels(3, p.Size())
			if err != nil {
				t.Fatal(err)
			}
			captions, err := p.Caption(t.Context(), [][]uint8{rgb}, experiments.Decode{Beam: 1, MaxLength: 7})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "logits.safetensors")
			if err := p.WriteLogits(t.Context(), path, rgb, captions[0].Words); err != nil {
				t.Fatal(err)
			}
			checkLogits(t, encoder.Name, path, captions[0], p)
		})
	}
}

func checkLogits(t *testing.T, what, path string, c data.Caption, p *Pictures) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	tensors, err := readSafetensors(path, hex.EncodeToString(sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]namedTensor{}
	for _, tensor := range tensors {
		held[tensor.name] = tensor
	}
	logits, words := held["logits"], held["words"].data
	if held["pixels"].shape[1] != int64(p.size) || held["features"].shape[1] != int64(p.encoder.Dim()) ||
		len(words) != len(c.Words)+1 || words[0] != data.StartID || logits.shape[0] != int64(len(words)) {
		t.Fatalf("%s: %d words as %v, tensors of %v, %v, %v", what, len(c.Words), words, held["pixels"].shape, held["features"].shape, logits.shape)
	}
	next := append(words[1:], data.EndID)
	if len(c.Words) == 7 {
		next = next[:7] // cut: no </s> was drawn
	}
	v, total := int(logits.shape[1]), 0.0
	for at, id := range next {
		row, all := logits.data[at*v:(at+1)*v], 0.0
		for _, x := range row {
			all += math.Exp(float64(x))
		}
		total += float64(row[int(id)]) - math.Log(all)
	}
	if math.Abs(total-c.LogProb) > 1e-4 {
		t.Errorf("%s: %q has the log probability %v, by its logits %v", what, c.Words, c.LogProb, total)
	}
}
