package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func captionCommand() *cobra.Command {
	var (
		flags         cli.RunFlags
		o             inspect.CaptionOptions
		run, packed   string
		asJSON, jsonl bool
	)
	c := &cobra.Command{
		Use: "caption [PICTURE|FOLDER]...",
		Long: `Caption pictures with the captioner that comes with glimpse, with a packed one
(--captioner), or with the best checkpoint of a run (--run). Reads JPEG, PNG,
WebP, GIF, TIFF and BMP. Of several frames it reads the first, and it turns
pictures upright by their Exif data. In a folder it captions every picture, and
those in subfolders, in the order of their names. Links are followed, no picture
is captioned twice, and other files are counted on standard error. --beam
overrides the captioner's own decoding.

Packed captioners are searched in this order: captioners/ beside glimpse,
captioners/ in the folder above (a checkout's), captioners/ in $GLIMPSE_CACHE or
~/.cache/glimpse. The first folder that holds one is used; if it holds several,
name one with --captioner. Those in folders below have names like study/soft
and are used only by name, or with --run if the run's checkpoint is not here.
glimpse pack makes them. The published weights of the encoder are downloaded
once (23 MB for the captioner that comes with glimpse).

Prints one line per picture: path, tab, caption. A path with tabs, line breaks
or other control characters, or one that begins with a quotation mark, is quoted
as in Go or Python. --jsonl prints one JSON object per line, --json one array;
both leave paths as they are.

--attention writes one PNG per picture that shows where the captioner looked
before each word and, for the adaptive arm, the sentinel's weight β. --logits
writes the logits of each caption as safetensors; docs/checkpoints.md shows how
to compare another program with them.

A captioner trained on another program's features (encoder.name precomputed)
needs --features. It captions every image in that file, or the pictures named.

If pictures cannot be read, they are reported, the others are captioned, and the
exit code is 3.`,
		Example: `  glimpse caption dog.jpg
  glimpse caption dog.jpg --run 3f2a --beam 5 --attention looks
  glimpse caption photos/ --captioner mine.safetensors --jsonl > captions.jsonl
  glimpse caption --features new.npz --run 3f2a`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && flags.Features == "" {
				return errors.New("missing argument: PICTURE or FOLDER")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case run != "" && packed != "":
				return cli.Usage(errors.New("--run and --captioner exclude each other"))
			case c.Flags().Changed("beam") && o.Beam < 1:
				return cli.Usage(errors.New("--beam must be at least 1"))
			case asJSON && jsonl:
				return cli.Usage(errors.New("--json and --jsonl exclude each other"))
			case o.Attention != "" && len(args) == 0:
				return cli.Usage(errors.New("--attention draws on pictures: name them too, not only their features"))
			}
			o.Features, o.Names = flags.Features, flags.Names
			found, err := inspect.FindPictures(args)
			if err != nil {
				return err
			}
			for _, line := range found.PassedOver() {
				fmt.Fprintf(c.ErrOrStderr(), "glimpse: %s\n", line)
			}
			p := captionPrinter{c.OutOrStdout(), c.ErrOrStderr(), asJSON, jsonl, []inspect.Captioned{}}
			caption := captionWithRun
			if run == "" {
				caption = captionWithPacked
				if run, err = cli.CaptionerFile(packed); err != nil {
					return err
				}
			}
			done, err := caption(c, flags, run, found.Pictures, o, p.print)
			if err != nil {
				return err
			}
			return p.end(done)
		},
	}
	flags.Add(c)
	c.Flags().Lookup("data").Usage = "folder of the data set, for checkpoints that lack their vocabulary (default $GLIMPSE_DATA, else the study's data.root)"
	c.Flags().Lookup("features").Usage = "features of the pictures, for a run with encoder.name precomputed"
	c.Flags().StringVar(&run, "run", "", "caption with the best checkpoint of this run")
	c.Flags().StringVar(&packed, "captioner", "", "caption with this packed captioner: a file, or a name in captioners/")
	c.Flags().IntVar(&o.Beam, "beam", 0, "beam width, without groups (default: the run's decoding)")
	c.Flags().StringVar(&o.Attention, "attention", "", "folder for drawings of where the captioner looked")
	c.Flags().StringVar(&o.Logits, "logits", "", "folder for the logits of each caption's words")
	c.Flags().BoolVar(&jsonl, "jsonl", false, "print one JSON object per picture, one per line")
	cli.AddJSON(c, &asJSON)
	if err := c.RegisterFlagCompletionFunc("run", cli.CompleteFromDB(cli.RunIDs)); err != nil {
		panic(err) // the flag is defined above
	}
	return c
}

