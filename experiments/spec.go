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
	// Settings hold for every trial, save where Sweep says otherwise. A
	// default that depends on a swept key (Encoder.ImageSize on Encoder.Name)
	// is still zero here and is filled in each trial.
	Settings `yaml:",inline"`
	Sweep    Sweep   `yaml:"sweep" json:"sweep"`
	Compare  Compare `yaml:"compare" json:"compare"`
	// Checkpoints are the study's affair, and not part of a trial's identity.
	Checkpoints Checkpoints `yaml:"checkpoints" json:"checkpoints"`

	Path   string `yaml:"-" json:"-"` // the file, as it was given to Load
	Source []byte `yaml:"-" json:"-"` // its bytes, without what it extends
	// Files are all that were read: Path, and what it extends. A study from memory has none.
	Files []string `yaml:"-" json:"-"`

	places   map[string]place // key path → where it was given
	proposed []point          // set by Continue, see there

	widths map[string]int   // set by MatchParameters, see there
	counts map[string]int64 // likewise

	contents  map[Data]Content // set by SetContents, see there
	contentOf func(Data) (Content, error)

	features   map[featureSource]FeatureContent // set by SetFeatures, see there
	featuresOf func(Data, Encoder) (FeatureContent, error)
}

// Settings are everything that decides the result of one trial, and nothing
// else: threads, device and the folder of the data set are not in its identity.
type Settings struct {
	Data    Data    `yaml:"data" json:"data"`
	Encoder Encoder `yaml:"encoder" json:"encoder"`
	Model   Model   `yaml:"model" json:"model"`
	Train   Train   `yaml:"train" json:"train"`
	Decode  Decode  `yaml:"decode" json:"decode"`
	Seed    int64   `yaml:"seed" json:"seed"`
}

// Data is the data set and what is read of it.
type Data struct {
	Name             string `yaml:"name" json:"name"`                             // flickr8k, flickr30k, coco, shapes, folder
	Root             string `yaml:"root" json:"root"`                             // folder; not part of a trial's identity
	Split            string `yaml:"split" json:"split"`                           // official, karpathy, seed; of a folder column, lists, drawn
	MinCount         int    `yaml:"min_count" json:"min_count"`                   // occurrences that make a word known
	CaptionsPerImage int    `yaml:"captions_per_image" json:"captions_per_image"` // captions trained on, per image
	MaxLength        int    `yaml:"max_length" json:"max_length"`                 // words of a training caption
	Images           int    `yaml:"images" json:"images"`                         // shapes: scenes drawn
	Seed             int64  `yaml:"seed" json:"seed"`                             // shapes: drawing seed
	Vocabulary       string `yaml:"vocabulary" json:"vocabulary"`                 // train, corpus
	// OnBroken says what becomes of broken pictures: refuse or skip. In a trial it is empty for refuse, so that the ids of
	// trials are what they were before there was a choice.
	OnBroken string `yaml:"on_broken" json:"on_broken,omitempty"`
	// Augment has training pictures seen in several views. The zero value, which is left out of a trial's settings, shows them
	// as they are.
	Augment Augment `yaml:"augment" json:"augment,omitzero"`
	// Captions and Partition are of a folder. In a study Partition is data.split as a mapping, of which Split is the kind.
	Captions  Captions `yaml:"captions" json:"captions,omitzero"`
	Partition `yaml:",inline"`
	// Content is what the files were found to hold. It is not a key of a study; see SetContents.
	Content Content `yaml:"-" json:"content,omitzero"`
}

// Augment says which views of a training picture there are; one is drawn for each image and epoch.
type Augment struct {
	Flip  bool `yaml:"flip" json:"flip,omitempty"`   // each view is there mirrored too
	Crops int  `yaml:"crops" json:"crops,omitempty"` // random crops besides the whole picture
}

// Captions is the file of captions of a folder, and which of its columns or keys are what; an empty one is found by its
// usual names.
type Captions struct {
	Path    string `yaml:"path" json:"path"` // below the root, slash-separated
	Image   string `yaml:"image" json:"image,omitempty"`
	Caption string `yaml:"caption" json:"caption,omitempty"`
	Split   string `yaml:"split" json:"split,omitempty"`
}

