package experiments

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"glimpse/captioner"
	"glimpse/metrics"
)

// A key describes one key of the study format.
type key struct {
	path     string
	limits   string              // see parseLimits; "" allows anything of the type
	listed   func() string       // instead of limits, if another package has the list
	kind     reflect.Kind        // of the field; text for extends, which has none
	fallback any                 // default; nil if there is none
	derive   func(*Settings) any // default that depends on the setting `on`
	on       string
	applies  func(*Settings) bool // nil: always; if it returns false the key has no effect
	omitted  bool                 // its default is empty in a trial, so that ids are the same as before the key existed
	own      bool                 // applies depends on the key's own value: if false, the key has its default
	doc      string
}

// allowed returns the limits of a key's value.
func (k *key) allowed() limits {
	if k.listed != nil {
		return parseLimits(k.listed())
	}
	return parseLimits(k.limits)
}

func encoders() string { return strings.Join(captioner.EncoderNames(), "|") }

func arms() string { return strings.Join(captioner.ArmNames(), "|") }

func cells() string { return strings.Join(captioner.CellNames(), "|") }

func selectMetrics() string { return metricsOf("val") + "|last" }

func finalMetrics() string { return metricsOf("test") + "|" + metricsOf("val") }

// metricsOf returns the tested metrics of a split as alternatives: val.bleu1|val.bleu2|…
func metricsOf(split string) string {
	return split + "." + strings.Join(metrics.Tested(metrics.METEORKey), "|"+split+".")
}

