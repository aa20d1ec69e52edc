package experiments

import (
	"fmt"
	"strings"
)

// Own is a user's own data set, with the counts to which a new study's settings are fitted.
type Own struct {
	Data       Data // name, root, captions, split and partition
	Train, Val int  // images
	Captions   int  // of all training images together
	PerImage   int  // most captions of a training image
}

// The settings that suit Flickr8k, from which those for small data sets are scaled: its 6,000
// training pictures, in steps of 16, are seen six times.
const (
	usualSteps  = 2250
	usualEpochs = 6
	mostEpochs  = 30
)

// MinCount returns how often a word must occur to be in the vocabulary. It grows with the number
// of captions, so that a few captions still give more than a dozen words.
func (o Own) MinCount() int {
	switch {
	case o.Captions < 200:
		return 1
	case o.Captions < 2000:
		return 2
	case o.Captions < 10000:
		return 3
	}
	return 5
}

// fit sets the study's data, and fits the settings for Flickr8k to their size. It returns the
// reasons, by path.
func (o Own) fit(s *Study) (why map[string]string) {
	why = map[string]string{}
	d := &s.Data
	d.Name, d.Root, d.Split, d.Captions, d.Partition = o.Data.Name, o.Data.Root, o.Data.Split, o.Data.Captions, o.Data.Partition
	for _, path := range settingPaths() {
		if path == "data.root" || strings.HasPrefix(path+".", "data.split.") || strings.HasPrefix(path, "data.captions.") {
			why[path] = "Found in the folder."
		}
	}
	if d.Split == "drawn" {
		for _, path := range []string{"data.split.val", "data.split.test", "data.split.seed"} {
			why[path] = "The folder defines no split."
		}
	}

	d.MinCount = o.MinCount()
	why["data.min_count"] = fmt.Sprintf("Fitted to %d training captions.", o.Captions)
	if o.PerImage > 0 && o.PerImage < d.CaptionsPerImage {
		d.CaptionsPerImage = o.PerImage
		why["data.captions_per_image"] = fmt.Sprintf("No training picture has more than %d.", o.PerImage)
	}

	t := &s.Train
	pictures := fmt.Sprintf("%d training pictures", o.Train)
	switch {
	case o.Train < 100:
		t.BatchImages = 4
	case o.Train < 1000:
		t.BatchImages = 8
	}
	steps := max(1, (o.Train+t.BatchImages-1)/t.BatchImages) // per epoch
	t.Epochs = min(max(usualSteps/steps, usualEpochs), mostEpochs)
	t.Schedule.WarmupSteps = min(t.Schedule.WarmupSteps, steps*t.Epochs/10)
	why["train.batch_images"] = "Fitted to " + pictures + ": fewer images mean smaller and more steps."
	why["train.epochs"] = fmt.Sprintf("Fitted to %s: %d steps per epoch.", pictures, steps)
	why["train.schedule.warmup_steps"] = fmt.Sprintf("At most a tenth of the %d steps.", steps*t.Epochs)
	if o.Train < 2000 {
		s.Model.Embedding, s.Model.Hidden, s.Model.AttentionSize = 128, 256, 128
		for _, path := range []string{"model.embedding", "model.hidden", "model.attention_size"} {
			why[path] = "Half of the size for Flickr8k, since there are " + pictures + "."
		}
	}
	if o.Val == 0 {
		t.Select.Metric, t.Select.Patience = "last", 0
		why["train.select.metric"] = "There are no validation pictures for choosing an epoch."
	} else {
		t.Select.Patience = max(t.Select.Patience, t.Epochs/4)
		why["train.select.metric"] = fmt.Sprintf("Measured on %d validation pictures; the fewer, the noisier.", o.Val)
		why["train.select.patience"] = "A quarter of the epochs, since small splits are noisy."
	}
	return why
}
