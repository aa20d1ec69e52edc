package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// captionsAtOnce is how many images are captioned in one call: few enough to show progress.
// Decoding depends on the contents of a batch, so the number is the same for all trials.
const captionsAtOnce = 128

// caption captions a split.
func (t *trial) caption(ctx context.Context, split string, decode experiments.Decode, explain bool) ([]data.Caption, error) {
	images := t.data.Splits[split]
	captions := make([]data.Caption, 0, len(images))
	for part := range slices.Chunk(images, captionsAtOnce) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		made, err := t.captioner.Caption(ctx, part, decode, explain)
		if err != nil {
			return nil, fmt.Errorf("caption the %s split: %w", split, err)
		}
		if len(made) != len(part) {
			return nil, fmt.Errorf("caption the %s split: got %d captions for %d images", split, len(made), len(part))
		}
		for i, c := range made {
			if c.Image != part[i] {
				return nil, fmt.Errorf("caption the %s split: got a caption of image %d for image %d", split, c.Image, part[i])
			}
		}
		captions = append(captions, made...)
		t.touch()
		select {
		case <-t.cfg.Checkpoint:
			if !t.trained() { // otherwise everything is saved already
				if err := t.saveAndSay(ctx); err != nil {
					return nil, err
				}
			}
		default:
		}
		t.events.progress(Event{Kind: EventCaptioning, Phase: split, Done: len(captions), Total: len(images)}, len(captions) == len(images))
	}
	return captions, nil
}

// score scores captions against all references of their images.
func (t *trial) score(captions []data.Caption) (metrics.Result, error) {
	items := make([]metrics.Item, len(captions))
	for i, c := range captions {
		image := &t.data.Images[c.Image]
		items[i] = metrics.Item{ID: image.ID, Candidate: c.Words, References: image.Tokens()}
	}
	result, err := t.scorer.Score(items)
	if err != nil {
		return result, fmt.Errorf("score: %w", err)
	}
	t.touch()
	return result, nil
}

// captionsOf returns the tokens of a split's reference captions.
func captionsOf(d *data.Dataset, split string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for _, i := range d.Splits[split] {
			for _, tokens := range d.Images[i].Tokens() {
				if !yield(tokens) {
					return
				}
			}
		}
	}
}