// keys defines the study format, in the order of a resolved file. All defaults are here.
var keys = []key{
	{path: "study", doc: "Name of the study in results.db. Never inherited through extends."},
	{path: "question", doc: "The question that the study answers, for readers."},
	{path: "extends", doc: "Another study file, relative to this one, that supplies the keys missing here. Maps are merged; lists and swept values are replaced."},

	{path: "data.name", limits: "shapes|flickr8k|flickr30k|coco|folder", fallback: "shapes", doc: "Data set. shapes is drawn from a seed and needs no download; folder reads your own pictures and captions."},
	{path: "data.root", fallback: "", doc: "Folder of the data set, relative to the working directory. --data and $GLIMPSE_DATA override it. Not part of a trial's identity."},
	{path: "data.split", limits: "official|karpathy|seed|column|lists|drawn", derive: split, on: "data.name", doc: "How pictures are split into training, validation and test. Default: official; karpathy for flickr30k and coco; column for folder. seed trains on the first 7,000 pictures and tests on the rest, without validation. folder has column, a column of the captions file; lists, such as {train: a.txt, val: b.txt, test: c.txt}; and drawn, a random split such as {val: 10%, test: 10%, seed: 1}."},
	{path: "data.split.train", applies: parted, doc: "folder, lists: file below data.root that lists the training pictures, one per line."},
	{path: "data.split.val", limits: "share", derive: share, on: "data.split", applies: parted, doc: "folder: validation pictures: a file that lists them, or the share or number to draw."},
	{path: "data.split.test", limits: "share", derive: share, on: "data.split", applies: parted, doc: "folder: test pictures, likewise. If they are drawn, the remaining pictures are for training."},
	{path: "data.split.seed", limits: "[1,2147483647]", derive: splitSeed, on: "data.split", applies: drawnSplit, doc: "folder, drawn: seed of the random split. Identical pictures go to the same split, whatever their names."},
	{path: "data.captions.path", applies: captioned, doc: "folder: captions file below data.root: CSV, TSV, JSON Lines, COCO JSON or Karpathy JSON. data.captions: FILE is short for this."},
	{path: "data.captions.image", applies: captioned, doc: "folder: column or key that names the picture. Default: found by its name (docs/data.md)."},
	{path: "data.captions.caption", applies: captioned, doc: "folder: column or key of the caption, likewise."},
	{path: "data.captions.split", applies: splitColumn, doc: "folder, column: column or key of the split, likewise."},
	{path: "data.min_count", limits: "[1,1000000]", fallback: 5, doc: "Minimum number of occurrences for a word to be in the vocabulary."},
	{path: "data.captions_per_image", limits: "[1,100]", fallback: 5, doc: "Captions per image to train on."},
	{path: "data.max_length", limits: "[1,1000]", fallback: 24, doc: "Maximum length of a training caption, in words; longer ones are cut."},
	{path: "data.images", limits: "[10,1000000]", fallback: 1000, applies: drawn, doc: "shapes: number of scenes, all splits together."},
	{path: "data.seed", limits: "[0,2147483647]", fallback: 1, applies: drawn, doc: "shapes: seed of the drawing."},
	{path: "data.vocabulary", limits: "train|corpus", fallback: "train", doc: "Captions that the vocabulary is built from. corpus includes the test captions, to reproduce work that did so."},
	{path: "data.on_broken", limits: "refuse|skip", fallback: "refuse", applies: leaves, own: true, doc: "What to do about broken pictures. skip leaves their images out; missing pictures are always an error."},

	{path: "data.augment.flip", limits: "true|false", fallback: false, doc: "Also train on mirrored pictures (docs/training.md). Captions that mention left or right are not changed."},
	{path: "data.augment.crops", limits: "[0,100]", fallback: 0, doc: "Number of random crops of each picture to train on, in addition to the whole picture; each epoch draws one view of each picture."},

	{path: "encoder.name", listed: encoders, derive: encoder, on: "data.name", doc: "Network that computes the grid features. cnn is trained jointly with the captioner, the others are frozen; precomputed reads features of another program. Default: cnn for shapes, else efficientnet_lite2."},
	{path: "encoder.image_size", limits: "[16,2048]", derive: imageSize, on: "encoder.name", applies: pictured, doc: "Side of the square picture that the encoder sees, in pixels. Default: the encoder's usual size."},
	{path: "encoder.weights", fallback: "auto", applies: frozen, doc: "auto downloads the published weights (for " + strings.Join(captioner.PublishedNames(), ", ") + "), random draws them from the seed; anything else is a file path."},
	{path: "encoder.path", fallback: "", applies: precomputed, doc: "precomputed: the features, as .npy, .npz or .safetensors, or a folder of .npy, relative to the working directory (docs/features.md). A trial's identity depends on their content, not on their path."},
	{path: "encoder.names", fallback: "", applies: precomputed, doc: "precomputed: file with image names, one per line or as a JSON list, if the features file does not contain them and has no such file beside it."},
	{path: "encoder.channels", limits: "[1,2048]", fallback: 32, applies: joint, doc: "cnn: channels of the first layer; a region has twice as many."},
	{path: "encoder.train.blocks", limits: "[0,1000]", fallback: 0, doc: "Number of last blocks of an EfficientNet-Lite or ResNet to train with the captioner, and what follows them (docs/training.md); 0 trains none."},
	{path: "encoder.train.from_epoch", limits: "[1,10000]", fallback: 3, applies: tunes, doc: "First epoch that trains these blocks."},
	{path: "encoder.train.lr", limits: "(0,1000]", fallback: 1e-5, applies: tunes, doc: "Their peak learning rate; it follows the captioner's schedule."},

	{path: "model.embedding", limits: "[1,16384]", fallback: 256, doc: "Size of a word vector."},
	{path: "model.hidden", limits: "[1,16384]", fallback: 512, doc: "Size of the recurrent state. compare.match_parameters may widen it."},
	{path: "model.cell", listed: cells, fallback: captioner.Cells[0].Name, omitted: true, doc: "Recurrent cell. lstm also has a memory cell, which the sentinel of adaptive attention then reads."},
	{path: "model.attention", listed: arms, fallback: "adaptive", doc: "Attention type. none sees the mean of the regions once, before the first word; uniform sees it before each word; soft weights the regions before each word; adaptive also chooses how much to look at all (a sentinel)."},
	{path: "model.attention_size", limits: "[1,16384]", fallback: 256, applies: scored, doc: "Size of the space in which attention compares state and regions."},
	{path: "model.dropout", limits: "[0,1)", fallback: 0.5, doc: "Dropout probability."},
	{path: "model.layers", limits: "[1,2]", fallback: 1, doc: "Number of recurrent layers."},

	{path: "train.epochs", limits: "[1,10000]", fallback: 10, doc: "Passes over the training split."},
	{path: "train.batch_images", limits: "[1,65536]", fallback: 16, doc: "Images per step, each with all its captions."},
	{path: "train.precision", limits: "float32|bfloat16", fallback: "float32", omitted: true, doc: "Number format of the operands in a training step's matrix products. bfloat16 is faster on processors with instructions for it (docs/training.md); sums, weights and decoding stay in float32."},
	{path: "train.optimizer.name", limits: "adam|adamw|sgd", fallback: "adam", doc: "Optimizer."},
	{path: "train.optimizer.lr", limits: "(0,1000]", fallback: 5e-4, doc: "Peak learning rate."},
	{path: "train.optimizer.beta1", limits: "[0,1)", fallback: 0.9, applies: moments, doc: "adam, adamw: decay of the mean gradient."},
	{path: "train.optimizer.beta2", limits: "[0,1)", fallback: 0.999, applies: moments, doc: "adam, adamw: decay of the mean squared gradient."},
	{path: "train.optimizer.epsilon", limits: "(0,1]", fallback: 1e-8, applies: moments, doc: "adam, adamw: added to the root for numerical stability."},
	{path: "train.optimizer.momentum", limits: "[0,1)", fallback: 0.9, applies: sgd, doc: "sgd: decay of the velocity."},
	{path: "train.optimizer.weight_decay", limits: "[0,1]", fallback: 0.0, doc: "Weight decay; decoupled from the gradient for adamw."},
	{path: "train.optimizer.clip_norm", limits: "[0,1000000]", fallback: 5.0, doc: "Maximum gradient norm over all parameters; 0 turns clipping off."},
	{path: "train.schedule.name", limits: "constant|cosine|step|plateau", fallback: "cosine", doc: "Learning-rate schedule."},
	{path: "train.schedule.warmup_steps", limits: "[0,1000000]", fallback: 0, doc: "Steps over which the learning rate rises from 0 to lr."},
	{path: "train.schedule.step_epochs", limits: "[1,10000]", fallback: 3, applies: steps, doc: "step: epochs between drops."},
	{path: "train.schedule.gamma", limits: "(0,1)", fallback: 0.5, applies: falls, doc: "step, plateau: factor by which the rate drops."},
	{path: "train.schedule.patience", limits: "[1,10000]", fallback: 2, applies: plateau, doc: "plateau: epochs without a better validation metric before a drop."},
	{path: "train.label_smoothing", limits: "[0,1)", fallback: 0.0, doc: "Share of the target spread over the whole vocabulary."},
	{path: "train.word_dropout", limits: "[0,1)", fallback: 0.0, doc: "Probability that an input word of a training caption is replaced by <unk>; it must still be predicted."},
	{path: "train.attention_penalty", limits: "[0,1000]", fallback: 0.0, applies: scored, doc: "Weight of the doubly stochastic attention penalty, which asks for a total attention of 1 on each region (docs/training.md); 0 turns it off."},
	{path: "train.reinforce.epochs", limits: "[0,10000]", fallback: 0, doc: "Epochs of self-critical training (docs/training.md) after train.epochs, starting from the best of them; 0 turns it off."},
	{path: "train.reinforce.lr", limits: "(0,1000]", fallback: 2e-5, applies: reinforces, doc: "Peak learning rate of these epochs."},
	{path: "train.reinforce.schedule", limits: "constant|cosine", fallback: "constant", omitted: true, applies: reinforces, doc: "Learning-rate schedule of these epochs; cosine falls to 0 at their end."},
	{path: "train.reinforce.metric", limits: "cider_d|bleu4|weighted", fallback: "cider_d", applies: reinforces, doc: "Reward of a sampled caption; weighted is a sum of metrics, weighted by train.reinforce.weights."},
	{path: "train.reinforce.weights.cider_d", limits: "[0,1000]", fallback: 1.0, applies: weighs, doc: "weighted: weight of CIDEr-D, which ranges from 0 to 10."},
	{path: "train.reinforce.weights.bleu4", limits: "[0,1000]", fallback: 0.5, applies: weighs, doc: "weighted: weight of the caption's own BLEU-4, from 0 to 1."},
	{path: "train.reinforce.samples", limits: "[1,100]", fallback: 5, applies: reinforces, doc: "Captions sampled per image and step."},
	{path: "train.reinforce.baseline", limits: "mean|greedy", fallback: "mean", applies: reinforces, doc: "Baseline that a caption's reward is compared with: the mean of the image's other samples, or the reward of its greedy caption."},
	{path: "train.select.metric", listed: selectMetrics, fallback: "val.cider", doc: "Validation metric, on decoded captions, that selects the best epoch; last keeps the last epoch and decodes nothing."},
	{path: "train.select.beam", limits: "[1,100]", fallback: 3, applies: selects, doc: "Beam width for the validation captions."},
	{path: "train.select.patience", limits: "[0,10000]", fallback: 0, applies: selects, doc: "Epochs without a better metric before training stops; 0 never stops early."},

	{path: "decode.beam", limits: "[1,100]", fallback: 5, doc: "Beam width for the final captions; 1 is greedy."},
	{path: "decode.length_penalty", limits: "[0,10]", fallback: 0.7, applies: beams, doc: "Length-penalty exponent: log probabilities are divided by length to this power."},
	{path: "decode.max_length", limits: "[1,1000]", fallback: 24, doc: "Longest caption, in words."},
	{path: "decode.no_repeat_ngram", limits: "[0,10]", fallback: 0, doc: "Length of word sequences that may not repeat within a caption; 0 allows repetition."},
	{path: "decode.groups", limits: "[1,100]", fallback: 1, applies: grouped, own: true, doc: "Diverse beam search: number of groups in the beam, each penalised for the words of earlier groups."},
	{path: "decode.diversity", limits: "[0,100]", fallback: 0.5, applies: grouped, doc: "Diverse beam search: penalty on the log probability of a word for each beam of an earlier group that chose it at the same position."},
	{path: "decode.split", limits: "test|val", fallback: "test", omitted: true, doc: "Split for the final captions and scores. val leaves the test split untouched, for hyperparameter search."},

	{path: "seed", limits: "[0,2147483647]", fallback: 1, doc: "Seed for initial weights, data order and dropout."},

	{path: "sweep.method", limits: "grid|zip|random|tpe", fallback: "grid", doc: "grid crosses all lists, zip pairs them, random draws from ranges, tpe draws where train.select.metric was best so far and does not use the test split unless decode.split says otherwise. Seeds are always crossed with the rest."},
	{path: "sweep.over", doc: "Swept keys by path, such as model.hidden: [256, 512]. With method random or tpe also ranges: {log: [a, b]}, {uniform: [a, b]}, {int: [a, b]}, {choice: [...]}."},
	{path: "sweep.samples", limits: "[1,10000]", doc: "random, tpe: number of draws."},
	{path: "sweep.seed", limits: "[0,2147483647]", fallback: 1, doc: "random, tpe: seed of the draws."},

	{path: "sweep.startup", limits: "[1,10000]", fallback: 10, doc: "tpe: random draws before the first that learns from results."},
	{path: "sweep.batch", limits: "[1,10000]", fallback: 4, doc: "tpe: draws per batch, made once all earlier ones have ended. Larger batches keep more jobs busy, smaller ones learn more."},
	{path: "sweep.prune.method", limits: "none|median|asha", fallback: "none", doc: "Rule that stops unpromising trials early. A trial is stopped if its best train.select.metric so far is below the others' after the same number of epochs: below the median, or outside asha's share. It is marked pruned and enters no comparison."},
	{path: "sweep.prune.min_epochs", limits: "[1,10000]", fallback: 1, doc: "Minimum epochs of every trial; asha: the first rung."},
	{path: "sweep.prune.startup", limits: "[1,10000]", fallback: 5, doc: "median: number of trials that must have ended before one can be stopped."},
	{path: "sweep.prune.factor", limits: "[2,100]", fallback: 3, doc: "asha: reduction factor. One trial in this many is promoted from a rung, and each rung has this many times the epochs of the previous one."},

	{path: "checkpoints.keep", limits: "best|last|both|none", fallback: "best", doc: "Checkpoints to keep once a run is completed. glimpse audit and caption need the best one."},

	{path: "compare.arms", doc: "The swept key whose values are compared; or arms by name, which may differ in several settings: {plain: {model.attention: none}, wide: {model.attention: none, model.hidden: 600}}. Each is crossed with what is swept."},
	{path: "compare.baseline", doc: "The arm that the others are compared with."},
	{path: "compare.contrasts", doc: "Pairs [a, b] of arms: the difference a − b. Default: each arm against the baseline. Also {interaction: [ARMS, KEY]}, with ARMS the key in compare.arms (or the word arms, if arms are named) and KEY another swept key: how much a difference to the baseline changes with that key. The report's headline is the contrast of the last arm with the baseline."},
	{path: "compare.factors", limits: "average|each", fallback: "average", doc: "What a pair compares if more than arms and seeds is swept: the difference averaged over the other keys, or one difference at each of their values."},
	{path: "compare.primary.metric", listed: finalMetrics, doc: "The metric that decides the verdict."},
	{path: "compare.primary.minimum_effect", limits: "[0,100]", doc: "Smallest difference that matters, in points: 1.0 is a CIDEr of 0.01."},
	{path: "compare.primary.alpha", limits: "(0,1)", fallback: 0.05, doc: "Significance level: accepted rate of false positives."},
	{path: "compare.match_parameters", limits: "percent", doc: "Maximum difference between the arms' parameter counts, such as 2%; smaller arms get a wider model.hidden. off leaves them as they are."},
	{path: "compare.ensemble", limits: "none|seeds", fallback: "none", doc: "seeds also captions the final split with all seeds of an arm together, once they are complete, averaging their word probabilities. The result is shown beside the arms; no verdict depends on it. A study that compares nothing may ask for it alone."},
	{path: "compare.stop.looks", doc: "Numbers of seeds per arm, in the order of sweep.over.seed, at which to look at the results, such as [5, 8, 12]. The study may stop at any look and always stops at the last."},
	{path: "compare.stop.spending", limits: "obrien-fleming|pocock", fallback: "obrien-fleming", doc: "How alpha is spent over the looks: obrien-fleming spends little at first, pocock about evenly."},
	{path: "compare.stop.futility", limits: "[0,1)", fallback: 0.1, doc: "Conditional power below which a contrast stops for futility; 0 turns this off."},
}

