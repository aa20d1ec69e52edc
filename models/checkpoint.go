package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
	"glimpse/internal/torch"
)

// checkpointState is the JSON file of a checkpoint: everything but tensors.
type checkpointState struct {
	Format          int    `json:"format"`
	WeightsSHA256   string `json:"weights_sha256"`   // of PATH.safetensors
	OptimizerSHA256 string `json:"optimizer_sha256"` // of PATH.optimizer.safetensors

	Epoch     int     `json:"epoch"`                     // completed epochs
	Step      int     `json:"step"`                      // completed steps of the next epoch
	LossSum   float64 `json:"loss_sum"`                  // of those steps
	Captions  int     `json:"captions"`                  // in those steps
	Updates   int64   `json:"updates"`                   // of the optimizer, since its stage of training began
	Encoder   int64   `json:"encoder_updates,omitempty"` // of the encoder's last blocks, likewise
	Plateau   plateau `json:"plateau"`
	Generator []byte  `json:"generator"` // of the device, for dropout

	// Of reinforcement: the state of the generator that samples captions, a PCG of math/rand/v2, and what was
	// sampled in the steps done.
	Sampler []byte        `json:"sampler,omitempty"`
	Samples *data.Samples `json:"samples,omitempty"`

	// Vocabulary are the words by id, so that pictures can be captioned without the data set; nil
	// in checkpoints of earlier versions.
	Vocabulary []string `json:"vocabulary,omitempty"`

	// SHA256 is the hash of this file with zeros instead of these 64 digits.
	SHA256 string `json:"sha256"`
}

const (
	checkpointFormat   = 2
	unsignedCheckpoint = 1 // a format that lacks SHA256
)

// noSHA256 is the placeholder for a checksum while it is computed.
var noSHA256 = strings.Repeat("0", hex.EncodedLen(sha256.Size))

