package runner

import (
	"context"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/metrics"
	"glimpse/results"
)

// reinforce starts the second stage, self-critical training, once the first is done, from the
// weights of its best epoch. Patience starts again.
func (t *trial) reinforce() error {
	p := &t.progress
	if p.Reinforced > 0 || !t.stageDone() {
		return nil
	}
	if err := t.use(p.Best, t.captioner.Reinforce); err != nil {
		return bestError{err}
	}
	p.Reinforced, p.Stale = p.Epoch, 0
	t.note("reinforcement starts from epoch %d", p.BestEpoch)
	return nil
}

// stageDone reports whether the current stage of training is complete: its last epoch is done, or
// patience has run out.
func (t *trial) stageDone() bool {
	train, p := t.settings.Train, &t.progress
	last, patience := train.Epochs, train.Select.Patience
	if p.Reinforced > 0 {
		last = t.epochs()
	}
	return p.Epoch >= last || patience > 0 && p.Stale >= patience && train.Select.Metric != selectLast
}

// epochs returns the number of epochs, unless training stops early.
func (t *trial) epochs() int {
	train := t.settings.Train
	if t.progress.Reinforced > 0 {
		return t.progress.Reinforced + train.Reinforce.Epochs
	}
	return train.AllEpochs()
}

// The stages of training in events.
const (
	StageTrain     = "train"     // cross entropy
	StageReinforce = "reinforce" // self-critical training
)

// stage returns the stage of the next epoch.
func (t *trial) stage() string {
	if t.progress.Reinforced > 0 {
		return StageReinforce
	}
	return StageTrain
}

// reward returns the rewards of sampled captions. The first call counts the references.
func (t *trial) reward(images []int, captions [][]string) []float64 {
	if t.rewards == nil {
		t.rewards = RewardOf(t.data, t.settings.Train.Reinforce.Rewards())
	}
	return t.rewards(images, captions)
}

// RewardOf returns a reward for captions of training images: a weighted sum of CIDEr-D and the
// caption's own BLEU-4, against all reference captions of its image; document frequencies are
// those of the training split. Both count </s> as a word, so that a caption is rewarded for
// ending where references do.
func RewardOf(d *data.Dataset, weights experiments.Weights) data.Reward {
	end := d.Vocabulary.Words[data.EndID]
	var references [][][]string
	at := map[int]int{} // image → index of its references
	for _, image := range d.Splits["train"] {
		var own [][]string
		for _, tokens := range d.Images[image].Tokens() {
			own = append(own, append(tokens[:len(tokens):len(tokens)], end))
		}
		if own != nil {
			at[image] = len(references)
			references = append(references, own)
		}
	}
	counted := metrics.NewReferences(references)
	return func(images []int, captions [][]string) []float64 {
		places := make([]int, len(images))
		for i, image := range images {
			places[i] = at[image]
		}
		rewards := make([]float64, len(captions))
		for i, s := range counted.ScoreAll(places, captions) {
			rewards[i] = weights.CIDErD*s.CIDErD + weights.BLEU4*metrics.SentenceBLEU(s)[metrics.MaxOrder-1]
		}
		return rewards
	}
}

// sampledValues returns the statistics of an epoch's samples, by the keys of
// [results.SampledValues]; nil for an epoch without.
func sampledValues(s *data.Samples) map[string]float64 {
	if s == nil || s.Captions == 0 {
		return nil
	}
	n := float64(s.Captions)
	return map[string]float64{
		"reward":     s.Reward / n,
		"entropy":    s.Entropy / float64(max(s.Tokens, 1)),
		"different":  float64(s.Different) / n,
		"length":     float64(s.Tokens-(s.Captions-s.Unfinished)) / n, // without </s>
		"empty":      float64(s.Empty) / n,
		"repeating":  float64(s.Repeating) / n,
		"unfinished": float64(s.Unfinished) / n,
	}
}

// tellCollapse remarks if the samples of the last epoch show a collapse.
func (t *trial) tellCollapse(ctx context.Context) error {
	epochs, err := t.cfg.DB.Epochs(context.WithoutCancel(ctx), t.claim.Run)
	if err != nil || len(epochs) == 0 {
		return err
	}
	last := epochs[len(epochs)-1]
	for _, wrong := range results.Collapse(results.FirstSampled(epochs), last.Sampled) {
		t.note("epoch %d of reinforcement: %s", last.Epoch, wrong)
	}
	return nil
}