func drawn(s *Settings) bool      { return s.Data.Name == "shapes" }
func leaves(s *Settings) bool     { return !drawn(s) && s.Data.OnBroken == "skip" }
func joint(s *Settings) bool      { return s.Encoder.Name == captioner.Joint }
func frozen(s *Settings) bool     { return captioner.Encoder{Name: s.Encoder.Name}.Frozen() }
func tunes(s *Settings) bool      { return s.Encoder.Train.Blocks > 0 }
func moments(s *Settings) bool    { return s.Train.Optimizer.Name != "sgd" }
func sgd(s *Settings) bool        { return s.Train.Optimizer.Name == "sgd" }
func steps(s *Settings) bool      { return s.Train.Schedule.Name == "step" }
func plateau(s *Settings) bool    { return s.Train.Schedule.Name == "plateau" }
func falls(s *Settings) bool      { return steps(s) || plateau(s) }
func selects(s *Settings) bool    { return s.Train.Select.Metric != "last" }
func reinforces(s *Settings) bool { return s.Train.Reinforce.Epochs > 0 }
func weighs(s *Settings) bool     { return reinforces(s) && s.Train.Reinforce.Metric == "weighted" }
func beams(s *Settings) bool      { return s.Decode.Beam > 1 }
func grouped(s *Settings) bool    { return s.Decode.Groups > 1 }
func spares(s *Settings) bool     { return s.Decode.FinalSplit() != "test" }