// Partition divides the pictures of a folder: by files that list them, or by shares to draw, such as 10%, or numbers of
// pictures.
type Partition struct {
	Train string `yaml:"split.train" json:"split.train,omitempty"` // a file; with shares, the rest trains
	Val   string `yaml:"split.val" json:"split.val,omitempty"`
	Test  string `yaml:"split.test" json:"split.test,omitempty"`
	Seed  int64  `yaml:"split.seed" json:"split.seed,omitempty"` // of the draw
}

// Encoder is the network that turns a picture into grid features, or says where those of another program are.
type Encoder struct {
	Name      string `yaml:"name" json:"name"`
	ImageSize int    `yaml:"image_size" json:"image_size"` // pixels on a side
	Weights   string `yaml:"weights" json:"weights"`       // auto, random, or a path
	Channels  int    `yaml:"channels" json:"channels"`     // cnn: channels of the first layer
	Path      string `yaml:"path" json:"path,omitempty"`   // precomputed: file or folder; like Names not part of a trial's identity
	Names     string `yaml:"names" json:"names,omitempty"` // precomputed: file with the images' names; "" if Path has them
	// Train has the last blocks trained with the captioner. The zero value, which is left out of a trial's settings, trains none.
	Train EncoderTrain `yaml:"train" json:"train,omitzero"`
	// Content is what Path was found to hold, which is part of the identity. It is not a key of a study; see SetFeatures.
	Content FeatureContent `yaml:"-" json:"content,omitzero"`
}

// EncoderTrain is how the last blocks of an encoder are trained with the captioner.
type EncoderTrain struct {
	Blocks    int     `yaml:"blocks" json:"blocks"`         // how many
	FromEpoch int     `yaml:"from_epoch" json:"from_epoch"` // the first epoch that trains them, from 1
	LR        float64 `yaml:"lr" json:"lr"`                 // their learning rate at its highest
}

// Model is the captioner.
type Model struct {
	Embedding int `yaml:"embedding" json:"embedding"`
	Hidden    int `yaml:"hidden" json:"hidden"`
	// Cell is gru or lstm. In a trial it is empty for gru, so that the ids of trials are
	// what they were before there was a choice.
	Cell          string  `yaml:"cell" json:"cell,omitempty"`
	Attention     string  `yaml:"attention" json:"attention"` // none, soft, adaptive, uniform
	AttentionSize int     `yaml:"attention_size" json:"attention_size"`
	Dropout       float64 `yaml:"dropout" json:"dropout"` // probability of dropping
	Layers        int     `yaml:"layers" json:"layers"`   // of the recurrence
}

// CellName is the recurrent cell: gru, unless the trial says otherwise.
func (m Model) CellName() string { return cmp.Or(m.Cell, captioner.Cells[0].Name) }

// Train is how the captioner is trained and its epoch chosen.
type Train struct {
	Epochs      int `yaml:"epochs" json:"epochs"`
	BatchImages int `yaml:"batch_images" json:"batch_images"` // images a step, with all their captions
	// Precision is that of the operands of a step's products: float32, which is empty in a trial, or bfloat16.
	Precision      string    `yaml:"precision" json:"precision,omitempty"`
	Optimizer      Optimizer `yaml:"optimizer" json:"optimizer"`
	Schedule       Schedule  `yaml:"schedule" json:"schedule"`
	LabelSmoothing float64   `yaml:"label_smoothing" json:"label_smoothing"`
	WordDropout    float64   `yaml:"word_dropout" json:"word_dropout,omitempty"` // probability that a word is read as <unk>
	// AttentionPenalty is λ of doubly stochastic attention: how much each region is to be looked at over a caption.
	AttentionPenalty float64   `yaml:"attention_penalty" json:"attention_penalty,omitempty"`
	Reinforce        Reinforce `yaml:"reinforce" json:"reinforce,omitzero"`
	Select           Select    `yaml:"select" json:"select"`
}

// Bfloat16 is whether the products of training have operands in bfloat16.
func (t Train) Bfloat16() bool { return t.Precision == "bfloat16" }

// AllEpochs is how many epochs are trained at most, by cross entropy and by reinforcement.
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
	ClipNorm    float64 `yaml:"clip_norm" json:"clip_norm"`       // largest gradient norm; 0 does not clip
}