// captionWithRun captions pictures with a run of the results database.
func captionWithRun(
	c *cobra.Command, flags cli.RunFlags, run string, pictures []inspect.Picture, o inspect.CaptionOptions, tell func(inspect.Captioned) error,
) (inspect.CaptionCount, error) {
	opener, err := openRuns(c, flags, cli.OpenResults)
	if err != nil {
		return inspect.CaptionCount{}, err
	}
	defer opener.DB.Close()
	return opener.Caption(c.Context(), run, pictures, o, tell)
}

// captionWithPacked captions pictures with a packed captioner, and first reports which one.
func captionWithPacked(
	c *cobra.Command, flags cli.RunFlags, path string, pictures []inspect.Picture, o inspect.CaptionOptions, tell func(inspect.Captioned) error,
) (inspect.CaptionCount, error) {
	engine, err := newEngine(flags.Compute)
	if err != nil {
		return inspect.CaptionCount{}, err
	}
	packed, err := inspect.OpenPacked(engine, path)
	if err != nil {
		return inspect.CaptionCount{}, err
	}
	opener, err := cli.Opener(c, nil, engine, flags)
	if err != nil {
		return inspect.CaptionCount{}, err
	}
	opener.Remark(packed.Summary())
	return opener.CaptionPacked(c.Context(), packed, pictures, o, tell)
}

// captionPrinter prints each caption at once, or all at the end as one JSON array.
type captionPrinter struct {
	w, remarks    io.Writer
	asJSON, jsonl bool
	all           []inspect.Captioned
}

func (p *captionPrinter) print(c inspect.Captioned) error {
	if c.Error != "" {
		fmt.Fprintf(p.remarks, "glimpse: %s\n", term.Line(c.Error))
	}
	switch {
	case p.asJSON:
		p.all = append(p.all, c)
		return nil
	case p.jsonl:
		encoder := json.NewEncoder(p.w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(c)
	case c.Error != "":
		return nil
	}
	_, err := fmt.Fprintf(p.w, "%s\t%s\n", term.Name(c.Path), term.Line(c.Caption))
	return err
}

// end completes the output, reports the speed, and returns an error if pictures failed.
func (p *captionPrinter) end(done inspect.CaptionCount) error {
	if p.asJSON {
		if err := term.WriteJSON(p.w, p.all); err != nil {
			return err
		}
	}
	if captioned := done.Pictures - done.Failed; captioned > 0 {
		fmt.Fprintf(p.remarks, "%s in %.1f s", term.Plural(captioned, "picture"), done.Took.Seconds())
		if rest := done.Pictures - done.First; rest > 0 {
			fmt.Fprintf(p.remarks, ", the first after %.1f s, then %.0f a second", done.FirstTook.Seconds(), float64(rest)/(done.Took-done.FirstTook).Seconds())
		}
		fmt.Fprintln(p.remarks)
	}
	switch done.Failed {
	case 0:
		return nil
	case done.Pictures:
		return cli.SomeFailed(fmt.Sprintf("no picture was captioned: %d of %d failed; glimpse reads JPEG, PNG, WebP, GIF, TIFF and BMP of up to 64 megapixels",
			done.Failed, done.Pictures))
	}
	return cli.SomeFailed(fmt.Sprintf("%d of %s were not captioned", done.Failed, term.Plural(done.Pictures, "picture")))
}
