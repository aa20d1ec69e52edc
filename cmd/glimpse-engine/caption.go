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
		run           string
		asJSON, jsonl bool
	)
	c := &cobra.Command{
		Use:   "caption PICTURE|FOLDER...",
		Short: "Caption any picture with a trained run",
		Long: `Captions JPEG, PNG, WebP, GIF, TIFF and BMP pictures, of several frames the
first, turned upright as their Exif data ask for, with the best checkpoint of a
run, named by its id or the beginning of one. The run's decoding is used unless
--beam says otherwise. Of a folder, all pictures in it and below are captioned, in
the order of their names. Links are followed; what they lead to again is captioned
once. What else lies there is counted on standard error.

Prints a line for each picture, its path and its caption with a tab between. A
path that holds tabs, line breaks or other characters that a terminal would obey,
or begins with a quotation mark, is quoted as a string of Go or Python. With
--jsonl prints a JSON object a line, with --json one array, and paths as they are.
With --attention a folder
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
			switch {
			case run == "":
				return cli.Usage(errors.New("--run is missing: which run should write the captions? `glimpse runs` lists them"))
			case c.Flags().Changed("beam") && o.Beam < 1:
				return cli.Usage(errors.New("--beam must be at least 1"))
			case asJSON && jsonl:
				return cli.Usage(errors.New("--json and --jsonl exclude each other"))
			}
			found, err := inspect.FindPictures(args)
			if err != nil {
				return err
			}
			for _, line := range found.PassedOver() {
				fmt.Fprintf(c.ErrOrStderr(), "glimpse: %s\n", line)
			}
			opener, err := openRuns(c, flags, cli.OpenResults)
			if err != nil {
				return err
			}
			defer opener.DB.Close()
			p := captionPrinter{c.OutOrStdout(), c.ErrOrStderr(), asJSON, jsonl, []inspect.Captioned{}}
			done, err := opener.Caption(c.Context(), run, found.Pictures, o, p.print)
			if err != nil {
				return err
			}
			return p.end(done)
		},
	}
	flags.Add(c)
	c.Flags().Lookup("data").Usage = "folder of the data set, for checkpoints without their vocabulary (default $GLIMPSE_DATA, else the study's data.root)"
	c.Flags().StringVar(&run, "run", "", "the run to caption with (required)")
	c.Flags().IntVar(&o.Beam, "beam", 0, "width of the beam search, without groups (default the run's search)")
	c.Flags().StringVar(&o.Attention, "attention", "", "draw where the captioner looked into this folder")
	c.Flags().StringVar(&o.Logits, "logits", "", "write the logits of each caption's words into this folder")
	c.Flags().BoolVar(&jsonl, "jsonl", false, "print a JSON object for each picture, a line each")
	cli.AddJSON(c, &asJSON)
	if err := c.RegisterFlagCompletionFunc("run", cli.CompleteFromDB(cli.RunIDs)); err != nil {
		panic(err) // the flag stands above
	}
	return c
}

// captionPrinter prints captions as they come, or at the end as one JSON array.
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

// end ends the output, and says how fast it went and what failed.
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
		return cli.SomeFailed(fmt.Sprintf("no picture could be captioned: %d of %d failed", done.Failed, done.Pictures))
	}
	return cli.SomeFailed(fmt.Sprintf("%d of %s could not be captioned", done.Failed, term.Plural(done.Pictures, "picture")))
}