func precomputed(s *Settings) bool { return s.Encoder.Name == captioner.Precomputed }
func pictured(s *Settings) bool    { return !precomputed(s) }

func scored(s *Settings) bool {
	arm, err := captioner.ArmOf(s.Model.Attention)
	return err == nil && arm.Scores
}

// captioned reports whether the file of captions is relevant; one set for another data set is
// kept, to be reported.
func captioned(s *Settings) bool { return s.Data.Name == ownData || s.Data.Captions != (Captions{}) }

func splitColumn(s *Settings) bool { return captioned(s) && s.Data.Split == "column" }
func drawnSplit(s *Settings) bool  { return s.Data.Split == "drawn" }
func parted(s *Settings) bool      { return drawnSplit(s) || s.Data.Split == "lists" }

// split returns the usual split or, for data.split as a mapping, the kind that its keys imply.
func split(s *Settings) any {
	p := s.Data.Partition
	switch {
	case isList(p.Train), isList(p.Val), isList(p.Test):
		return "lists"
	case p != (Partition{}):
		return "drawn"
	case s.Data.Name == ownData:
		return "column"
	case s.Data.Name == "coco", s.Data.Name == "flickr30k":
		return "karpathy" // the one that most papers use
	}
	return "official"
}

func share(s *Settings) any {
	if drawnSplit(s) {
		return "10%"
	}
	return ""
}

