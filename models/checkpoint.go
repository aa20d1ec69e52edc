package models

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"glimpse/internal/atomicfile"
	"glimpse/internal/torch"
)

// checkpointState is the JSON file of a checkpoint: everything but tensors.
type checkpointState struct {
	Format          int    `json:"format"`
	WeightsSHA256   string `json:"weights_sha256"`   // of PATH.safetensors
	OptimizerSHA256 string `json:"optimizer_sha256"` // of PATH.optimizer.safetensors

	Epoch     int     `json:"epoch"`    // epochs that are done
	Step      int     `json:"step"`     // steps done of the epoch after those
	LossSum   float64 `json:"loss_sum"` // of those steps
	Captions  int     `json:"captions"` // in those steps
	Updates   int64   `json:"updates"`  // of the optimizer, over all epochs
	Plateau   plateau `json:"plateau"`
	Generator []byte  `json:"generator"` // of the device, for dropout
}

const checkpointFormat = 1

// Save writes a checkpoint: the weights to path.safetensors, which any reader
// of that format opens, the optimizer's moments to path.optimizer.safetensors
// and the rest to path.json, each atomically and the JSON, which has the others'
// checksums, last. It returns the sha256 of the weights' file.
func (c *Captioner) Save(path string) (sha string, err error) {
	state := checkpointState{
		Format: checkpointFormat, Epoch: c.epoch, Step: c.step, LossSum: c.lossSum, Captions: c.captions,
		Updates: c.optimizer.step, Plateau: c.schedule.plateau, Generator: c.generator,
	}
	err = torch.Run(func(s *torch.Scope) error {
		weights, err := c.read(s, "", c.params.tensors)
		if err != nil {
			return err
		}
		moments, err := c.read(s, "first.", c.optimizer.first)
		if err != nil {
			return err
		}
		second, err := c.read(s, "second.", c.optimizer.second)
		if err != nil {
			return err
		}
		if state.WeightsSHA256, err = writeSafetensors(path+".safetensors", weights); err != nil {
			return err
		}
		state.OptimizerSHA256, err = writeSafetensors(path+".optimizer.safetensors", append(moments, second...))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("saving a checkpoint: %w", err)
	}
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return "", fmt.Errorf("saving a checkpoint: %w", err)
	}
	err = atomicfile.Write(path+".json", func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	return state.WeightsSHA256, err
}

// read copies tensors, one for each parameter or none, out of the device.
func (c *Captioner) read(s *torch.Scope, prefix string, tensors []*torch.Tensor) ([]namedTensor, error) {
	var out []namedTensor
	for i, t := range tensors {
		values, err := s.Floats(t)
		if err != nil {
			return nil, err
		}
		out = append(out, namedTensor{prefix + c.params.shapes[i].name, c.params.shapes[i].sizes, values})
	}
	return out, nil
}

// Load restores what Save saved. A checkpoint that is damaged or of another
// architecture is refused and leaves the captioner as it was.
func (c *Captioner) Load(path string) error {
	text, err := os.ReadFile(path + ".json")
	if err != nil {
		return fmt.Errorf("loading a checkpoint: %w", err)
	}
	var state checkpointState
	if err := json.Unmarshal(text, &state); err != nil {
		return fmt.Errorf("loading the checkpoint %s.json: %w", path, err)
	}
	if state.Format != checkpointFormat {
		return fmt.Errorf("the checkpoint %s.json has format %d; this program reads format %d", path, state.Format, checkpointFormat)
	}
	weights, err := readSafetensors(path+".safetensors", state.WeightsSHA256)
	if err != nil {
		return err
	}
	moments, err := readSafetensors(path+".optimizer.safetensors", state.OptimizerSHA256)
	if err != nil {
		return err
	}
	found := make(map[string]namedTensor, len(weights)+len(moments))
	for _, t := range append(weights, moments...) {
		found[t.name] = t
	}
	groups := []struct {
		prefix  string
		tensors []*torch.Tensor
	}{{"", c.params.tensors}, {"first.", c.optimizer.first}, {"second.", c.optimizer.second}}
	for _, g := range groups {
		for i := range g.tensors {
			sh := c.params.shapes[i]
			if t, ok := found[g.prefix+sh.name]; !ok || !slices.Equal(t.shape, sh.sizes) {
				return fmt.Errorf("the checkpoint %s is of another model: %s%s should be of shape %v, it has %v", path, g.prefix, sh.name, sh.sizes, t.shape)
			}
		}
	}
	err = torch.Run(func(s *torch.Scope) error {
		for _, g := range groups {
			for i, t := range g.tensors {
				sh := c.params.shapes[i]
				s.CopyInto(t, s.FromFloats(torch.CPU, found[g.prefix+sh.name].data, sh.sizes...))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("loading the checkpoint %s: %w", path, err)
	}
	c.epoch, c.step, c.lossSum, c.captions = state.Epoch, state.Step, state.LossSum, state.Captions
	c.optimizer.step, c.schedule.plateau, c.generator = state.Updates, state.Plateau, state.Generator
	return nil
}
