package inspect

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"slices"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/internal/store"
	"glimpse/reports"
)

// thumbnail is the longer side of a kept picture, in pixels.
const thumbnail = 224

// Illustrate keeps up to so many pictures for a study's report, in place of
// earlier ones, with where the best checkpoints looked before each word of their
// captions, and returns what it kept; 0 takes them out. Which they are,
// [reports.Choose] says. Fewer of those already kept need no checkpoint. A checkpoint that does
// not give the β that was stored with a caption is refused, and then nothing changes.
func (o *Opener) Illustrate(ctx context.Context, study string, images int) (store.Illustration, error) {
	var kept store.Illustration
	if images > 0 {
		choice, err := reports.Choose(ctx, o.DB, study, images)
		if err != nil {
			return kept, err
		}
		if kept, err = o.picture(ctx, study, choice); err != nil {
			return kept, fmt.Errorf("pictures of study %s: %w", study, err)
		}
	}
	return kept, o.DB.SaveIllustration(ctx, study, kept)
}

// selection takes a choice out of more pictures that are kept. ok is false if they do not include
// it, or show other runs.
func selection(stored store.Illustration, choice reports.Choice) (kept store.Illustration, ok bool) {
	if len(choice.Images) >= len(stored.Pictures) {
		return kept, false
	}
	for _, image := range choice.Images {
		at := slices.IndexFunc(stored.Pictures, func(p store.Picture) bool { return p.Image == image })
		if at < 0 {
			return store.Illustration{}, false
		}
		kept.Pictures = append(kept.Pictures, stored.Pictures[at])
	}
	for _, m := range stored.Maps {
		if !slices.Contains(choice.Runs, m.Run) {
			return store.Illustration{}, false
		}
		if slices.Contains(choice.Images, m.Image) {
			kept.Maps = append(kept.Maps, m)
		}
	}
	return kept, true
}

// picture makes what is kept of a choice, or takes it from what the study keeps already.
func (o *Opener) picture(ctx context.Context, study string, choice reports.Choice) (kept store.Illustration, err error) {
	stored, err := o.DB.Illustration(ctx, study)
	if err != nil {
		return kept, err
	}
	if kept, ok := selection(stored, choice); ok {
		return kept, nil
	}
	var r *Run
	for _, id := range choice.Runs {
		run, err := o.DB.Run(ctx, id)
		if err != nil {
			return kept, err
		}
		if r, err = o.Open(ctx, run); err != nil {
			return kept, err
		}
		if arm, err := captioner.ArmOf(r.Settings.Model.Attention); err != nil || !arm.Scores {
			continue
		}
		if r.Settings.Encoder.Name == captioner.Precomputed {
			o.remark("run %s: the positions of its regions are unknown, so its attention is not drawn on pictures", run.ID)
			continue
		}
		maps, err := r.attentionMaps(ctx, choice)
		if err != nil {
			return kept, err
		}
		kept.Maps = append(kept.Maps, maps...)
	}
	for _, image := range choice.Images {
		small, err := r.thumbnail(image)
		if err != nil {
			return kept, err
		}
		kept.Pictures = append(kept.Pictures, small)
	}
	return kept, nil
}

// thumbnail shrinks a picture of the data set.
func (r *Run) thumbnail(image string) (p store.Picture, err error) {
	small, size, err := r.shrunk(image, thumbnail)
	if err != nil {
		return p, err
	}
	p = store.Picture{Image: image, Dataset: r.Data.Name, Width: size.X, Height: size.Y, JPEG: small}
	switch r.Data.Name {
	case "shapes": // drawn: anyone may have as many as they like
		p.Dataset = ""
	case "folder": // one of many of that name
		p.Dataset += " " + r.Settings.Data.Content.Pictures
	}
	return p, nil
}

// shrunk is a picture of the data set as a JPEG that fits a square of the given side, in pixels, with its own size.
func (r *Run) shrunk(name string, side int) (small []byte, size image.Point, err error) {
	place, err := r.place(name)
	if err != nil {
		return nil, size, err
	}
	full, err := r.Data.Picture(place)
	if err != nil {
		return nil, size, err
	}
	picture := data.Shrink(full, side)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 80}); err != nil {
		return nil, size, fmt.Errorf("picture of %s: %w", name, err)
	}
	return b.Bytes(), picture.Rect.Size(), nil
}

// attentionMaps reads the run's captions of the chosen images with its best checkpoint.
func (r *Run) attentionMaps(ctx context.Context, choice reports.Choice) ([]store.AttentionMap, error) {
	encoder, err := captioner.EncoderOf(r.Settings.Encoder.Name)
	if err != nil {
		return nil, err
	}
	grid := encoder.Grid(r.Settings.Encoder.ImageSize)
	opened, tolerance, err := r.reader()
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	stored, err := r.opener.DB.Captions(ctx, r.ID, choice.Split)
	if err != nil {
		return nil, err
	}
	byImage := make(map[string]store.Caption, len(stored))
	for _, c := range stored {
		byImage[c.Image] = c
	}
	chosen := make([]store.Caption, len(choice.Images))
	for i, image := range choice.Images {
		chosen[i] = byImage[image]
		chosen[i].Image = image
	}
	captions, err := r.given(chosen)
	if err != nil {
		return nil, err
	}
	if err := opened.Explain(ctx, captions); err != nil {
		return nil, err
	}
	maps := make([]store.AttentionMap, len(captions))
	for i, c := range captions {
		image := chosen[i].Image
		if !near(c.Beta, chosen[i].Beta, tolerance) {
			return nil, fmt.Errorf("run %s: its checkpoint attends to %s differently than recorded: it is from another training",
				r.ID, image)
		}
		maps[i] = store.AttentionMap{
			Run: r.ID, Image: image, Side: grid.Side, First: grid.First, Step: grid.Step, Alpha: rounded(c.Alpha),
		}
	}
	return maps, nil
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