func splitSeed(s *Settings) any {
	if drawnSplit(s) {
		return 1
	}
	return 0
}

func encoder(s *Settings) any {
	if s.Data.Name == "shapes" {
		return captioner.Joint
	}
	return "efficientnet_lite2"
}

func imageSize(s *Settings) any {
	e, err := captioner.EncoderOf(s.Encoder.Name)
	if err != nil {
		return 224
	}
	return e.Usual
}

// fieldIndex maps a path to its field of Study.
var fieldIndex = indexFields(reflect.TypeFor[Study](), "", nil, map[string][]int{})

func indexFields(t reflect.Type, prefix string, at []int, into map[string][]int) map[string][]int {
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		index := append(slices.Clone(at), i)
		switch {
		case name == "-" || !f.IsExported():
		case option == "inline":
			indexFields(f.Type, prefix, index, into)
		case f.Type.Kind() == reflect.Struct:
			indexFields(f.Type, prefix+name+".", index, into)
		default:
			into[prefix+name] = index
		}
	}
	return into
}

// keyIndex maps a path to its key. Building it completes the keys.
var keyIndex = func() map[string]*key {
	index := make(map[string]*key, len(keys))
	for i := range keys {
		k := &keys[i]
		k.kind = reflect.String
		if field, known := fieldIndex[k.path]; known {
			k.kind = reflect.TypeFor[Study]().FieldByIndex(field).Type.Kind()
		}
		index[k.path] = k
	}
	return index
}()

