package experiments

import (
	"cmp"

	"glimpse/captioner"
)

// A Study is a study file after its extends, the --set overrides and the
// defaults. Load makes one; Plan lists its trials.
type Study struct {
	Name     string `yaml:"study" json:"study"`
	Question string `yaml:"question" json:"question"`
	// Settings apply to every trial, unless Sweep overrides them. A default that depends on a
	// swept key (Encoder.ImageSize on Encoder.Name) is zero here and filled in for each trial.
	Settings `yaml:",inline"`
	Sweep    Sweep   `yaml:"sweep" json:"sweep"`
	Compare  Compare `yaml:"compare" json:"compare"`
	// Checkpoints are not part of a trial's identity.
	Checkpoints Checkpoints `yaml:"checkpoints" json:"checkpoints"`

	Path   string `yaml:"-" json:"-"` // the file, as given to Load
	Source []byte `yaml:"-" json:"-"` // its bytes, without what it extends
	// Files are all files that were read: Path, and those it extends. A study from memory has
	// none.
	Files []string `yaml:"-" json:"-"`

	places   map[string]place // key path → where it was given
	proposed []point          // set by Continue

	widths map[string]int   // set by MatchParameters
	counts map[string]int64 // set by MatchParameters

	contents  map[Data]Content // set by SetContents
	contentOf func(Data) (Content, error)

	features   map[featureSource]FeatureContent // set by SetFeatures
	featuresOf func(Data, Encoder) (FeatureContent, error)
}

// Settings are everything that determines the result of one trial, and nothing else. Threads,
// device and the folder of the data set are not part of its identity.
type Settings struct {
	Data    Data    `yaml:"data" json:"data"`
	Encoder Encoder `yaml:"encoder" json:"encoder"`
	Model   Model   `yaml:"model" json:"model"`
	Train   Train   `yaml:"train" json:"train"`
	Decode  Decode  `yaml:"decode" json:"decode"`
	Seed    int64   `yaml:"seed" json:"seed"`
}

// Data is the data set and how it is read.
type Data struct {
	Name             string `yaml:"name" json:"name"`                             // flickr8k, flickr30k, coco, shapes, folder
	Root             string `yaml:"root" json:"root"`                             // folder; not part of a trial's identity
	Split            string `yaml:"split" json:"split"`                           // official, karpathy, seed; for a folder column, lists, drawn
	MinCount         int    `yaml:"min_count" json:"min_count"`                   // least occurrences of a word in the vocabulary
	CaptionsPerImage int    `yaml:"captions_per_image" json:"captions_per_image"` // captions per image to train on
	MaxLength        int    `yaml:"max_length" json:"max_length"`                 // words of a training caption
	Images           int    `yaml:"images" json:"images"`                         // shapes: scenes drawn
	Seed             int64  `yaml:"seed" json:"seed"`                             // shapes: drawing seed
	Vocabulary       string `yaml:"vocabulary" json:"vocabulary"`                 // train, corpus
	// OnBroken says what to do with broken pictures: refuse or skip. In a trial it is empty for
	// refuse, so that ids are the same as before the key existed.
	OnBroken string `yaml:"on_broken" json:"on_broken,omitempty"`
	// Augment adds views of training pictures. The zero value, which is left out of a trial's
	// settings, adds none.
	Augment Augment `yaml:"augment" json:"augment,omitzero"`
	// Captions and Partition are for a folder. In a study, Partition is data.split as a mapping,
	// and Split its kind.
	Captions  Captions `yaml:"captions" json:"captions,omitzero"`
	Partition `yaml:",inline"`
	// Content identifies the content of the files. It is not a key of a study; see SetContents.
	Content Content `yaml:"-" json:"content,omitzero"`
}

// Augment lists the views of a training picture; one is drawn for each image and epoch.
type Augment struct {
	Flip  bool `yaml:"flip" json:"flip,omitempty"`   // also mirror each view
	Crops int  `yaml:"crops" json:"crops,omitempty"` // random crops besides the whole picture
}

// Captions names the captions file of a folder, and its columns or keys. Empty fields are found
// by their usual names.
type Captions struct {
	Path    string `yaml:"path" json:"path"` // below the root, slash-separated
	Image   string `yaml:"image" json:"image,omitempty"`
	Caption string `yaml:"caption" json:"caption,omitempty"`
	Split   string `yaml:"split" json:"split,omitempty"`
}

