package inspect

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/experiments"
	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/reports/attention"
	"glimpse/results"
	"glimpse/runner"
)

// CaptionOptions say how pictures are captioned.
type CaptionOptions struct {
	Beam      int    // width of the beam search; 0 for the run's
	Attention string // folder for drawings of where the captioner looked; "" for none
	Logits    string // folder for what the words were drawn from; "" for none
	// Features and Names are the files with the features of the pictures ([arrays.Open]), for a run whose encoder reads them,
	// and else "".
	Features, Names string
}

// Captioned is a picture with its caption, or why it has none. Its JSON is a contract: it is what `glimpse caption --json`
// prints.
type Captioned struct {
	Path      string        `json:"path"`
	Caption   string        `json:"caption"`
	Words     []string      `json:"words"`
	LogProb   term.Number   `json:"log_prob"`
	Beta      []term.Number `json:"beta,omitempty"`
	Entropy   []term.Number `json:"entropy,omitempty"`
	Attention string        `json:"attention,omitempty"` // the picture drawn of it
	Logits    string        `json:"logits,omitempty"`    // the file of them
	Error     string        `json:"error,omitempty"`
}

// CaptionCount counts what became of pictures.
type CaptionCount struct {
	Pictures, Failed int
	Took             time.Duration
	// First are the pictures that were captioned together at the beginning, and FirstTook the time until that was done:
	// most of it is spent on making the captioner.
	First     int
	FirstTook time.Duration
}

// Caption captions pictures with the best checkpoint of a run (its id or the beginning of one), and passes each to tell
// in their order. A picture that cannot be read is told of and counted; any other error, also one of tell, ends it. Where
// features are given and no pictures, all images that have features are captioned.
func (o *Opener) Caption(ctx context.Context, id string, pictures []Picture, options CaptionOptions, tell func(Captioned) error) (CaptionCount, error) {
	begun := time.Now()
	t, err := o.trainedRun(ctx, id, options)
	if err != nil {
		return CaptionCount{}, err
	}
	return o.caption(ctx, t, begun, pictures, options, tell)
}

// caption captions pictures with a trained captioner, which was begun to be opened at that time.
func (o *Opener) caption(
	ctx context.Context, t trainedCaptioner, begun time.Time, pictures []Picture, options CaptionOptions, tell func(Captioned) error,
) (done CaptionCount, err error) {
	c, err := o.openForPictures(t, options)
	if err != nil {
		return done, err
	}
	defer c.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of reading ahead
	read := readPixels(c.model.Size())
	if c.features != nil {
		read = readFeatures(c.features, c.model.Dim(), c.sheets != nil)
		if len(pictures) == 0 {
			for _, name := range c.features.Names() {
				pictures = append(pictures, Picture{name, name})
			}
		}
	}
	for batch := range readAhead(ctx, pictures, read) {
		err := c.caption(ctx, batch, func(one Captioned) error {
			done.Pictures++
			if one.Error != "" {
				done.Failed++
			}
			return tell(one)
		})
		if err != nil {
			return done, err
		}
		if done.Took = time.Since(begun); done.First == 0 {
			done.First, done.FirstTook = done.Pictures, done.Took
		}
	}
	return done, ctx.Err()
}

// batchCaptioner captions batches of pictures.
type batchCaptioner struct {
	model    PictureCaptioner
	features *arrays.Set // nil where the model sees pictures
	decode   experiments.Decode
	sheets   *sheets // nil where none are drawn
	logits   namer
	options  CaptionOptions
}

func (c *batchCaptioner) close() {
	if c.features != nil {
		c.features.Close()
	}
	c.model.Close()
}

// trainedCaptioner is one that was trained before: that of a run, or a packed one.
type trainedCaptioner struct {
	name     string // for messages, such as "run 3f2a9b07c1d5"
	arm      string
	seed     int64
	settings experiments.Settings
	load     func() (PictureCaptioner, error)
}

// checkFeatures holds that features are given if the captioner's encoder reads them, and else not.
func (t trainedCaptioner) checkFeatures(o CaptionOptions) error {
	switch reads := t.settings.Encoder.Name == captioner.Precomputed; {
	case reads && o.Features == "":
		return fmt.Errorf("%s was trained on features of another program (%d numbers per region) and needs those of the pictures: "+
			"compute them in the same way, and pass their file with --features FILE", t.name, t.settings.Encoder.Content.Dim)
	case !reads && o.Features != "":
		return fmt.Errorf("%s uses its own encoder %s: remove --features",
			t.name, t.settings.Encoder.Name)
	}
	return nil
}

// trainedRun finds the best checkpoint of a run.
func (o *Opener) trainedRun(ctx context.Context, id string, options CaptionOptions) (t trainedCaptioner, err error) {
	run, err := o.DB.Run(ctx, id)
	if err != nil {
		return t, err
	}
	t = trainedCaptioner{name: "run " + run.ID, arm: run.Arm, seed: run.Seed}
	if t.settings, err = results.SaneSettings(run); err != nil {
		return t, err
	}
	if err := t.checkFeatures(options); err != nil {
		return t, err
	}
	checkpoint, err := o.bestCheckpoint(run)
	if err != nil {
		if p, found := o.packedOf(run.ID); found {
			t.load = o.trainedPacked(ctx, p).load
			return t, nil
		}
		return t, err
	}
	vocabulary, err := o.vocabulary(ctx, run, checkpoint)
	t.load = func() (PictureCaptioner, error) { return o.Engine.Pictures(ctx, t.settings, checkpoint, vocabulary) }
	return t, err
}

