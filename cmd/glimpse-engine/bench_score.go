package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/ptb"
)

// partSpeed is how fast a part of scoring or storing is.
type partSpeed struct {
	Part      string      `json:"part"`
	Rows      int         `json:"rows"`
	PerSecond term.Number `json:"rows_per_s"`
	Seconds   term.Number `json:"seconds"`
}

func timedPart(name string, rows int, begun time.Time) partSpeed {
	seconds := time.Since(begun).Seconds()
	return partSpeed{name, rows, term.Number(float64(rows) / seconds), term.Number(seconds)}
}

func partTable(noun string, rows []partSpeed) *term.Table {
	t := &term.Table{}
	t.Add("PART", noun, noun+"/S", "TIME")
	for _, r := range rows {
		t.Add(r.Part, term.Count(int64(r.Rows)), fmt.Sprintf("%.0f", r.PerSecond), term.Span(float64(r.Seconds)))
	}
	return t
}

func benchScoreCommand() *cobra.Command {
	var (
		flags  benchFlags
		meteor string
		images int
	)
	c := &cobra.Command{
		Use:   "score [SPEC]",
		Short: "All metrics, in images a second",
		Long: `Scores captions of the data set against its references: the candidate of an image
is a caption of the next one. Where the data set has fewer images than asked for
they come again under new names. METEOR is measured without its data and, where
they are there, with them.`,
		Example: `  glimpse bench score
  glimpse bench score experiments/flickr8k.yaml --images 40000`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.AtLeast("images", images, 2); err != nil {
				return err
			}
			b, err := flags.open(args)
			if err != nil {
				return err
			}
			defer b.close()
			d, err := b.sets.Load(b.trials[0].Settings)
			if err != nil {
				return err
			}
			rows, err := scoreParts(d, images, meteor)
			if err != nil {
				return err
			}
			return b.report(c.OutOrStdout(), flags.asJSON, "score", rows, partTable("IMAGES", rows))
		},
	}
	flags.add(c)
	cli.AddMeteor(c, &meteor)
	c.Flags().IntVar(&images, "images", 1000, "images to score, each with all its references")
	return c
}

// scoreParts measures tokenizing and scoring.
func scoreParts(d *data.Dataset, images int, meteor string) ([]partSpeed, error) {
	begun := time.Now()
	items := scoreItems(d, images)
	if len(items) == 0 {
		return nil, fmt.Errorf("data set %s holds no captions", d.Name)
	}
	rows := []partSpeed{timedPart("tokenize", len(items), begun)}
	begun = time.Now()
	if _, err := new(metrics.Scorer).Score(items); err != nil {
		return nil, err
	}
	rows = append(rows, timedPart("score, METEOR by exact words and stems", len(items), begun))
	begun = time.Now()
	loaded, err := cli.LoadMeteor(meteor)
	if err != nil || loaded == nil {
		return rows, err
	}
	rows = append(rows, timedPart("load METEOR's data", 1, begun))
	begun = time.Now()
	if _, err := (&metrics.Scorer{Meteor: loaded}).Score(items); err != nil {
		return nil, err
	}
	return append(rows, timedPart("score, METEOR with its data", len(items), begun)), nil
}

// scoreItems makes n items out of the captions as they were written.
func scoreItems(d *data.Dataset, n int) []metrics.Item {
	var captioned []data.Image
	for _, image := range d.Images {
		if len(image.Captions) > 0 {
			captioned = append(captioned, image)
		}
	}
	var items []metrics.Item
	for i := 0; i < n && len(captioned) > 0; i++ {
		image, next := captioned[i%len(captioned)], captioned[(i+1)%len(captioned)]
		item := metrics.Item{ID: fmt.Sprint(i), Candidate: ptb.Tokenize(next.Captions[0])}
		for _, caption := range image.Captions {
			item.References = append(item.References, ptb.Tokenize(caption))
		}
		items = append(items, item)
	}
	return items
}