// Partition divides the pictures of a folder: by files that list them, or by shares to draw, such
// as 10%, or numbers of pictures.
type Partition struct {
	Train string `yaml:"split.train" json:"split.train,omitempty"` // a file; with shares, the rest is for training
	Val   string `yaml:"split.val" json:"split.val,omitempty"`
	Test  string `yaml:"split.test" json:"split.test,omitempty"`
	Seed  int64  `yaml:"split.seed" json:"split.seed,omitempty"` // of the random split
}

// Encoder is the network that turns a picture into grid features, or the files of features from
// another program.
type Encoder struct {
	Name      string `yaml:"name" json:"name"`
	ImageSize int    `yaml:"image_size" json:"image_size"` // pixels per side
	Weights   string `yaml:"weights" json:"weights"`       // auto, random, or a path
	Channels  int    `yaml:"channels" json:"channels"`     // cnn: channels of the first layer
	Path      string `yaml:"path" json:"path,omitempty"`   // precomputed: file or folder; like Names, not part of a trial's identity
	Names     string `yaml:"names" json:"names,omitempty"` // precomputed: file with the images' names; "" if Path contains them
	// Train trains the last blocks with the captioner. The zero value, which is left out of a
	// trial's settings, trains none.
	Train EncoderTrain `yaml:"train" json:"train,omitzero"`
	// Content identifies the content of Path, and is part of the identity. It is not a key of a
	// study; see SetFeatures.
	Content FeatureContent `yaml:"-" json:"content,omitzero"`
}

// EncoderTrain says how the last blocks of an encoder are trained with the captioner.
type EncoderTrain struct {
	Blocks    int     `yaml:"blocks" json:"blocks"`         // how many
	FromEpoch int     `yaml:"from_epoch" json:"from_epoch"` // the first epoch that trains them, from 1
	LR        float64 `yaml:"lr" json:"lr"`                 // their peak learning rate
}

// Model is the captioner.
type Model struct {
	Embedding int `yaml:"embedding" json:"embedding"`
	Hidden    int `yaml:"hidden" json:"hidden"`
	// Cell is gru or lstm. In a trial it is empty for gru, so that ids are the same as before the
	// key existed.
	Cell          string  `yaml:"cell" json:"cell,omitempty"`
	Attention     string  `yaml:"attention" json:"attention"` // none, soft, adaptive, uniform
	AttentionSize int     `yaml:"attention_size" json:"attention_size"`
	Dropout       float64 `yaml:"dropout" json:"dropout"` // probability of dropping
	Layers        int     `yaml:"layers" json:"layers"`   // of the recurrence
}

// CellName returns the recurrent cell: gru unless set.
func (m Model) CellName() string { return cmp.Or(m.Cell, captioner.Cells[0].Name) }

// Train says how the captioner is trained and its best epoch selected.
type Train struct {
	Epochs      int `yaml:"epochs" json:"epochs"`
	BatchImages int `yaml:"batch_images" json:"batch_images"` // images per step, with all their captions
	// Precision is that of the operands of a step's matrix products: float32 (empty in a trial)
	// or bfloat16.
	Precision      string    `yaml:"precision" json:"precision,omitempty"`
	Optimizer      Optimizer `yaml:"optimizer" json:"optimizer"`
	Schedule       Schedule  `yaml:"schedule" json:"schedule"`
	LabelSmoothing float64   `yaml:"label_smoothing" json:"label_smoothing"`
	WordDropout    float64   `yaml:"word_dropout" json:"word_dropout,omitempty"` // probability that an input word is replaced by <unk>
	// AttentionPenalty is λ of doubly stochastic attention: the weight of the penalty on regions
	// whose total attention over a caption is not 1.
	AttentionPenalty float64   `yaml:"attention_penalty" json:"attention_penalty,omitempty"`
	Reinforce        Reinforce `yaml:"reinforce" json:"reinforce,omitzero"`
	Select           Select    `yaml:"select" json:"select"`
}

// Bfloat16 reports whether the matrix products of training have operands in bfloat16.
func (t Train) Bfloat16() bool { return t.Precision == "bfloat16" }

// AllEpochs returns the maximum number of epochs, with cross entropy and with reinforcement
// together.
func (t Train) AllEpochs() int { return t.Epochs + t.Reinforce.Epochs }

// Optimizer is the rule of a training step.
type Optimizer struct {
	Name        string  `yaml:"name" json:"name"` // adam, adamw, sgd
	LR          float64 `yaml:"lr" json:"lr"`
	Beta1       float64 `yaml:"beta1" json:"beta1"`               // adam, adamw
	Beta2       float64 `yaml:"beta2" json:"beta2"`               // adam, adamw
	Epsilon     float64 `yaml:"epsilon" json:"epsilon"`           // adam, adamw
	Momentum    float64 `yaml:"momentum" json:"momentum"`         // sgd
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay"` // decoupled for adamw
	ClipNorm    float64 `yaml:"clip_norm" json:"clip_norm"`       // maximum gradient norm; 0 turns clipping off
}

