package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"glimpse/experiments"
	"glimpse/metrics"
	"glimpse/results"
)

// packedFormat is the version of [Packed]'s JSON.
const packedFormat = 1

// halfPrecision is the precision of a captioner whose weights are rounded to float16.
const halfPrecision = "half"

// Packed describes a captioner that was packed into one file, which needs neither database nor
// data set. Its JSON is in the metadata of that file, and is what `glimpse pack --json` prints,
// with the path.
type Packed struct {
	Path       string               `json:"path,omitempty"` // of the file; not kept in it
	Format     int                  `json:"format"`
	Study      string               `json:"study"`
	Arm        string               `json:"arm"`
	Run        string               `json:"run"`
	Seed       int64                `json:"seed"`
	Epoch      int                  `json:"epoch"` // the best one, whose weights these are
	Settings   experiments.Settings `json:"settings"`
	Signature  string               `json:"signature"` // the protocol of the scores
	Split      string               `json:"split"`     // that was scored: test, or val of a run that spared it
	Scores     map[string]float64   `json:"scores"`    // metric → fraction of 1; empty before the run is completed
	Source     string               `json:"source,omitempty"`
	Licence    string               `json:"licence,omitempty"`
	Precision  string               `json:"precision"` // half or single
	Vocabulary []string             `json:"vocabulary"`
}

// PackOptions say how a captioner is packed.
type PackOptions struct {
	Path            string // of the file
	Single          bool   // keep single precision, which doubles the file
	Source, Licence string // of the data that the captioner was trained on; "" takes the name of the data set, and none
}

// Pack writes the captioner of a run's best checkpoint (the run's id or the beginning of one) to
// one file.
func (o *Opener) Pack(ctx context.Context, id string, options PackOptions) (Packed, error) {
	run, err := o.DB.Run(ctx, id)
	if err != nil {
		return Packed{}, err
	}
	settings, err := results.SaneSettings(run)
	if err != nil {
		return Packed{}, err
	}
	settings.Data.Root, settings.Encoder.Path, settings.Encoder.Names = "", "", "" // places of this machine
	checkpoint, err := o.bestCheckpoint(run)
	if err != nil {
		return Packed{}, err
	}
	vocabulary, err := o.vocabulary(ctx, run, checkpoint)
	if err != nil {
		return Packed{}, err
	}
	split, scores := run.Final()
	p := Packed{
		Format: packedFormat, Study: run.Study, Arm: run.Arm, Run: run.ID, Seed: run.Seed, Epoch: run.BestEpoch,
		Settings: settings, Signature: run.Signature, Split: split, Scores: maps.Clone(scores),
		Source: options.Source, Licence: options.Licence, Precision: halfPrecision, Vocabulary: vocabulary,
	}
	if p.Source == "" {
		p.Source = settings.Data.Name
	}
	if options.Single {
		p.Precision = "single"
	}
	maps.DeleteFunc(p.Scores, func(_ string, v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) // JSON has none
	description, err := json.Marshal(p)
	if err != nil {
		return Packed{}, fmt.Errorf("packing run %s: %w", run.ID, err)
	}
	p.Path = options.Path
	if err := os.MkdirAll(filepath.Dir(options.Path), 0o777); err != nil {
		return Packed{}, fmt.Errorf("packing run %s: %w", run.ID, err)
	}
	return p, o.Engine.Pack(options.Path, checkpoint, string(description), !options.Single)
}

// OpenPacked reads the description of a packed captioner.
func OpenPacked(engine Engine, path string) (p Packed, err error) {
	description, err := engine.PackedDescription(path)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(description), &p); err != nil {
		return p, fmt.Errorf("captioner %s: cannot read its description: %w", path, err)
	}
	if p.Format != packedFormat {
		return p, fmt.Errorf("captioner %s has format %d, but this program reads format %d", path, p.Format, packedFormat)
	}
	if err := p.Settings.CheckSizes(); err != nil {
		return p, fmt.Errorf("captioner %s: its settings are not valid: %w", path, err)
	}
	if len(p.Vocabulary) == 0 {
		return p, errors.New("captioner " + path + " has no vocabulary")
	}
	p.Path = path
	return p, nil
}