// Schedule is how the learning rate moves from Optimizer.LR.
type Schedule struct {
	Name        string  `yaml:"name" json:"name"`                 // constant, cosine, step, plateau
	WarmupSteps int     `yaml:"warmup_steps" json:"warmup_steps"` // linear rise from 0
	StepEpochs  int     `yaml:"step_epochs" json:"step_epochs"`   // step: epochs between falls
	Gamma       float64 `yaml:"gamma" json:"gamma"`               // step, plateau: factor of a fall
	Patience    int     `yaml:"patience" json:"patience"`         // plateau: epochs without a gain before a fall
}

// Reinforce is self-critical training after the epochs of cross entropy: Rennie et al. 2017, arXiv 1612.00563. The
// zero value leaves it out, and is left out of a trial's settings.
type Reinforce struct {
	Epochs   int     `yaml:"epochs" json:"epochs"`
	LR       float64 `yaml:"lr" json:"lr"`
	Metric   string  `yaml:"metric" json:"metric"` // cider_d, bleu4, weighted
	Weights  Weights `yaml:"weights" json:"weights,omitzero"`
	Samples  int     `yaml:"samples" json:"samples"`   // captions of each image in a step
	Baseline string  `yaml:"baseline" json:"baseline"` // mean (Luo 2020, arXiv 2003.09971), greedy
}

// Weights are those of the metrics in a weighted reward.
type Weights struct {
	CIDErD float64 `yaml:"cider_d" json:"cider_d"`
	BLEU4  float64 `yaml:"bleu4" json:"bleu4"`
}

// Rewards are the weights of the metrics whose sum rewards a caption.
func (r Reinforce) Rewards() Weights {
	switch r.Metric {
	case "cider_d":
		return Weights{CIDErD: 1}
	case "bleu4":
		return Weights{BLEU4: 1}
	}
	return r.Weights
}

// Select is how the epoch that counts is chosen: by captions decoded on the
// validation split, never by teacher-forced words.
type Select struct {
	Metric   string `yaml:"metric" json:"metric"` // val.cider, …, or last: keep the last epoch
	Beam     int    `yaml:"beam" json:"beam"`
	Patience int    `yaml:"patience" json:"patience"` // epochs without a gain before training stops; 0 never stops
}

// Decode is how captions are written.
type Decode struct {
	Beam          int     `yaml:"beam" json:"beam"`                     // 1 is greedy
	LengthPenalty float64 `yaml:"length_penalty" json:"length_penalty"` // log probability is divided by length to this power
	MaxLength     int     `yaml:"max_length" json:"max_length"`         // words
	// NoRepeat is the length of the word sequences that no caption may have twice; 0 allows all.
	NoRepeat int `yaml:"no_repeat_ngram" json:"no_repeat_ngram,omitempty"`
	// Groups share the beam; 0 is one group. Diversity is what a word costs for each beam of an earlier group that took it.
	Groups    int     `yaml:"groups" json:"groups,omitempty"`
	Diversity float64 `yaml:"diversity" json:"diversity,omitempty"`
	// Split is the one that the final captions are of: test or val. In a trial it is
	// empty for test, so that the ids of trials are what they were before there was a choice.
	Split string `yaml:"split" json:"split,omitempty"`
}

// OfWidth is the search with another beam. Groups, which would have to divide it, are left out.
func (d Decode) OfWidth(beam int) Decode {
	d.Beam, d.Groups, d.Diversity = beam, 0, 0
	return d
}

// FinalSplit is the split that the final captions are of: test, unless the trial spares it.
func (d Decode) FinalSplit() string { return cmp.Or(d.Split, "test") }

// Sweep is what the trials of a study differ in.
type Sweep struct {
	Method  string `yaml:"method" json:"method"`   // grid, zip, random, tpe
	Over    []Axis `yaml:"over" json:"over"`       // in the order of the file
	Samples int    `yaml:"samples" json:"samples"` // random, tpe: draws
	Seed    int64  `yaml:"seed" json:"seed"`       // random, tpe: seed of the draws
	Startup int    `yaml:"startup" json:"startup"` // tpe: the first draws, at random
	Batch   int    `yaml:"batch" json:"batch"`     // tpe: draws from one state of knowledge
	Prune   Prune  `yaml:"prune" json:"prune"`
}

