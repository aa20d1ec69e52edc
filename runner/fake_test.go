package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/atomicfile"
)

// fault makes a fake trial go wrong. It reaches trial processes as JSON in the
// environment.
type fault struct {
	Seed    int64  // of the trial; 0 is every trial
	Attempt int64  // of the trial; 0 is every attempt
	Kind    string // see strike and trialMain; disk fails Save
	Epoch   int    // from 1
	Step    int    // from 1
	Sleep   time.Duration

	Features string // content of the features that the captioner finds
}

// fakeEngine makes captioners without a network: their weights are a hash chain
// over all they were trained on, so that whatever is skipped, repeated or
// reordered shows in the captions.
type fakeEngine struct {
	fault   fault
	attempt int64
	touched func() // called when features are asked for
}

func (e *fakeEngine) Features(_ context.Context, _ experiments.Settings, d *data.Dataset, _ string, _ int, progress func(done, total int)) error {
	if e.touched != nil {
		e.touched()
	}
	progress(len(d.Images), len(d.Images))
	return nil
}

func (e *fakeEngine) Captioner(s experiments.Settings, d *data.Dataset) (Captioner, error) {
	c := &fakeCaptioner{settings: s, data: d}
	if f := e.fault; (f.Seed == 0 || f.Seed == s.Seed) && (f.Attempt == 0 || f.Attempt == e.attempt) {
		c.fault = f
	}
	c.state.Weights = c.mix(fmt.Sprint(s.Seed, s.Model))
	return c, nil
}

type fakeCaptioner struct {
	settings experiments.Settings
	data     *data.Dataset
	fault    fault
	state    fakeState
}

// fakeState is all that a checkpoint has to hold.
type fakeState struct {
	Weights     uint64
	Epoch, Step int
	Loss        float64
	Captions    int
	Validated   float64
	Sampled     *data.Samples // nil before reinforcement
}

// mix is a hash of the weights and a text.
func (c *fakeCaptioner) mix(text string) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", c.state.Weights, text))
	return binary.BigEndian.Uint64(sum[:])
}

func (c *fakeCaptioner) Parameters() int64 { return int64(c.settings.Model.Hidden) }

func (c *fakeCaptioner) Hashes() map[string]string {
	return map[string]string{"features": "f", "features_content": c.fault.Features}
}

func (c *fakeCaptioner) TrainEpoch(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error) {
	return c.epoch(ctx, progress, func([]int) float64 { return 1 + float64(c.state.Weights%1000)/1000 })
}

func (c *fakeCaptioner) Reinforce(path string) error {
	done := c.state.Epoch
	if err := c.Load(path); err != nil {
		return err
	}
	c.state.Epoch, c.state.Weights, c.state.Sampled = done, c.mix("reinforced"), &data.Samples{}
	return nil
}

// ReinforceEpoch samples the same few words for each image.
func (c *fakeCaptioner) ReinforceEpoch(ctx context.Context, reward data.Reward, progress func(step, steps int, loss float64)) (data.EpochResult, error) {
	if c.state.Sampled == nil {
		return data.EpochResult{}, errors.New("reinforcement has not begun")
	}
	sampled := *c.state.Sampled
	result, err := c.epoch(ctx, progress, func(images []int) float64 {
		captions, words := make([][]int64, len(images)), make([][]string, len(images))
		for i, image := range images {
			captions[i] = []int64{4 + int64(c.mix(fmt.Sprint(image))%3), data.EndID}
			for _, id := range captions[i] {
				words[i] = append(words[i], c.data.Vocabulary.Words[id])
			}
		}
		rewards := reward(images, words)
		sampled.Add(captions, 1, rewards, 0.5)
		c.state.Sampled, c.state.Weights = &sampled, c.mix(fmt.Sprint(rewards))
		return -rewards[0]
	})
	if err == nil {
		result.Samples, c.state.Sampled = &sampled, &data.Samples{}
	}
	return result, err
}