// selectValue returns the value by which the best epoch is selected.
func (t *trial) selectValue(values map[string]float64) (float64, error) {
	if values == nil {
		return 0, nil
	}
	name := t.settings.Train.Select.Metric
	_, key, _ := metrics.ParseKey(name)
	value, found := values[key]
	if !found {
		return 0, fmt.Errorf("train.select.metric: %s is not available; available: %s", name, strings.Join(sortedKeys(values), ", "))
	}
	return value, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// finish captions the final split (the test split, unless the study searches settings) once, with
// the best epoch's weights. It stores the captions before it scores them.
func (t *trial) finish(ctx context.Context) error {
	durable := context.WithoutCancel(ctx)
	split := t.settings.Decode.FinalSplit()
	stored, err := t.cfg.DB.Captions(durable, t.claim.Run, split)
	if err != nil {
		return err
	}
	if len(stored) == 0 {
		if err := t.captionFinal(ctx); err != nil {
			return err
		}
		if stored, err = t.cfg.DB.Captions(durable, t.claim.Run, split); err != nil {
			return err
		}
	}
	result, err := t.scoreStored(ctx, stored)
	if err != nil {
		return err
	}
	if err := t.cfg.DB.Complete(durable, t.claim, result); err != nil {
		return err
	}
	if t.cfg.Publish != nil { // first: what is published must not name checkpoints that are gone
		t.published = true
		if t.unpublished = t.cfg.Publish(durable, true); t.unpublished != nil {
			return nil
		}
	}
	t.keepFinal()
	return nil
}

// keepFinal removes the checkpoints of a completed run that are not to be kept.
func (t *trial) keepFinal() {
	keep := map[string][]string{
		"last": {t.progress.Last}, "both": {t.progress.Last, t.progress.Best}, "none": nil,
		"best": {t.progress.Best}, "": {t.progress.Best},
	}[t.cfg.Keep]
	if !slices.Contains(keep, t.progress.Best) { // first: a checkpoint that is gone without a mark counts as lost
		if err := markPruned(t.dir, t.names.prefix, "checkpoints.keep: "+t.cfg.Keep); err != nil {
			t.note("cannot record that the best checkpoint is removed, so the checkpoints are kept: %v", err)
			return
		}
	}
	if err := prune(t.dir, t.names, keep...); err != nil {
		t.note("cannot remove old checkpoints: %v", err)
	}
}

// bestError is the error of a best checkpoint that cannot be loaded.
type bestError struct{ err error }

func (e bestError) Error() string { return "load the best checkpoint: " + e.err.Error() }

// Unwrap returns the reason.
func (e bestError) Unwrap() error { return e.err }

// captionFinal captions the final split and stores the captions.
func (t *trial) captionFinal(ctx context.Context) error {
	defer t.time(&t.progress.Timings.Test)()
	split := t.settings.Decode.FinalSplit()
	t.phase(split)
	if err := t.loadCheckpoint(t.progress.Best); err != nil {
		return bestError{err}
	}
	captions, err := t.caption(ctx, split, t.settings.Decode, true)
	if err != nil {
		if ctx.Err() != nil {
			return ErrInterrupted // nothing has been trained since the last checkpoint
		}
		return err
	}
	rows := make([]store.Caption, len(captions))
	for i, c := range captions {
		rows[i] = store.Caption{
			Image: t.data.Images[c.Image].ID, Words: strings.Join(c.Words, " "), LogProb: c.LogProb, Beta: c.Beta, Entropy: c.Entropy,
		}
	}
	return t.cfg.DB.SaveCaptions(context.WithoutCancel(ctx), t.claim, split, rows)
}

// scoreStored scores the stored captions of the final split and returns the result of a completed
// run. It includes the best epoch's validation scores, unless the final split is the validation
// split.
func (t *trial) scoreStored(ctx context.Context, stored []store.Caption) (store.Result, error) {
	watch := t.time(&t.progress.Timings.Score)
	t.phase("score")
	images := make(map[string]int, len(t.data.Images))
	for i, image := range t.data.Images {
		images[image.ID] = i
	}
	captions := make([]data.Caption, len(stored))
	for i, c := range stored {
		image, known := images[c.Image]
		if !known {
			return store.Result{}, fmt.Errorf("stored caption of image %q: the data set no longer contains the image", c.Image)
		}
		captions[i] = data.Caption{Image: image, Words: strings.Fields(c.Words)}
	}
	split := t.settings.Decode.FinalSplit()
	final, err := t.score(captions)
	if err != nil {
		return store.Result{}, err
	}
	values := map[string]map[string]float64{split: final.Metrics}
	epochs, err := t.cfg.DB.Epochs(context.WithoutCancel(ctx), t.claim.Run)
	if err != nil {
		return store.Result{}, err
	}
	for _, epoch := range epochs {
		if epoch.Epoch == t.progress.BestEpoch && epoch.Val != nil && split != "val" {
			values["val"] = epoch.Val
		}
	}
	watch()
	t.environment.PeakRSSBytes = peakRSS()
	t.environment.Rewinds = t.progress.Rewinds
	t.environment.Timings = &t.progress.Timings
	environment, err := json.Marshal(t.environment)
	if err != nil {
		return store.Result{}, fmt.Errorf("record the environment: %w", err)
	}
	return store.Result{
		Metrics: values, Scores: map[string][]metrics.ImageScore{split: final.Images}, BestEpoch: t.progress.BestEpoch,
		Seconds: t.progress.Timings.total(), CaptionsSHA256: store.CaptionsSHA256(stored), WeightsSHA256: t.progress.BestSHA256,
		Environment: environment,
	}, nil
}
