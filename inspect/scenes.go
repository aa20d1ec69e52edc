package inspect

import (
	"context"

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
	small, size, place, err := r.shrunk(image, sceneSize)
	if err != nil {
		return reports.Scene{}, err
	}
	return reports.Scene{JPEG: small, Width: size.X, Height: size.Y, References: r.Data.Images[place].Captions()}, nil
}