// Save writes a checkpoint: the weights to path.safetensors, which any reader of that format can
// open, the optimizer's moments to path.optimizer.safetensors and the rest to path.json. Each is
// written atomically, and last the JSON, which contains the others' checksums and its own. It
// returns the SHA-256 of the weights' file.
func (c *Captioner) Save(path string) (sha string, err error) {
	state := checkpointState{
		Format: checkpointFormat, Epoch: c.epoch, Step: c.step, LossSum: c.lossSum, Captions: c.captions,
		Updates: c.optimizer.step, Plateau: c.schedule.plateau, Generator: c.generator,
		Vocabulary: c.dataset.Vocabulary.Words, SHA256: noSHA256,
	}
	if c.sampler != nil {
		if state.Sampler, err = c.sampler.MarshalBinary(); err != nil {
			return "", fmt.Errorf("save the checkpoint: %w", err)
		}
		state.Samples = &c.samples
	}
	if c.encoder != nil {
		state.Encoder = c.encoder.step
	}
	err = torch.Run(func(s *torch.Scope) error {
		weights, err := c.read(s, "", c.params.tensors)
		if err != nil {
			return err
		}
		first, second := c.moments()
		moments, err := c.read(s, "first.", first)
		if err != nil {
			return err
		}
		seconds, err := c.read(s, "second.", second)
		if err != nil {
			return err
		}
		if state.WeightsSHA256, err = writeSafetensors(path+".safetensors", weights); err != nil {
			return err
		}
		state.OptimizerSHA256, err = writeSafetensors(path+".optimizer.safetensors", append(moments, seconds...))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("save the checkpoint: %w", err)
	}
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return "", fmt.Errorf("save the checkpoint: %w", err)
	}
	text = append(text, '\n')
	text = replaceLast(text, noSHA256, hexSHA256(text))
	err = atomicfile.WriteMode(path+".json", private.Mode(filepath.Dir(path)), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	return state.WeightsSHA256, err
}

func hexSHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// replaceLast returns a copy of text with the last old, if there is one, replaced by new.
func replaceLast(text []byte, old, new string) []byte {
	at := bytes.LastIndex(text, []byte(old))
	if at < 0 {
		return text
	}
	return slices.Concat(text[:at], []byte(new), text[at+len(old):])
}

// moments are those of all parameters; SGD has no second ones.
func (c *Captioner) moments() (first, second []*torch.Tensor) {
	for _, o := range c.optimizers() {
		first, second = append(first, o.first...), append(second, o.second...)
	}
	return first, second
}

// read copies tensors, one for each parameter or none, out of the device.
func (c *Captioner) read(s *torch.Scope, prefix string, tensors []*torch.Tensor) ([]namedTensor, error) {
	var out []namedTensor
	for i, t := range tensors {
		values, err := s.Floats(t)
		if err != nil {
			return nil, err
		}
		out = append(out, namedTensor{prefix + c.params.shapes[i].Name, c.params.shapes[i].Sizes, values})
	}
	return out, nil
}

// Load restores what Save saved. For a checkpoint that is damaged or has another architecture or
// vocabulary it returns an error and leaves the captioner unchanged.
func (c *Captioner) Load(path string) error {
	state, err := readState(path)
	if err != nil {
		return err
	}
	if v := c.dataset.Vocabulary.Words; state.Vocabulary != nil && !slices.Equal(state.Vocabulary, v) {
		return fmt.Errorf("checkpoint %s has another vocabulary (%d words) than the data set (%d words)", path, len(state.Vocabulary), len(v))
	}
	sampler, samples, err := state.sampling()
	if err != nil {
		return fmt.Errorf("load checkpoint %s.json: %w", path, err)
	}
	weights, err := readSafetensors(path+".safetensors", state.WeightsSHA256)
	if err != nil {
		return err
	}
	moments, err := readSafetensors(path+".optimizer.safetensors", state.OptimizerSHA256)
	if err != nil {
		return err
	}
	first, second := c.moments()
	err = restore(path, append(weights, moments...), c.params.shapes,
		tensorGroup{"", c.params.tensors}, tensorGroup{"first.", first}, tensorGroup{"second.", second})
	if err != nil {
		return err
	}
	c.epoch, c.step, c.lossSum, c.captions = state.Epoch, state.Step, state.LossSum, state.Captions
	c.optimizer.step, c.schedule.plateau, c.generator = state.Updates, state.Plateau, state.Generator
	c.sampler, c.samples = sampler, samples
	if c.encoder != nil {
		c.encoder.step = state.Encoder
	}
	return nil
}

// sampling is the state of reinforcement; the generator is nil before it.
func (c checkpointState) sampling() (sampler *rand.PCG, samples data.Samples, err error) {
	if c.Sampler == nil {
		return nil, samples, nil
	}
	sampler = new(rand.PCG)
	if err := sampler.UnmarshalBinary(c.Sampler); err != nil {
		return nil, samples, fmt.Errorf("it is damaged: the state of its sampler: %w", err)
	}
	if c.Samples != nil {
		samples = *c.Samples
	}
	return sampler, samples, nil
}

// readState reads the JSON file of a checkpoint.
func readState(path string) (state checkpointState, err error) {
	text, err := os.ReadFile(path + ".json")
	if err != nil {
		return state, fmt.Errorf("load the checkpoint: %w", err)
	}
	if state, err = parseState(text); err != nil {
		return state, fmt.Errorf("load checkpoint %s.json: %w", path, err)
	}
	return state, nil
}

// parseState parses such a file. It does not verify a file of the first format, which has no
// checksum.
func parseState(text []byte) (state checkpointState, err error) {
	if err := json.Unmarshal(text, &state); err != nil {
		return state, fmt.Errorf("it is damaged: %w", err)
	}
	if state.Format != checkpointFormat && state.Format != unsignedCheckpoint {
		return state, fmt.Errorf("it has format %d, but this program reads only formats up to %d: upgrade glimpse", state.Format, checkpointFormat)
	}
	if state.Format == checkpointFormat || state.SHA256 != "" {
		if got := hexSHA256(replaceLast(text, state.SHA256, noSHA256)); got != state.SHA256 {
			return state, fmt.Errorf("it is damaged: its sha256 is %s, not %q", got, state.SHA256)
		}
	}
	if min(state.Epoch, state.Step, state.Captions) < 0 || min(state.Updates, state.Encoder) < 0 {
		return state, errors.New("it is damaged: it contains negative counts")
	}
	return state, nil
}

// CheckpointVocabulary returns the words, by id, of a checkpoint's captioner; nil for a
// checkpoint of an earlier version.
func CheckpointVocabulary(path string) ([]string, error) {
	state, err := readState(path)
	return state.Vocabulary, err
}

// tensorGroup is a tensor for each parameter, or none: the parameters themselves, or
// moments of an optimizer, whose names in a checkpoint have a prefix.
type tensorGroup struct {
	prefix  string
	tensors []*torch.Tensor
}

func byName(held []namedTensor) map[string]namedTensor {
	found := make(map[string]namedTensor, len(held))
	for _, t := range held {
		found[t.name] = t
	}
	return found
}

// checkShapes returns an error if a checkpoint lacks a tensor of these shapes, or one has another
// shape.
func checkShapes(path string, found map[string]namedTensor, shapes []captioner.Shape, prefix string) error {
	for _, sh := range shapes {
		if t, ok := found[prefix+sh.Name]; !ok || !slices.Equal(t.shape, sh.Sizes) {
			return fmt.Errorf("checkpoint %s is of another model: %s%s must have shape %v, but has %v", path, prefix, sh.Name, sh.Sizes, t.shape)
		}
	}
	return nil
}

// restore copies the contents of a checkpoint into groups of tensors of these shapes: all of it,
// or nothing if it is of another model.
func restore(path string, held []namedTensor, shapes []captioner.Shape, groups ...tensorGroup) error {
	found := byName(held)
	for _, g := range groups {
		if len(g.tensors) == 0 {
			continue
		}
		if err := checkShapes(path, found, shapes, g.prefix); err != nil {
			return err
		}
	}
	err := torch.Run(func(s *torch.Scope) error {
		for _, g := range groups {
			for i, t := range g.tensors {
				s.CopyInto(t, s.FromFloats(torch.CPU, found[g.prefix+shapes[i].Name].data, shapes[i].Sizes...))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load checkpoint %s: %w", path, err)
	}
	return nil
}