// Prune is the rule by which a search gives trials up for their validation
// scores. It is the study's, and not part of a trial's identity.
type Prune struct {
	Method    string `yaml:"method" json:"method"`         // none, median, asha
	MinEpochs int    `yaml:"min_epochs" json:"min_epochs"` // epochs that every trial gets; asha: the first rung
	Startup   int    `yaml:"startup" json:"startup"`       // median: trials that must have ended before
	Factor    int    `yaml:"factor" json:"factor"`         // asha: one in so many goes on from a rung, and rungs are so far apart
}

// Active reports whether trials are given up at all.
func (p Prune) Active() bool { return p.Method == "median" || p.Method == "asha" }

// Checkpoints says which checkpoints stay once a run is completed.
type Checkpoints struct {
	Keep string `yaml:"keep" json:"keep"` // best, last, both, none
}

// An Axis is one swept key: a list of values, or a range to draw from.
type Axis struct {
	Path string `yaml:"path" json:"path"` // of a setting, such as model.hidden
	// Draw is empty for a plain list, else choice, int, uniform or log.
	Draw string `yaml:"draw" json:"draw,omitempty"`
	// Values are the list or the choices in canonical text: 5e-4 is 0.0005.
	Values []string `yaml:"values" json:"values,omitempty"`
	// Low and High bound int, uniform and log, both inclusive.
	Low  float64 `yaml:"low" json:"low,omitempty"`
	High float64 `yaml:"high" json:"high,omitempty"`
}

// Compare declares, before the test split is scored, what is compared and what
// counts as a difference.
type Compare struct {
	Arms      string      `yaml:"arms" json:"arms"`                 // the swept key whose values are the arms; empty with Named
	Named     []NamedArm  `yaml:"-" json:"named,omitempty"`         // compare.arms as a mapping of names
	Baseline  string      `yaml:"baseline" json:"baseline"`         // an arm
	Contrasts [][2]string `yaml:"contrasts" json:"contrasts"`       // {a, b} asks for a − b
	Factors   string      `yaml:"factors" json:"factors,omitempty"` // each, or empty for average
	// Interactions are listed among the contrasts: {what the arms differ in (ArmsKey), a factor}.
	Interactions [][2]string `yaml:"-" json:"interactions,omitempty"`
	Primary      Primary     `yaml:"primary" json:"primary"`
	// Ensemble is seeds where the runs of each arm also caption together, or empty for none.
	Ensemble string `yaml:"ensemble" json:"ensemble,omitempty"`
	// MatchParameters is the share by which parameter counts of the arms may
	// differ (0.02 from "2%"); 0 leaves them as they are.
	MatchParameters float64 `yaml:"match_parameters" json:"match_parameters"`
	Stop            Stop    `yaml:"stop" json:"stop,omitzero"`
}

// A NamedArm is an arm that may differ from the others in several settings.
type NamedArm struct {
	Name     string            `json:"name"`     // 1 to 64 printable characters without =
	Settings map[string]string `json:"settings"` // path → canonical text
}

// Stop plans a group-sequential comparison: results are looked at after so many
// seeds an arm, in the order in which sweep.over lists them, and the study may
// end at each look. The zero value looks once, at the end.
type Stop struct {
	Looks    []int   `yaml:"looks" json:"looks"`       // seeds an arm, ascending; each at least 2
	Spending string  `yaml:"spending" json:"spending"` // how alpha is spent: obrien-fleming, pocock
	Futility float64 `yaml:"futility" json:"futility"` // conditional power below which a study ends without a finding; 0: never
}

// Active reports whether there is more than the one look at the end.
func (s Stop) Active() bool { return len(s.Looks) > 0 }

// Primary is the metric that decides, and by how much.
type Primary struct {
	Metric        string  `yaml:"metric" json:"metric"`                 // such as test.cider
	MinimumEffect float64 `yaml:"minimum_effect" json:"minimum_effect"` // points ×100: 1.0 is a CIDEr of 0.01
	Alpha         float64 `yaml:"alpha" json:"alpha"`
}

// A Trial is one training run that a study asks for.
type Trial struct {
	ID         string            `json:"id"`  // 12 hex digits, see Settings.ID
	Arm        string            `json:"arm"` // value of Compare.Arms or name of Compare.Named, else the swept values
	Settings   Settings          `json:"settings"`
	Swept      map[string]string `json:"swept"`                // path → value, what named arms set included, without seed
	Parameters int64             `json:"parameters,omitempty"` // expected count, 0 before MatchParameters
}
