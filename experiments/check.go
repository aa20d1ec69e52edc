package experiments

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"glimpse/captioner"
)

// given reports whether a key was given, rather than defaulted.
func (s *Study) given(path string) bool {
	_, given := s.places[path]
	return given
}

// at returns the place of a key, or of the innermost section around it.
func (s *Study) at(path string) place {
	for {
		if at, given := s.places[path]; given || path == "" {
			return at
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
}

// SetRoot replaces the folder of the data set; "" leaves it unchanged.
func (s *Study) SetRoot(dir string) {
	if dir != "" && dir != s.Data.Root {
		s.Data.Root = dir
		delete(s.places, "data.root")
	}
}

// Wrong returns err as an error at the place where the study sets a path; err itself if the study
// does not set it.
func (s *Study) Wrong(path string, err error) error {
	if !s.given(path) && s.get(path) != "" {
		return err
	}
	wrong := s.at(path).wrong("%v", err)
	wrong.Err = err
	return wrong
}

// tag returns the YAML tag of the key's values.
func (k *key) tag() string {
	switch k.kind {
	case reflect.String:
		return "!!str"
	case reflect.Float64:
		return "!!float"
	case reflect.Bool:
		return "!!bool"
	}
	return "!!int"
}

func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// A fault is a wrong setting of a trial, with the setting that it contradicts, if any.
type fault struct{ path, beside, msg string }

// place returns where the faulty setting of an arm's trial was given: in the sweep, by the arm,
// or as a setting, or else where the setting it contradicts was.
func (s *Study) place(f fault, arm string) place {
	for _, path := range []string{f.path, f.beside} {
		if at, set := s.setByArm(arm, path); set {
			return at
		}
		if s.Sweep.axis(path) != nil {
			return s.at("sweep.over." + path)
		}
		if s.given(path) {
			return s.at(path)
		}
	}
	return s.at(f.path)
}

// Check rejects invalid settings: a value outside its limits, or values that contradict each
// other. Settings of a Plan have passed it.
func (s Settings) Check() error {
	var all []error
	for _, f := range s.faults() {
		all = append(all, errors.New(f.msg))
	}
	return errors.Join(all...)
}

// CheckSizes rejects settings with a number outside its limits, which another person's database
// may contain: a model or data set of that size could exhaust memory. It accepts zero, since
// older settings lack newer keys.
func (s Settings) CheckSizes() error {
	whole := Study{Settings: s}
	for _, k := range keys {
		limits := k.allowed()
		if !isSetting(k.path) || !limits.interval {
			continue
		}
		text := whole.get(k.path)
		if x := float(text); x != 0 && !limits.contain(x) {
			return fmt.Errorf("%s is %s, but must be %s", k.path, text, k.wanted())
		}
	}
	return nil
}

func (s Settings) faults() []fault {
	var found []fault
	whole := Study{Settings: s}
	for _, k := range keys {
		if !isSetting(k.path) || k.applies != nil && !k.applies(&s) {
			continue
		}
		if _, wrong := k.parse(&value{kind: scalar, text: whole.get(k.path), tag: k.tag()}); wrong != "" {
			found = append(found, fault{path: k.path, msg: wrong})
		}
	}
	metric := s.Train.Select.Metric
	add := func(wrong bool, path, beside, format string, args ...any) {
		if wrong {
			found = append(found, fault{path, beside, fmt.Sprintf(format, args...)})
		}
	}
	validates := s.Data.Validates()
	add(!validates && metric != "last", "train.select.metric", "data.split",
		"train.select.metric is %s, but data.split %s has no validation pictures; set it to last", metric, s.Data.Split)
	add(!validates && spares(&s), "decode.split", "data.split",
		"decode.split is %s, but data.split %s has no validation pictures", s.Decode.Split, s.Data.Split)
	add(plateau(&s) && metric == "last", "train.schedule.name", "train.select.metric",
		"train.schedule.name plateau needs a validation metric, but train.select.metric is last; choose another schedule or metric")
	r := s.Train.Reinforce
	add(reinforces(&s) && r.Baseline == "mean" && r.Samples < 2, "train.reinforce.samples", "train.reinforce.baseline",
		"train.reinforce.samples is %d, but baseline mean averages an image's other samples; use 2 or more samples, or baseline greedy", r.Samples)
	add(reinforces(&s) && r.Rewards() == Weights{}, "train.reinforce.weights.cider_d", "train.reinforce.weights.bleu4",
		"train.reinforce.weights are all 0, so no caption would be rewarded; set at least one above 0")
	add(drawn(&s) && s.Data.Split != "official", "data.split", "data.name",
		"data.split is %s, but shapes only has the split official", s.Data.Split)
	add(precomputed(&s) && s.Encoder.Path == "" && s.Encoder.Content == (FeatureContent{}), "encoder.path", "encoder.name",
		"encoder.path is missing; encoder.name precomputed reads features from that file or folder")
	add(precomputed(&s) && s.Data.Augment != (Augment{}), "data.augment.flip", "data.augment.crops",
		"data.augment needs several views of each picture, but encoder.name precomputed has features of one; "+
			"choose another encoder, or remove data.augment")
	found = append(found, s.Data.faults()...)
	add(grouped(&s) && s.Decode.Beam%s.Decode.Groups != 0, "decode.groups", "decode.beam",
		"decode.groups is %d, but must divide decode.beam, which is %d", s.Decode.Groups, s.Decode.Beam)
	add(s.Data.Split == "seed" && s.Data.Name != "flickr8k" && s.Data.Name != ownData && !drawn(&s), "data.split", "data.name",
		"data.split is seed, but only flickr8k has it; %s has official and karpathy", s.Data.Name)
	encoder, err := captioner.EncoderOf(s.Encoder.Name)
	least := encoder.Smallest
	add(err == nil && s.Encoder.ImageSize < least, "encoder.image_size", "encoder.name",
		"encoder.image_size is %d, but %s needs at least %d", s.Encoder.ImageSize, s.Encoder.Name, least)
	tuned, epochs := s.Encoder.Train, s.Train.AllEpochs()
	add(err == nil && tunes(&s) && len(encoder.Blocks) == 0, "encoder.train.blocks", "encoder.name",
		"encoder.train.blocks is %d, but %s has no trainable blocks; use an EfficientNet-Lite or a ResNet",
		tuned.Blocks, s.Encoder.Name)
	add(err == nil && len(encoder.Blocks) > 0 && tuned.Blocks > len(encoder.Blocks), "encoder.train.blocks", "encoder.name",
		"encoder.train.blocks is %d, but %s has %d", tuned.Blocks, s.Encoder.Name, len(encoder.Blocks))
	add(tunes(&s) && tuned.FromEpoch > epochs, "encoder.train.from_epoch", "train.epochs",
		"encoder.train.from_epoch is %d, but there are only %d epochs, so the encoder would never be trained", tuned.FromEpoch, epochs)
	w := s.Encoder.Weights
	add(err == nil && frozen(&s) && w == "auto" && !encoder.Published, "encoder.weights", "encoder.name",
		"encoder.weights is auto, but only %s can be downloaded; for %s give the path of a .pth file, or random",
		strings.Join(captioner.PublishedNames(), ", "), s.Encoder.Name)
	add(frozen(&s) && w != "auto" && w != "random" && !strings.ContainsAny(w, "./\\"), "encoder.weights", "encoder.name",
		"encoder.weights is %q, but must be auto, random or the path of an existing file%s", printable(w, 60), suggest(w, []string{"auto", "random"}))
	return found
}
