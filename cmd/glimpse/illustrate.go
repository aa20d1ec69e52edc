package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/models"
	"glimpse/reports"
	"glimpse/results"
	"glimpse/runner"
)

func illustrateCommand() *cobra.Command {
	var (
		compute  engineFlags
		db, root string
		images   int
	)
	c := &cobra.Command{
		Use:   "illustrate STUDY",
		Short: "Keep pictures and attention maps for a study's report",
		Long: `Picks the images of a study (its name or its YAML file) whose captions changed
most between the arms of its main contrast, half of them for the better and half
for the worse, and keeps thumbnails of them in the database with where the best
checkpoint of each arm's lowest seed looked before each word. The report then
shows them, wherever it is made. ` + "`glimpse run`" + ` does this at the end of a study.

No more than twenty pictures of a data set are kept in a database, over all its
studies; drawn scenes are not counted. --images 0 takes those of the study out.`,
		Example: `  glimpse illustrate flickr8k-attention
  glimpse illustrate demo --db demo.db --images 8
  glimpse illustrate flickr8k-pilot --images 0`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFromDB(studyNames),
		RunE: func(c *cobra.Command, args []string) error {
			if images < 0 || images > store.MostPictures {
				return usageError{fmt.Errorf("--images must be 0 to %d", store.MostPictures)}
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			if _, err := os.Stat(dbPath(db)); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("no results database %s: `glimpse run STUDY` makes one, and --db or $GLIMPSE_DB names another", dbPath(db))
			}
			results, err := store.Open(dbPath(db))
			if err != nil {
				return err
			}
			defer results.Close()
			name, err := studyName(c.Context(), results, args[0])
			if err != nil {
				return err
			}
			kept, err := illustrate(c.Context(), results, engine, name, root, images)
			if err != nil {
				return err
			}
			return printIllustration(c.OutOrStdout(), name, kept)
		},
	}
	compute.add(c)
	addDBFlag(c, &db)
	c.Flags().StringVar(&root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().IntVar(&images, "images", store.MostPictures, "how many pictures to keep; 0 takes them out")
	return c
}

func printIllustration(w io.Writer, study string, kept store.Illustration) error {
	_, err := fmt.Fprintf(w, "%s: %s and %s kept\n", study, plural(len(kept.Pictures), "picture"), plural(len(kept.Maps), "attention map"))
	return err
}

// illustrate keeps pictures and maps of a study in the database, and gives them.
func illustrate(ctx context.Context, db *store.DB, engine engine, study, root string, images int) (store.Illustration, error) {
	var kept store.Illustration
	if images > 0 {
		choice, err := reports.Choose(ctx, db, study, images)
		if err != nil {
			return kept, err
		}
		if kept, err = picture(ctx, db, engine, root, choice); err != nil {
			return kept, fmt.Errorf("pictures of study %s: %w", study, err)
		}
	}
	return kept, db.SaveIllustration(ctx, study, kept)
}

// thumbnail is the longer side of a kept picture, in pixels.
const thumbnail = 224

// picture makes what is kept of the choice.
func picture(ctx context.Context, db *store.DB, engine engine, root string, choice reports.Choice) (kept store.Illustration, err error) {
	var d *data.Dataset
	sets := dataLoader{db: db, root: root}
	for _, id := range choice.Runs {
		run, err := db.Run(ctx, id)
		if err != nil {
			return kept, err
		}
		settings, err := results.Settings(run)
		if err != nil {
			return kept, err
		}
		if d, err = sets.load(ctx, run, settings); err != nil {
			return kept, err
		}
		if !models.Looks(settings) {
			continue
		}
		maps, err := attentionMaps(ctx, db, engine, run, settings, d, choice)
		if err != nil {
			return kept, err
		}
		kept.Maps = append(kept.Maps, maps...)
	}
	images := indexOf(d)
	for _, image := range choice.Images {
		full, err := d.Picture(images[image])
		if err != nil {
			return kept, err
		}
		small := data.Shrink(full, thumbnail)
		var b bytes.Buffer
		if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: 80}); err != nil {
			return kept, fmt.Errorf("thumbnail of %s: %w", image, err)
		}
		p := store.Picture{Image: image, Dataset: d.Name, Width: small.Rect.Dx(), Height: small.Rect.Dy(), JPEG: b.Bytes()}
		if d.Name == "shapes" {
			p.Dataset = ""
		}
		kept.Pictures = append(kept.Pictures, p)
	}
	return kept, nil
}