// Schedule says how the learning rate changes from Optimizer.LR.
type Schedule struct {
	Name        string  `yaml:"name" json:"name"`                 // constant, cosine, step, plateau
	WarmupSteps int     `yaml:"warmup_steps" json:"warmup_steps"` // linear rise from 0
	StepEpochs  int     `yaml:"step_epochs" json:"step_epochs"`   // step: epochs between drops
	Gamma       float64 `yaml:"gamma" json:"gamma"`               // step, plateau: factor of a drop
	Patience    int     `yaml:"patience" json:"patience"`         // plateau: epochs without improvement before a drop
}

// Reinforce is self-critical training after the epochs of cross entropy: Rennie et al. 2017,
// arXiv 1612.00563. The zero value disables it, and is left out of a trial's settings.
type Reinforce struct {
	Epochs   int     `yaml:"epochs" json:"epochs"`
	LR       float64 `yaml:"lr" json:"lr"`
	Schedule string  `yaml:"schedule" json:"schedule,omitempty"` // constant (empty in a trial), cosine
	Metric   string  `yaml:"metric" json:"metric"`               // cider_d, bleu4, weighted
	Weights  Weights `yaml:"weights" json:"weights,omitzero"`
	Samples  int     `yaml:"samples" json:"samples"`   // captions sampled per image and step
	Baseline string  `yaml:"baseline" json:"baseline"` // mean (Luo 2020, arXiv 2003.09971), greedy
}

// Weights are the weights of the metrics in a weighted reward.
type Weights struct {
	CIDErD float64 `yaml:"cider_d" json:"cider_d"`
	BLEU4  float64 `yaml:"bleu4" json:"bleu4"`
}

// Rewards returns the weights of the metrics whose sum is a caption's reward.
func (r Reinforce) Rewards() Weights {
	switch r.Metric {
	case "cider_d":
		return Weights{CIDErD: 1}
	case "bleu4":
		return Weights{BLEU4: 1}
	}
	return r.Weights
}

// Select says how the best epoch is selected: by captions decoded on the validation split, never
// by teacher-forced words.
type Select struct {
	Metric   string `yaml:"metric" json:"metric"` // val.cider, …, or last: keep the last epoch
	Beam     int    `yaml:"beam" json:"beam"`
	Patience int    `yaml:"patience" json:"patience"` // epochs without improvement before training stops; 0 never stops early
}

// Decode says how captions are decoded.
type Decode struct {
	Beam          int     `yaml:"beam" json:"beam"`                     // 1 is greedy
	LengthPenalty float64 `yaml:"length_penalty" json:"length_penalty"` // log probability is divided by length to this power
	MaxLength     int     `yaml:"max_length" json:"max_length"`         // words
	// NoRepeat is the length of word sequences that may not repeat within a caption; 0 allows
	// repetition.
	NoRepeat int `yaml:"no_repeat_ngram" json:"no_repeat_ngram,omitempty"`
	// Groups is the number of groups that share the beam; 0 is one group. Diversity is the
	// penalty on a word for each beam of an earlier group that chose it.
	Groups    int     `yaml:"groups" json:"groups,omitempty"`
	Diversity float64 `yaml:"diversity" json:"diversity,omitempty"`
	// Split is the split of the final captions: test or val. In a trial it is empty for test, so
	// that ids are the same as before the key existed.
	Split string `yaml:"split" json:"split,omitempty"`
}

// OfWidth returns the settings with another beam width, without groups, which would have to
// divide it.
func (d Decode) OfWidth(beam int) Decode {
	d.Beam, d.Groups, d.Diversity = beam, 0, 0
	return d
}

// FinalSplit returns the split of the final captions: test unless set.
func (d Decode) FinalSplit() string { return cmp.Or(d.Split, "test") }

// Sweep says how the trials of a study differ.
type Sweep struct {
	Method  string `yaml:"method" json:"method"`   // grid, zip, random, tpe
	Over    []Axis `yaml:"over" json:"over"`       // in the order of the file
	Samples int    `yaml:"samples" json:"samples"` // random, tpe: draws
	Seed    int64  `yaml:"seed" json:"seed"`       // random, tpe: seed of the draws
	Startup int    `yaml:"startup" json:"startup"` // tpe: number of first draws, made at random
	Batch   int    `yaml:"batch" json:"batch"`     // tpe: draws per batch, made from the same results
	Prune   Prune  `yaml:"prune" json:"prune"`
}

