package inspect

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics/audit"
)

// Audit is what a run's BLEU would be under other people's protocols. Its JSON
// is a contract: it is what `glimpse audit --json` prints.
type Audit struct {
	Run       string      `json:"run"`
	Study     string      `json:"study"`
	Arm       string      `json:"arm"`
	Seed      int64       `json:"seed"`
	Signature string      `json:"signature"`
	Rows      []audit.Row `json:"rows"`    // split by split
	Missing   []string    `json:"missing"` // what could not be audited, and why
}

// Audit scores the test captions of a completed run under every protocol of
// [audit.Score], and keeps the outcome in place of an earlier audit. Where the
// best checkpoint can be loaded, it also audits the captions of a sample of so
// many training images (0 for none), and next words given the true words before
// them (teacher forcing); else [Audit.Missing] says why not.
func (o *Opener) Audit(ctx context.Context, run store.Run, train int) (*Audit, error) {
	if run.State != store.Completed {
		return nil, fmt.Errorf("run %s is %s: only completed runs can be audited", run.ID, run.State)
	}
	r, err := o.Open(ctx, run)
	if err != nil {
		return nil, err
	}
	if split := r.Settings.Decode.FinalSplit(); split != "test" {
		return nil, fmt.Errorf("run %s captioned the %s split (decode.split) and spared the test split, which an audit reads: train it with decode.split: test", run.ID, split)
	}
	a := &Audit{Run: run.ID, Study: run.Study, Arm: run.Arm, Seed: run.Seed, Signature: run.Signature, Missing: []string{}}
	captions, err := o.DB.Captions(ctx, run.ID, "test")
	if err != nil {
		return nil, err
	}
	test, err := r.auditItems(captions)
	if err != nil {
		return nil, err
	}
	splits := []audit.Split{{Name: "test", HeldOut: true, Claim: audit.ClaimTest, Items: test}}
	forced, sample, err := r.modelSays(ctx, train)
	switch lost := "teacher forcing and training images"; {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		if train == 0 {
			lost = "teacher forcing"
		}
		a.Missing = append(a.Missing, fmt.Sprintf("%s: %v", lost, err))
	default:
		splits[0].TeacherForced = forced
		if train > 0 {
			splits = append(splits, sample)
		}
	}
	if train == 0 {
		a.Missing = append(a.Missing, "training images: turned off by --train 0")
	}
	if a.Rows, err = audit.Score(splits...); err != nil {
		return nil, err
	}
	return a, o.DB.SaveAudit(ctx, run.ID, a.Rows)
}

// auditItems joins captions with the references of their images, as people wrote them.
func (r *Run) auditItems(captions []store.Caption) ([]audit.Item, error) {
	given, err := r.given(captions)
	if err != nil {
		return nil, err
	}
	items := make([]audit.Item, len(given))
	for i, c := range given {
		items[i] = r.auditItem(c.Image, c.Words)
	}
	return items, nil
}

func (r *Run) auditItem(image int, words []string) audit.Item {
	of := &r.Data.Images[image]
	return audit.Item{ID: of.ID, Candidate: strings.Join(words, " "), CandidateTokens: append([]string{}, words...),
		References: of.Captions(), ReferenceTokens: of.Tokens()}
}

// modelSays gives what only the best checkpoint can say: the next words on the
// test images, and a sample of n training images, captioned as the test images
// were and with their next words.
func (r *Run) modelSays(ctx context.Context, n int) (test []audit.Item, train audit.Split, err error) {
	train = audit.Split{Name: "train", Claim: audit.ClaimTrain}
	captioner, err := r.Captioner()
	if err != nil {
		return nil, train, err
	}
	defer captioner.Close()
	if test, err = r.nextWords(ctx, captioner, r.Data.Splits["test"]); err != nil || n == 0 {
		return test, train, err
	}
	images := sampleOf(r.Data.Splits["train"], n)
	r.opener.remark("captioning %s", term.Plural(len(images), "training image"))
	captions, err := captioner.Caption(ctx, images, r.Settings.Decode, false)
	if err != nil {
		return nil, train, err
	}
	for _, c := range captions {
		train.Items = append(train.Items, r.auditItem(c.Image, c.Words))
	}
	train.TeacherForced, err = r.nextWords(ctx, captioner, images)
	return test, train, err
}

// nextWords gives an item for each reference of the images. Its caption is the
// most probable next words, given the reference's own before each.
func (r *Run) nextWords(ctx context.Context, captioner Captioner, images []int) ([]audit.Item, error) {
	r.opener.remark("reading the references of %s", term.Plural(len(images), "image"))
	next, err := captioner.NextWords(ctx, images)
	if err != nil {
		return nil, err
	}
	var items []audit.Item
	for i, captions := range next {
		for _, words := range captions {
			items = append(items, r.auditItem(images[i], words))
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
