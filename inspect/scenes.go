package inspect

import (
	"context"
	"errors"

	"glimpse/reports"
	"glimpse/results"
)

// sceneSize is the longer side of a drawn scene in a report, in pixels.
const sceneSize = 96

// Scenes gives the drawn scenes of a study with their captions, for its report; nil where the study is about pictures
// of others, or nothing of it has begun. Scenes follow from the settings of the runs, so that no file is read. It fails
// where they are not those that the runs were made with.
func (o *Opener) Scenes(ctx context.Context, study string) (reports.Scenes, error) {
	run, err := o.begun(ctx, study)
	if errors.Is(err, errNothingBegun) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if settings, err := results.SaneSettings(run); err != nil || settings.Data.Name != "shapes" {
		return nil, err
	}
	r, err := o.Open(ctx, run)
	if err != nil {
		return nil, err
	}
	return (&Album{r}).scene, nil
}

// scene is an image of the album for a report.
func (a *Album) scene(image string) (reports.Scene, error) {
	small, size, err := a.run.shrunk(image, sceneSize)
	if err != nil {
		return reports.Scene{}, err
	}
	return reports.Scene{JPEG: small, Width: size.X, Height: size.Y, References: a.References(image)}, nil
}
