package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/models"
	"glimpse/results"
	"glimpse/runner"
)

func captionCommand() *cobra.Command {
	var (
		o       captionOptions
		compute cli.Compute
	)
	c := &cobra.Command{
		Use:   "caption PICTURE|FOLDER...",
		Short: "Caption any picture with a trained run",
		Long: `Captions JPEG, PNG and WebP pictures, turned upright as their Exif data ask for,
with the best checkpoint of a run, named by its id or the beginning of one. The
run's decoding is used unless --beam says otherwise. Of a folder, all pictures in
it and below are captioned, in the order of their names.

Prints a line for each picture, its path and its caption with a tab between; with
--jsonl a JSON object a line, with --json one array. With --attention a folder
receives a PNG for each picture: what the captioner looked at before each word,
and, of the adaptive arm, the weight β of its sentinel. With --logits a folder
receives, for each picture, what the words were drawn from, as safetensors:
docs/checkpoints.md tells how to compare another program with it.

A picture that cannot be read is told of, the others are captioned, and the exit
code is 3.`,
		Example: `  glimpse caption dog.jpg --run 3f2a
  glimpse caption dog.jpg --run 3f2a --beam 5 --attention looks
  glimpse caption photos/ --run 3f2a --jsonl > captions.jsonl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.beamSet = c.Flags().Changed("beam")
			switch {
			case o.run == "":
				return cli.Usage(errors.New("--run is missing: which run should write the captions? `glimpse runs` lists them"))
			case o.beamSet && o.beam < 1:
				return cli.Usage(errors.New("--beam must be at least 1"))
			case o.json && o.jsonl:
				return cli.Usage(errors.New("--json and --jsonl exclude each other"))
			}
			engine, err := newEngine(compute)
			if err != nil {
				return err
			}
			paths, err := findPictures(args)
			if err != nil {
				return err
			}
			return captionPictures(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), engine, paths, o)
		},
	}
	compute.Add(c)
	cli.AddDB(c, &o.db)
	c.Flags().StringVar(&o.run, "run", "", "the run to caption with (required)")
	c.Flags().IntVar(&o.beam, "beam", 0, "width of the beam search (default the run's)")
	c.Flags().StringVar(&o.attention, "attention", "", "draw where the captioner looked into this folder")
	c.Flags().StringVar(&o.logits, "logits", "", "write the logits of each caption's words into this folder")
	c.Flags().StringVar(&o.root, "data", "", "folder of the data set, for checkpoints without their vocabulary (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().BoolVar(&o.jsonl, "jsonl", false, "print a JSON object for each picture, a line each")
	cli.AddJSON(c, &o.json)
	if err := c.RegisterFlagCompletionFunc("run", cli.CompleteFromDB(cli.RunIDs)); err != nil {
		panic(err) // the flag stands above
	}
	return c
}

type captionOptions struct {
	db, run, root, attention, logits string
	beam                             int
	beamSet, json, jsonl             bool
}

// captionAtOnce is how many pictures are read while as many are captioned.
const captionAtOnce = 16

// captioned is what `caption` tells of a picture; as JSON, a contract.
type captioned struct {
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

func captionPictures(ctx context.Context, w, remarks io.Writer, engine modelEngine, paths []picturePath, o captionOptions) error {
	start := time.Now()
	run, captioner, decode, err := openCaptioner(ctx, remarks, engine, o)
	if err != nil {
		return err
	}
	defer captioner.Close()
	var sheets *sheetWriter
	if o.attention != "" {
		if !captioner.Looks() {
			fmt.Fprintf(remarks, "run %s has no attention to draw: its arm is %s\n", run.ID, run.Arm)
		} else if sheets, err = newSheetWriter(o.attention, run, decode.Beam, captioner.Grid()); err != nil {
			return err
		}
	}
	logits := besidePictures{o.logits, map[string]bool{}}
	out := captionPrinter{w: w, remarks: remarks, o: o, all: []captioned{}}
	batches := readAhead(ctx, paths, captioner.Size())
	for batch := range batches {
		made, err := captioner.Caption(ctx, batch.pixels, decode)
		if err != nil {
			return err
		}
		for i, one := range batch.pictures {
			told := captioned{Path: one.path.file}
			switch at := one.at; {
			case one.err != nil:
				told.Error = one.err.Error()
			default:
				told.set(made[at])
				if sheets != nil {
					if told.Attention, err = sheets.write(batch.pictures[i], made[at]); err != nil {
						return err
					}
				}
				if o.logits != "" {
					if told.Logits, err = logits.path(one.path, ".logits.safetensors"); err != nil {
						return err
					}
					if err := captioner.WriteLogits(ctx, told.Logits, batch.pixels[at], made[at].Words); err != nil {
						return err
					}
				}
			}
			if err := out.print(told); err != nil {
				return err
			}
		}
		out.note(time.Since(start))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return out.close(time.Since(start))
}

func (c *captioned) set(made data.Caption) {
	c.Words = append([]string{}, made.Words...)
	c.Caption, c.LogProb = strings.Join(made.Words, " "), term.Number(made.LogProb)
	c.Beta, c.Entropy = term.Series(made.Beta), term.Series(made.Entropy)
}

// openCaptioner makes the captioner of a run's best checkpoint, with the decoding that is asked for.
func openCaptioner(ctx context.Context, remarks io.Writer, engine modelEngine, o captionOptions) (run store.Run, p *models.Pictures, decode experiments.Decode, err error) {
	db, err := cli.OpenResults(o.db)
	if err != nil {
		return run, nil, decode, err
	}
	defer db.Close()
	if run, err = db.Run(ctx, o.run); err != nil {
		return run, nil, decode, err
	}
	settings, err := results.Settings(run)
	if err != nil {
		return run, nil, decode, err
	}
	if decode = settings.Decode; o.beamSet {
		decode.Beam = o.beam
	}
	checkpoint, err := runner.BestCheckpoint(runner.DefaultDir(db), run)
	switch {
	case err != nil && run.State == store.Completed:
		return run, nil, decode, fmt.Errorf("%w; bring the folder here, or train the run again: glimpse reproduce %s --keep again, "+
			"then this command with --db again/results.db", err, run.ID)
	case err != nil:
		return run, nil, decode, fmt.Errorf("%w; `glimpse run` on its study trains it", err)
	}
	if run.State != store.Completed {
		fmt.Fprintf(remarks, "run %s is %s: captioning with the best of its %s so far\n", run.ID, run.State, term.Plural(run.Epochs, "epoch"))
	}
	vocabulary, err := models.CheckpointVocabulary(checkpoint)
	if err == nil && vocabulary == nil { // of an earlier version: the words come from the data set
		var opened *inspect.Run
		opener := inspect.Opener{DB: db, Engine: engine, Root: cli.DataRoot(o.root, ""), Pictures: engine.pictureHashes()}
		if opened, err = opener.Open(ctx, run); err == nil {
			vocabulary = opened.Data.Vocabulary.Words
		}
	}
	if err == nil {
		p, err = engine.Engine.Pictures(ctx, settings, checkpoint, vocabulary)
	}
	return run, p, decode, err
}

// readBatch are pictures that were read, those that could be as pixels too.
type readBatch struct {
	pictures []readPicture
	pixels   [][]uint8
}

type readPicture struct {
	path  picturePath
	image image.Image // no larger than an attention picture needs
	at    int         // its place among the pixels
	err   error
}

// readAhead reads the pictures batch by batch in their order, one batch ahead of who takes them. The channel closes when
// all are read or ctx ends.
func readAhead(ctx context.Context, paths []picturePath, size int) <-chan readBatch {
	out := make(chan readBatch)
	go func() {
		defer close(out)
		for part := range slices.Chunk(paths, captionAtOnce) {
			select {
			case out <- readAll(part, size):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// readAll reads pictures, each in a goroutine of its own.
func readAll(paths []picturePath, size int) readBatch {
	pictures, pixels := make([]readPicture, len(paths)), make([][]uint8, len(paths))
	done := make(chan struct{}, len(paths))
	for i, path := range paths {
		go func() {
			defer func() { done <- struct{}{} }()
			source, err := data.ReadPicture(path.file)
			pictures[i] = readPicture{path: path, err: err}
			if err == nil {
				pixels[i] = data.Squash(source, size)
				pictures[i].image = data.Shrink(source, pictureSide)
			}
		}()
	}
	for range paths {
		<-done
	}
	b := readBatch{pictures: pictures}
	for i := range pictures {
		if pictures[i].err == nil {
			pictures[i].at = len(b.pixels)
			b.pixels = append(b.pixels, pixels[i])
		}
	}
	return b
}

// captionPrinter prints captions as they come, or at the end as one JSON array.
type captionPrinter struct {
	w, remarks    io.Writer
	o             captionOptions
	all           []captioned
	total, failed int
	first         time.Duration // until the first batch was captioned
}

func (p *captionPrinter) print(c captioned) error {
	p.total++
	if c.Error != "" {
		p.failed++
		fmt.Fprintf(p.remarks, "glimpse: %s\n", c.Error)
	}
	switch {
	case p.o.json:
		p.all = append(p.all, c)
		return nil
	case p.o.jsonl:
		encoder := json.NewEncoder(p.w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(c)
	case c.Error != "":
		return nil
	}
	_, err := fmt.Fprintf(p.w, "%s\t%s\n", c.Path, c.Caption)
	return err
}

func (p *captionPrinter) note(elapsed time.Duration) {
	if p.first == 0 {
		p.first = elapsed
	}
}

// close ends the output and says how fast it went.
func (p *captionPrinter) close(elapsed time.Duration) error {
	if p.o.json {
		if err := term.WriteJSON(p.w, p.all); err != nil {
			return err
		}
	}
	if done := p.total - p.failed; done > 0 {
		fmt.Fprintf(p.remarks, "%s in %.1f s", term.Plural(done, "picture"), elapsed.Seconds())
		if rest := p.total - captionAtOnce; rest > 0 {
			fmt.Fprintf(p.remarks, ", the first after %.1f s, then %.0f a second", p.first.Seconds(), float64(rest)/(elapsed-p.first).Seconds())
		}
		fmt.Fprintln(p.remarks)
	}
	switch {
	case p.failed == 0:
		return nil
	case p.failed == p.total:
		return fmt.Errorf("no picture could be captioned: %d of %d failed", p.failed, p.total)
	}
	return cli.SomeFailed(fmt.Sprintf("%d of %s could not be captioned", p.failed, term.Plural(p.total, "picture")))
}

// isFolder tells whether path is a folder.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