// attentionMaps reads a run's captions of the chosen images with its best checkpoint.
func attentionMaps(ctx context.Context, db *store.DB, engine engine, run store.Run, settings experiments.Settings, d *data.Dataset, choice reports.Choice) ([]store.AttentionMap, error) {
	grid, err := models.GridOf(settings.Encoder)
	if err != nil {
		return nil, err
	}
	captioner, err := bestCaptioner(db, engine, run, settings, d)
	if err != nil {
		return nil, err
	}
	defer captioner.Close()
	stored, err := db.Captions(ctx, run.ID, choice.Split)
	if err != nil {
		return nil, err
	}
	said := make(map[string]store.Caption, len(stored))
	for _, c := range stored {
		said[c.Image] = c
	}
	images := indexOf(d)
	captions := make([]data.Caption, len(choice.Images))
	for i, image := range choice.Images {
		captions[i] = data.Caption{Image: images[image], Words: strings.Fields(said[image].Words)}
	}
	if err := captioner.Explain(ctx, captions); err != nil {
		return nil, err
	}
	maps := make([]store.AttentionMap, len(captions))
	for i, c := range captions {
		if !near(c.Beta, said[choice.Images[i]].Beta) {
			return nil, fmt.Errorf("run %s: its checkpoint does not look at %s as its caption records: it is of another training", run.ID, choice.Images[i])
		}
		maps[i] = store.AttentionMap{Run: run.ID, Image: choice.Images[i], Side: grid.Side, First: grid.First, Step: grid.Step, Alpha: rounded(c.Alpha)}
	}
	return maps, nil
}

// bestCaptioner is the captioner of a run with its best checkpoint loaded.
func bestCaptioner(db *store.DB, engine engine, run store.Run, settings experiments.Settings, d *data.Dataset) (*models.Captioner, error) {
	checkpoint, err := runner.BestCheckpoint(runner.DefaultDir(db), run)
	if err != nil {
		return nil, err
	}
	captioner, err := engine.Engine.Captioner(settings, d)
	if err != nil {
		return nil, err
	}
	if err := captioner.Load(checkpoint); err != nil {
		captioner.Close()
		return nil, err
	}
	return captioner, nil
}

// indexOf finds images of a data set by their names.
func indexOf(d *data.Dataset) map[string]int {
	images := make(map[string]int, len(d.Images))
	for i, image := range d.Images {
		images[image.ID] = i
	}
	return images
}

// near tells whether two series are the same but for the rounding of another batch or machine.
func near(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 0.01 {
			return false
		}
	}
	return true
}

// rounded keeps four digits of the weights: more cannot be seen.
func rounded(alpha [][]float32) [][]float64 {
	out := make([][]float64, len(alpha))
	for i, word := range alpha {
		for _, v := range word {
			out[i] = append(out[i], math.Round(float64(v)*1e4)/1e4)
		}
	}
	return out
}

// illustrateRun keeps pictures for the report of a study that is complete. Where that cannot be done, a remark says why: the
// study is done all the same.
func illustrateRun(ctx context.Context, remarks io.Writer, db *store.DB, engine engine, study *experiments.Study, summary runner.Summary, images int) {
	if images == 0 || summary.Completed < summary.Total || len(study.Compare.Contrasts) == 0 {
		return
	}
	if summary.Skipped == summary.Total {
		if had, err := db.Illustration(ctx, study.Name); err != nil || len(had.Pictures) > 0 {
			return
		}
	}
	if _, err := illustrate(ctx, db, engine, study.Name, study.Data.Root, images); err != nil {
		fmt.Fprintf(remarks, "the report goes without pictures: %v\n", err)
	}
}