// packedOf finds the packed captioner of a run among Captioners. Files that are no captioners of
// this version are passed over.
func (o *Opener) packedOf(run string) (p Packed, found bool) {
	if o.Engine == nil {
		return p, false
	}
	for _, path := range o.Captioners {
		if p, err := OpenPacked(o.Engine, path); err == nil && p.Run == run {
			o.remark("run %s: its checkpoint is not here; using %s, which has its weights in %s precision", run, path, p.Precision)
			return p, true
		}
	}
	return p, false
}

// How far log probabilities, in nats, and weights β of one run may lie apart: with its checkpoint,
// by the rounding of another batch or machine; with a packed captioner, by that of its weights to
// half precision.
const (
	exactTolerance = 0.01
	halfTolerance  = 0.1
)

// reader makes the captioner of the run for reading captions: with the best checkpoint or, if that
// is not here, with the run's packed captioner. What it reads may lie this tolerance from what was
// recorded. The caller closes the captioner.
func (r *Run) reader() (c Captioner, tolerance float64, err error) {
	checkpoint, err := r.checkpoint()
	if err == nil {
		c, err = r.loaded(func(c Captioner) error { return c.Load(checkpoint) })
		return c, exactTolerance, err
	}
	p, found := r.opener.packedOf(r.ID)
	if !found {
		return nil, 0, err
	}
	if !slices.Equal(p.Vocabulary, r.Data.Vocabulary.Words) {
		return nil, 0, fmt.Errorf("captioner %s has another vocabulary (%d words) than the data set (%d words)",
			p.Path, len(p.Vocabulary), len(r.Data.Vocabulary.Words))
	}
	tolerance = exactTolerance
	if p.Precision == halfPrecision {
		tolerance = halfTolerance
	}
	c, err = r.loaded(func(c Captioner) error { return c.LoadPacked(p.Path) })
	return c, tolerance, err
}

// Name is what messages call the captioner: its file, without the ending.
func (p Packed) Name() string { return strings.TrimSuffix(filepath.Base(p.Path), filepath.Ext(p.Path)) }

// shownScores are the metrics of a summary.
var shownScores = []string{"cider", "bleu4"}

// Summary says in one line which captioner it is, and how good.
func (p Packed) Summary() string {
	scores := "not scored"
	var known []string
	for _, key := range shownScores {
		entry, _ := metrics.Find(key)
		if v, scored := p.Scores[key]; scored {
			known = append(known, fmt.Sprintf("%s %.1f", entry.Title, 100*v))
		}
	}
	if len(known) > 0 {
		scores = p.Split + " " + strings.Join(known, ", ")
	}
	attention := p.Settings.Model.Attention
	if attention == "none" {
		attention = "no"
	}
	return fmt.Sprintf("captioner %s: %s attention, trained on %s; %s", p.Name(), attention, p.Source, scores)
}

// CaptionPacked is [Opener.Caption] with a packed captioner. It needs no database.
func (o *Opener) CaptionPacked(
	ctx context.Context, p Packed, pictures []Picture, options CaptionOptions, tell func(Captioned) error,
) (CaptionCount, error) {
	t := o.trainedPacked(ctx, p)
	if err := t.checkFeatures(options); err != nil {
		return CaptionCount{}, err
	}
	return o.caption(ctx, t, time.Now(), pictures, options, tell)
}

// trainedPacked is a packed captioner for [Opener.caption].
func (o *Opener) trainedPacked(ctx context.Context, p Packed) trainedCaptioner {
	return trainedCaptioner{
		name: "captioner " + p.Name(), arm: p.Arm, seed: p.Seed, settings: p.Settings,
		load: func() (PictureCaptioner, error) {
			return o.Engine.PackedPictures(ctx, p.Settings, p.Path, p.Vocabulary)
		},
	}
}
