package runner

import (
	"fmt"
	"strings"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/metrics/ptb"
)

// Signature returns the protocol by which a trial's final captions are decoded and scored, as
// key=value pairs. Scores with different signatures must not be compared. version is that of the
// metrics ([metrics.Scorer.Version]); it distinguishes METEOR with its data from METEOR without.
func Signature(s experiments.Settings, d *data.Dataset, version string) string {
	decode := fmt.Sprintf("decode=beam:%d,length_penalty:%g,max_length:%d", s.Decode.Beam, s.Decode.LengthPenalty, s.Decode.MaxLength)
	if n := s.Decode.NoRepeat; n > 0 {
		decode += fmt.Sprintf(",no_repeat_ngram:%d", n)
	}
	if s.Decode.Groups > 1 {
		decode += fmt.Sprintf(",groups:%d,diversity:%g", s.Decode.Groups, s.Decode.Diversity)
	}
	if split := s.Decode.FinalSplit(); split != "test" {
		decode += ",split:" + split
	}
	return strings.Join([]string{
		"data=" + DataField(d),
		"tokenizer=ptb",
		"vocabulary=" + short(d.Vocabulary.Hash()),
		decode,
		"metrics=" + version,
	}, " ")
}

// DataField returns the name of a data set in a signature: name/split@hash.
func DataField(d *data.Dataset) string {
	return fmt.Sprintf("%s/%s@%s", d.Name, d.Split, short(d.Hash))
}

// short returns enough of a hash to distinguish a few dozen data sets.
func short(hash string) string { return hash[:min(len(hash), 12)] }

// DataOptions returns the options for loading a trial's data. root is used if the spec names
// none.
func DataOptions(s experiments.Settings, root string, cache data.Cache) data.Options {
	if s.Data.Root != "" {
		root = s.Data.Root
	}
	return data.Options{
		Name: s.Data.Name, Root: root, Split: s.Data.Split,
		MinCount: s.Data.MinCount, CaptionsPerImage: s.Data.CaptionsPerImage, MaxLength: s.Data.MaxLength,
		Captions: data.Captions(s.Data.Captions), Partition: data.Partition(s.Data.Partition),
		Images: s.Data.Images, Seed: s.Data.Seed, Vocabulary: s.Data.Vocabulary,
		OnBroken: s.Data.OnBroken,
		Tokenize: ptb.Tokenize, Tokenizer: ptb.Version, Cache: cache,
	}
}

// selectLast is the select metric that keeps the last epoch without validation.
const selectLast = "last"

// CheckSplits checks that a data set has the splits that a trial needs.
func CheckSplits(s experiments.Settings, d *data.Dataset) error {
	for _, split := range []string{"train", "test"} {
		if len(d.Splits[split]) == 0 {
			return fmt.Errorf("data set %s, split %s: there are no images in %s", d.Name, d.Split, split)
		}
	}
	if s.Decode.FinalSplit() == "val" && len(d.Splits["val"]) == 0 {
		return fmt.Errorf("data set %s, split %s: there are no validation images to caption: set decode.split: test", d.Name, d.Split)
	}
	if s.Train.Select.Metric != selectLast && len(d.Splits["val"]) == 0 {
		return fmt.Errorf("data set %s, split %s: there are no validation images on which %s could select the epoch: set train.select.metric: %s",
			d.Name, d.Split, s.Train.Select.Metric, selectLast)
	}
	return nil
}