// bestCheckpoint is that of a run whose captioner is to be used, with a remark if the run is not completed.
func (o *Opener) bestCheckpoint(run store.Run) (string, error) {
	checkpoint, err := runner.BestCheckpoint(runner.DefaultDir(o.DB), run)
	switch {
	case errors.As(err, new(*runner.PrunedError)):
		return "", err
	case err != nil && run.State == store.Completed:
		return "", fmt.Errorf("%w; copy the folder here, or train the run again: `glimpse reproduce %s --keep again`, "+
			"then this command with --db again/results.db", err, run.ID)
	case err != nil:
		return "", fmt.Errorf("%w; run its study again to train it", err)
	}
	if run.State != store.Completed {
		o.remark("run %s is %s: using the best of its %s so far", run.ID, run.State, term.Plural(run.Epochs, "epoch"))
	}
	return checkpoint, nil
}

// vocabulary is that of a run's checkpoint or, if an earlier version wrote it, of the run's data set.
func (o *Opener) vocabulary(ctx context.Context, run store.Run, checkpoint string) ([]string, error) {
	vocabulary, err := o.Engine.Vocabulary(checkpoint)
	if err != nil || vocabulary != nil {
		return vocabulary, err
	}
	opened, err := o.Open(ctx, run)
	if err != nil {
		return nil, err
	}
	return opened.Data.Vocabulary.Words, nil
}

// openForPictures makes the captioner, with the decoding that is asked for.
func (o *Opener) openForPictures(t trainedCaptioner, options CaptionOptions) (*batchCaptioner, error) {
	c := &batchCaptioner{decode: t.settings.Decode, logits: newNamer(options.Logits), options: options}
	if options.Beam > 0 {
		c.decode = c.decode.OfWidth(options.Beam)
	}
	var err error
	if c.model, err = t.load(); err != nil {
		return nil, err
	}
	if options.Features != "" {
		if c.features, err = arrays.Open(options.Features, options.Names); err != nil {
			c.close()
			return nil, fmt.Errorf("features: %w", err)
		}
	}
	if options.Attention == "" {
		return c, nil
	}
	if !c.model.Looks() {
		o.remark("%s has no attention to draw: its arm is %s", t.name, t.arm)
		return c, nil
	}
	if err := os.MkdirAll(options.Attention, 0o777); err != nil {
		c.close()
		return nil, fmt.Errorf("folder for attention pictures: %w", err)
	}
	remark := fmt.Sprintf("%s, seed %d (%s) · beam %d", t.arm, t.seed, t.name, c.decode.Beam)
	c.sheets = &sheets{newNamer(options.Attention), remark, attention.Grid(c.model.Grid())}
	return c, nil
}

// caption captions the pictures of a batch that could be read, and tells of all.
func (c *batchCaptioner) caption(ctx context.Context, batch []readPicture, tell func(Captioned) error) error {
	var pixels [][]uint8
	var features []arrays.Array
	for _, p := range batch {
		if p.err == nil {
			pixels, features = append(pixels, p.pixels), append(features, p.features)
		}
	}
	var made []data.Caption
	var err error
	if c.features != nil {
		made, err = c.model.CaptionFeatures(ctx, features, c.decode)
	} else {
		made, err = c.model.Caption(ctx, pixels, c.decode)
	}
	if err != nil {
		return err
	}
	for _, p := range batch {
		told := Captioned{Path: p.File}
		if p.err != nil {
			told.Error = p.err.Error()
		} else {
			if told, err = c.describe(ctx, p, made[0]); err != nil {
				return err
			}
			made = made[1:]
		}
		if err := tell(told); err != nil {
			return err
		}
	}
	return nil
}

// describe is what is told of a caption, with the files that belong to it.
func (c *batchCaptioner) describe(ctx context.Context, p readPicture, made data.Caption) (told Captioned, err error) {
	told = Captioned{
		Path: p.File, Caption: strings.Join(made.Words, " "), Words: append([]string{}, made.Words...),
		LogProb: term.Number(made.LogProb), Beta: term.Series(made.Beta), Entropy: term.Series(made.Entropy),
	}
	if c.sheets != nil {
		if told.Attention, err = c.sheets.write(p, made); err != nil {
			return told, err
		}
	}
	if c.options.Logits != "" {
		if told.Logits, err = c.logits.path(p.Picture, ".logits.safetensors"); err != nil {
			return told, err
		}
		if c.features != nil {
			err = c.model.WriteFeatureLogits(ctx, told.Logits, p.features, made.Words)
		} else {
			err = c.model.WriteLogits(ctx, told.Logits, p.pixels, made.Words)
		}
	}
	return told, err
}

// sheets draws where a captioner looked, a file for each picture.
type sheets struct {
	namer
	remark string
	grid   attention.Grid
}

// write draws the caption of a picture and gives the path of the drawing.
func (s *sheets) write(p readPicture, c data.Caption) (string, error) {
	sheet, err := attention.Sheet(p.image, filepath.Base(p.File)+" · "+s.remark, looks(c), s.grid)
	if err != nil {
		return "", err
	}
	path, err := s.path(p.Picture, ".attention.png")
	if err != nil {
		return "", err
	}
	return path, atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, sheet) })
}

// looks are the words of a caption with where its captioner looked.
func looks(c data.Caption) []attention.Word {
	words := make([]attention.Word, len(c.Words))
	for i, text := range c.Words {
		words[i] = attention.Word{Text: text, Alpha: c.Alpha[i], Beta: math.NaN()}
		if c.Beta != nil {
			words[i].Beta = c.Beta[i]
		}
	}
	return words
}