// find returns the key of a path, or nil.
func find(path string) *key { return keyIndex[path] }

// isSetting reports whether a path is one of Settings, and so can be swept.
func isSetting(path string) bool {
	section, _, nested := strings.Cut(path, ".")
	return find(path) != nil && (path == "seed" || nested && section != "sweep" && section != "compare" && section != "checkpoints")
}

// keyPaths returns all paths, in the order of the table.
func keyPaths() []string {
	paths := make([]string, len(keys))
	for i, k := range keys {
		paths[i] = k.path
	}
	return paths
}

// A Setting is one key of a trial's settings.
type Setting struct {
	Path string // such as model.hidden
	Text bool   // whether its values are text (also true and false), not numbers
	// Absent is the value of a text that a trial's settings leave out; "" if unknown.
	Absent string
	Doc    string
}

// SettingKeys lists the keys of a trial's settings, in the order of a resolved file.
func SettingKeys() []Setting {
	var settings []Setting
	for _, path := range settingPaths() {
		k := find(path)
		yesOrNo := k.kind == reflect.Bool
		s := Setting{Path: path, Text: k.isText() || yesOrNo, Doc: k.doc}
		if k.omitted || yesOrNo {
			s.Absent = fmt.Sprint(k.fallback)
		}
		settings = append(settings, s)
	}
	return settings
}

// All returns every setting of a trial, as path and value, in the order of a resolved file. A
// setting that the trial leaves out has its default. The value is "" if a setting is not set, or
// has no effect given the others.
func (s Settings) All() [][2]string {
	whole := Study{Settings: s}
	var all [][2]string
	for _, path := range settingPaths() {
		k, value := find(path), whole.get(path)
		if k.applies != nil && !k.applies(&whole.Settings) && whole.field(path).IsZero() {
			value = ""
			if k.own {
				value = fmt.Sprint(k.fallback)
			}
		}
		all = append(all, [2]string{path, value})
	}
	return all
}

// settingPaths returns the paths of Settings, in the order of the table.
func settingPaths() []string {
	return slices.DeleteFunc(keyPaths(), func(path string) bool { return !isSetting(path) })
}

// children returns the names directly below a section ("" is the whole file).
func children(section string) []string {
	var names []string
	for _, k := range keys {
		rest, inside := k.path, true
		if section != "" {
			rest, inside = strings.CutPrefix(k.path, section+".")
		}
		name, _, _ := strings.Cut(rest, ".")
		if inside && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// field returns the settable value of a path in s.
func (s *Study) field(path string) reflect.Value {
	return reflect.ValueOf(s).Elem().FieldByIndex(fieldIndex[path])
}

// isText reports whether the key takes text, including words.
func (k *key) isText() bool { return k.kind == reflect.String }
