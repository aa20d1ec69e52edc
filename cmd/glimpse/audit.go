package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/models"
	"glimpse/results"
)

func auditCommand() *cobra.Command {
	var (
		o       auditOptions
		compute engineFlags
		asJSON  bool
	)
	c := &cobra.Command{
		Use:   "audit RUN",
		Short: "What a run's BLEU would be under other people's protocols",
		Long: `Scores the captions of a completed run, named by its id or the beginning of one,
by BLEU-1 to BLEU-4 under every way of counting that is found in papers, scripts
and tutorials: with and without brevity penalty, five, one or the best reference,
smoothing, markers counted as words, references cut at commas, and so on. Marks
which of them reach the scores that the Keras system at the start of this project
claims (81.0 and 73.0 on test images, 81.45 and 77.5 on training images), and which
a paper may report.

The test captions are those in the database; the references come from the data set.
Where the run's best checkpoint and its features are still there, a sample of
training images is captioned as well, and next words are guessed given the true
words before them (teacher forcing). What cannot be had is said. The audit is
stored with the run, in place of an earlier one.`,
		Example: `  glimpse audit 3f2a
  glimpse audit 3f2a --data /data/flickr8k --train 0
  glimpse audit 3f2a --json | jq '.rows[] | select(.reaches)'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFromDB(runIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if o.train < 0 {
				return usageError{errors.New("--train must not be negative")}
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			db, err := openForWriting(o.db)
			if err != nil {
				return err
			}
			defer db.Close()
			a, err := newAudit(c.Context(), c.ErrOrStderr(), db, engine, args[0], o)
			if err != nil {
				return err
			}
			if err := db.SaveAudit(c.Context(), a.Run, a.stored()); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), a)
			}
			return a.print(c.OutOrStdout())
		},
	}
	compute.add(c)
	addDBFlag(c, &o.db)
	c.Flags().StringVar(&o.root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().IntVar(&o.train, "train", 1000, "how many training images to caption; 0 for none")
	addJSONFlag(c, &asJSON)
	return c
}

type auditOptions struct {
	db, root string
	train    int
}

// audit is what `audit` tells; as JSON, a contract.
type audit struct {
	Run       string             `json:"run"`
	Study     string             `json:"study"`
	Arm       string             `json:"arm"`
	Seed      int64              `json:"seed"`
	Signature string             `json:"signature"`
	Rows      []metrics.AuditRow `json:"rows"`
	Missing   []string           `json:"missing"` // what could not be audited, and why
}

func newAudit(ctx context.Context, remarks io.Writer, db *store.DB, engine engine, id string, o auditOptions) (*audit, error) {
	run, err := db.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	if run.State != store.Completed {
		return nil, fmt.Errorf("run %s is %s: only the captions of completed runs are audited", run.ID, run.State)
	}
	settings, err := results.Settings(run)
	if err != nil {
		return nil, err
	}
	d, err := runData(ctx, db, run, settings, o.root)
	if err != nil {
		return nil, err
	}
	a := &audit{Run: run.ID, Study: run.Study, Arm: run.Arm, Seed: run.Seed, Signature: run.Signature, Missing: []string{}}
	captions, err := db.Captions(ctx, run.ID, "test")
	if err != nil {
		return nil, err
	}
	test, err := auditItems(d, captions)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", run.ID, err)
	}
	splits := []metrics.AuditSplit{{Name: "test", HeldOut: true, Claim: metrics.ClaimTest, Items: test}}
	forced, train, err := modelSays(ctx, remarks, db, engine, run, settings, d, o.train)
	switch lost := "teacher forcing and training images"; {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		if o.train == 0 {
			lost = "teacher forcing"
		}
		a.Missing = append(a.Missing, fmt.Sprintf("%s: %v", lost, err))
	default:
		splits[0].TeacherForced = forced
		if o.train > 0 {
			splits = append(splits, train)
		}
	}
	if o.train == 0 {
		a.Missing = append(a.Missing, "training images: left out by --train 0")
	}
	a.Rows, err = metrics.Audit(splits...)
	return a, err
}

// auditItems joins captions with the references of their images, as people wrote them.
func auditItems(d *data.Dataset, captions []store.Caption) ([]metrics.AuditItem, error) {
	images := indexOf(d)
	items := make([]metrics.AuditItem, len(captions))
	for i, c := range captions {
		image, known := images[c.Image]
		if !known {
			return nil, fmt.Errorf("the data set has no image %q, of which a caption is stored", c.Image)
		}
		items[i] = auditItem(&d.Images[image], strings.Fields(c.Words))
	}
	return items, nil
}

func auditItem(image *data.Image, words []string) metrics.AuditItem {
	return metrics.AuditItem{ID: image.ID, Candidate: strings.Join(words, " "), CandidateTokens: append([]string{}, words...),
		References: image.Captions, ReferenceTokens: image.Tokens}
}

// modelSays gives what only a run's best checkpoint can tell: the next words on the test images, and a sample of n training
// images, captioned as the test images were and with their next words.
func modelSays(ctx context.Context, remarks io.Writer, db *store.DB, engine engine, run store.Run, settings experiments.Settings, d *data.Dataset, n int) (test []metrics.AuditItem, train metrics.AuditSplit, err error) {
	train = metrics.AuditSplit{Name: "train", Claim: metrics.ClaimTrain}
	captioner, err := bestCaptioner(db, engine, run, settings, d)
	if err != nil {
		return nil, train, err
	}
	defer captioner.Close()
	if test, err = nextWords(ctx, remarks, captioner, d, d.Splits["test"]); err != nil || n == 0 {
		return test, train, err
	}
	images := sampleOf(d.Splits["train"], n)
	fmt.Fprintf(remarks, "captioning %s\n", plural(len(images), "training image"))
	captions, err := captioner.Caption(ctx, images, settings.Decode, false)
	if err != nil {
		return nil, train, err
	}
	for _, c := range captions {
		train.Items = append(train.Items, auditItem(&d.Images[c.Image], c.Words))
	}
	train.TeacherForced, err = nextWords(ctx, remarks, captioner, d, images)
	return test, train, err
}

// nextWords is an item for each reference of the images, whose caption is the most probable next words given that reference's own.
func nextWords(ctx context.Context, remarks io.Writer, captioner *models.Captioner, d *data.Dataset, images []int) ([]metrics.AuditItem, error) {
	fmt.Fprintf(remarks, "reading the references of %s\n", plural(len(images), "image"))
	next, err := captioner.NextWords(ctx, images)
	if err != nil {
		return nil, err
	}
	var items []metrics.AuditItem
	for i, captions := range next {
		for _, words := range captions {
			items = append(items, auditItem(&d.Images[images[i]], words))
		}
	}
	return items, nil
}

// sampleOf draws n of the images, the same ones each time, in their order.
func sampleOf(images []int, n int) []int {
	images = slices.Clone(images)
	rand.New(rand.NewPCG(1, 0)).Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
	images = images[:min(n, len(images))]
	slices.Sort(images)
	return images
}