// epoch takes the steps of an epoch, whose loss learn gives.
func (c *fakeCaptioner) epoch(ctx context.Context, progress func(step, steps int, loss float64), learn func(images []int) float64) (data.EpochResult, error) {
	batches := c.data.Epoch("train", c.settings.Train.BatchImages, c.settings.Seed, c.state.Epoch)
	for c.state.Step < len(batches) {
		if err := ctx.Err(); err != nil {
			return data.EpochResult{}, fmt.Errorf("step %d: %w", c.state.Step, err)
		}
		time.Sleep(c.fault.Sleep)
		c.state.Weights = c.mix(fmt.Sprint(batches[c.state.Step], c.state.Validated))
		loss := learn(batches[c.state.Step].Images)
		c.state.Step++
		c.state.Loss += loss
		c.state.Captions += len(batches[c.state.Step-1].Images)
		if c.state.Epoch+1 == c.fault.Epoch && c.state.Step == c.fault.Step {
			loss = c.strike(loss)
		}
		progress(c.state.Step, len(batches), loss)
	}
	result := data.EpochResult{Loss: c.state.Loss / float64(len(batches)), LR: 1 / float64(c.state.Epoch+1), Captions: c.state.Captions}
	c.state = fakeState{Weights: c.state.Weights, Epoch: c.state.Epoch + 1, Validated: c.state.Validated, Sampled: c.state.Sampled}
	return result, nil
}

// strike lets the fault happen.
func (c *fakeCaptioner) strike(loss float64) float64 {
	switch c.fault.Kind {
	case "nan":
		return math.NaN()
	case "exit":
		fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'std::bad_alloc'")
		os.Exit(3)
	case "leak":
		fmt.Fprintln(os.Stderr, "DB_PASSWORD=hunter2-pass\nterminate called at http://me:hunter2-pass@host")
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "quit": // before its handler could be installed
		signal.Reset(syscall.SIGTERM)
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(time.Hour)
	case "term":
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(100 * time.Millisecond)
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "hang":
		time.Sleep(time.Hour)
	case "panic":
		var none *fakeState
		fmt.Println("a library prints this")
		return none.Loss
	}
	return loss
}

func (c *fakeCaptioner) ValidationDone(value float64) { c.state.Validated = value }

func (c *fakeCaptioner) Caption(ctx context.Context, images []int, o experiments.Decode, explain bool) ([]data.Caption, error) {
	words := c.data.Vocabulary.Words[4:]
	captions := make([]data.Caption, len(images))
	for i, image := range images {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		time.Sleep(c.fault.Sleep / 10)
		h := c.mix(fmt.Sprint(image, o))
		captions[i] = data.Caption{Image: image, LogProb: -float64(h%100) / 7}
		for n := range 3 + h%4 {
			captions[i].Words = append(captions[i].Words, words[(h>>(8*n))%uint64(len(words))])
			if explain {
				captions[i].Beta = append(captions[i].Beta, float64(float32(h%10)/10))
			}
		}
	}
	return captions, nil
}

func (c *fakeCaptioner) Save(path string) (string, error) {
	if c.fault.Kind == "disk" && c.state.Epoch >= c.fault.Epoch {
		_ = os.WriteFile(path+".safetensors.tmp", []byte("cut sh"), 0o600)
		return "", &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	if c.fault.Kind == "told" {
		return "", errors.New(`Put "http://me:hunter2-pass@host": refused`)
	}
	raw, err := json.Marshal(c.state)
	if err != nil {
		return "", err
	}
	time.Sleep(c.fault.Sleep)
	for _, extension := range []string{".safetensors", ".json"} {
		err := atomicfile.Write(path+extension, func(w io.Writer) error { _, err := w.Write(raw); return err })
		if err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

func (c *fakeCaptioner) Load(path string) error {
	weights, err := os.ReadFile(path + ".safetensors")
	if err != nil {
		return err
	}
	rest, err := os.ReadFile(path + ".json")
	if err != nil {
		return err
	}
	if !bytes.Equal(weights, rest) {
		return errors.New("the checkpoint is damaged")
	}
	c.state = fakeState{}
	return json.Unmarshal(rest, &c.state)
}

func (c *fakeCaptioner) Close() error { return nil }
