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

	"glimpse/data"
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
// in their order. A picture that cannot be read is told of and counted; any other error, also one of tell, ends it.
func (o *Opener) Caption(ctx context.Context, id string, pictures []Picture, options CaptionOptions, tell func(Captioned) error) (CaptionCount, error) {
	var done CaptionCount
	begun := time.Now()
	c, err := o.openForPictures(ctx, id, options)
	if err != nil {
		return done, err
	}
	defer c.model.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of reading ahead
	for batch := range readAhead(ctx, pictures, c.model.Size()) {
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
	model   PictureCaptioner
	decode  experiments.Decode
	sheets  *sheets // nil where none are drawn
	logits  namer
	options CaptionOptions
}

// openForPictures makes the captioner of a run's best checkpoint, with the decoding that is asked for.
func (o *Opener) openForPictures(ctx context.Context, id string, options CaptionOptions) (*batchCaptioner, error) {
	run, err := o.DB.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	settings, err := results.SaneSettings(run)
	if err != nil {
		return nil, err
	}
	checkpoint, err := runner.BestCheckpoint(runner.DefaultDir(o.DB), run)
	switch {
	case errors.As(err, new(*runner.PrunedError)):
		return nil, err
	case err != nil && run.State == store.Completed:
		return nil, fmt.Errorf("%w; bring the folder here, or train the run again: glimpse reproduce %s --keep again, "+
			"then this command with --db again/results.db", err, run.ID)
	case err != nil:
		return nil, fmt.Errorf("%w; `glimpse run` on its study trains it", err)
	}
	if run.State != store.Completed {
		o.remark("run %s is %s: captioning with the best of its %s so far", run.ID, run.State, term.Plural(run.Epochs, "epoch"))
	}
	vocabulary, err := o.Engine.Vocabulary(checkpoint)
	if err != nil {
		return nil, err
	}
	if vocabulary == nil { // of an earlier version: the words come from the data set
		opened, err := o.Open(ctx, run)
		if err != nil {
			return nil, err
		}
		vocabulary = opened.Data.Vocabulary.Words
	}
	c := &batchCaptioner{decode: settings.Decode, logits: newNamer(options.Logits), options: options}
	if options.Beam > 0 {
		c.decode = c.decode.OfWidth(options.Beam)
	}
	if c.model, err = o.Engine.Pictures(ctx, settings, checkpoint, vocabulary); err != nil {
		return nil, err
	}
	if options.Attention == "" {
		return c, nil
	}
	if !c.model.Looks() {
		o.remark("run %s has no attention to draw: its arm is %s", run.ID, run.Arm)
		return c, nil
	}
	if err := os.MkdirAll(options.Attention, 0o777); err != nil {
		c.model.Close()
		return nil, fmt.Errorf("folder for attention pictures: %w", err)
	}
	remark := fmt.Sprintf("%s, seed %d (run %s) · beam %d", run.Arm, run.Seed, run.ID, c.decode.Beam)
	c.sheets = &sheets{newNamer(options.Attention), remark, attention.Grid(c.model.Grid())}
	return c, nil
}

// caption captions the pictures of a batch that could be read, and tells of all.
func (c *batchCaptioner) caption(ctx context.Context, batch []readPicture, tell func(Captioned) error) error {
	var pixels [][]uint8
	for _, p := range batch {
		if p.err == nil {
			pixels = append(pixels, p.pixels)
		}
	}
	made, err := c.model.Caption(ctx, pixels, c.decode)
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
		err = c.model.WriteLogits(ctx, told.Logits, p.pixels, made.Words)
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