// Prune is the rule by which a search stops unpromising trials early, by their validation scores.
// It is not part of a trial's identity.
type Prune struct {
	Method    string `yaml:"method" json:"method"`         // none, median, asha
	MinEpochs int    `yaml:"min_epochs" json:"min_epochs"` // least epochs of every trial; asha: the first rung
	Startup   int    `yaml:"startup" json:"startup"`       // median: trials that must have ended before one can be stopped
	Factor    int    `yaml:"factor" json:"factor"`         // asha: one trial in Factor is promoted from a rung, and each rung has Factor times the epochs
}

// Active reports whether trials are pruned at all.
func (p Prune) Active() bool { return p.Method == "median" || p.Method == "asha" }

// Checkpoints says which checkpoints to keep once a run is completed.
type Checkpoints struct {
	Keep string `yaml:"keep" json:"keep"` // best, last, both, none
}

// An Axis is one swept key: a list of values, or a range to draw from.
type Axis struct {
	Path string `yaml:"path" json:"path"` // of a setting, such as model.hidden
	// Draw is "" for a plain list, else choice, int, uniform or log.
	Draw string `yaml:"draw" json:"draw,omitempty"`
	// Values are the list or the choices, in canonical text: 0.0005 for 5e-4.
	Values []string `yaml:"values" json:"values,omitempty"`
	// Low and High are the bounds of int, uniform and log, both inclusive.
	Low  float64 `yaml:"low" json:"low,omitempty"`
	High float64 `yaml:"high" json:"high,omitempty"`
}

// Compare declares, before the test split is scored, what is compared and what counts as a
// difference.
type Compare struct {
	Arms      string      `yaml:"arms" json:"arms"`                 // the swept key whose values are the arms; empty with Named
	Named     []NamedArm  `yaml:"-" json:"named,omitempty"`         // compare.arms as a mapping of names
	Baseline  string      `yaml:"baseline" json:"baseline"`         // an arm
	Contrasts [][2]string `yaml:"contrasts" json:"contrasts"`       // {a, b} is the difference a − b
	Factors   string      `yaml:"factors" json:"factors,omitempty"` // each, or empty for average
	// Interactions are listed among the contrasts: {key of the arms (ArmsKey), factor}.
	Interactions [][2]string `yaml:"-" json:"interactions,omitempty"`
	Primary      Primary     `yaml:"primary" json:"primary"`
	// Ensemble is "seeds" if the runs of each arm also form an ensemble, else "".
	Ensemble string `yaml:"ensemble" json:"ensemble,omitempty"`
	// MatchParameters is the largest relative difference between the arms' parameter counts (0.02
	// for "2%"); 0 does not match them.
	MatchParameters float64 `yaml:"match_parameters" json:"match_parameters"`
	Stop            Stop    `yaml:"stop" json:"stop,omitzero"`
}

// A NamedArm is an arm that may differ from the others in several settings.
type NamedArm struct {
	Name     string            `json:"name"`     // 1 to 64 printable characters without =
	Settings map[string]string `json:"settings"` // path → canonical text
}

// Stop plans a group-sequential comparison: looks at the results after given numbers of seeds per
// arm, in the order of sweep.over. The study may stop at each look. The zero value has a single
// look, at the end.
type Stop struct {
	Looks    []int   `yaml:"looks" json:"looks"`       // seeds per arm, ascending; each at least 2
	Spending string  `yaml:"spending" json:"spending"` // how alpha is spent: obrien-fleming, pocock
	Futility float64 `yaml:"futility" json:"futility"` // conditional power below which a contrast stops for futility; 0: never
}

// Active reports whether there are looks before the end.
func (s Stop) Active() bool { return len(s.Looks) > 0 }

// Primary is the metric that decides the verdict, and the smallest difference that matters.
type Primary struct {
	Metric        string  `yaml:"metric" json:"metric"`                 // such as test.cider
	MinimumEffect float64 `yaml:"minimum_effect" json:"minimum_effect"` // points ×100: 1.0 is a CIDEr of 0.01
	Alpha         float64 `yaml:"alpha" json:"alpha"`
}

// A Trial is one training run that a study plans.
type Trial struct {
	ID         string            `json:"id"`  // 12 hex digits; see Settings.ID
	Arm        string            `json:"arm"` // value of Compare.Arms or name of Compare.Named, else the swept values
	Settings   Settings          `json:"settings"`
	Swept      map[string]string `json:"swept"`                // path → value, including settings of named arms, without seed
	Parameters int64             `json:"parameters,omitempty"` // expected count; 0 before MatchParameters
}
