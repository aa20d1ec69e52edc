package inspect

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"

	"glimpse/data"
	"glimpse/reports"
	"glimpse/results"
)

// sceneSize is the longer side of a drawn scene in a report, in pixels.
const sceneSize = 96

// Scenes gives the drawn scenes of a study with their captions, for its report; nil where the study is about pictures
// of others, or nothing of it has begun. Scenes follow from the settings of the runs, so that no file is read. It fails
// where they are not those that the runs were made with.
func (o *Opener) Scenes(ctx context.Context, study string) (reports.Scenes, error) {
	runs, err := o.DB.Runs(ctx, study)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if run.Signature == "" {
			continue
		}
		if settings, err := results.SaneSettings(run); err != nil || settings.Data.Name != "shapes" {
			return nil, err
		}
		r, err := o.Open(ctx, run)
		if err != nil {
			return nil, err
		}
		return r.scene, nil
	}
	return nil, nil
}

// scene draws an image of the run's data set.
func (r *Run) scene(image string) (reports.Scene, error) {
	place, err := r.place(image)
	if err != nil {
		return reports.Scene{}, err
	}
	drawn, err := r.Data.Picture(place)
	if err != nil {
		return reports.Scene{}, err
	}
	small := data.Shrink(drawn, sceneSize)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: 80}); err != nil {
		return reports.Scene{}, fmt.Errorf("picture of %s: %w", image, err)
	}
	return reports.Scene{JPEG: b.Bytes(), Width: small.Rect.Dx(), Height: small.Rect.Dy(), References: r.Data.Images[place].Captions()}, nil
}
