package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
	"glimpse/results"
	"glimpse/runner"
)

// An Opener opens runs of a results database again. It keeps the data set that
// it loaded last, since runs that are opened one after another mostly share it.
// It must not be used by several goroutines at once.
type Opener struct {
	DB *store.DB
	// Engine makes captioners; nil where there is none, and then only what is stored can be looked at.
	Engine Engine
	// Root is the folder of the data set; "" takes the one that a run's study names.
	Root string
	// Features and Names are the files of features of runs whose encoder reads them; "" takes those that a run's study names.
	Features, Names string
	// Captioners are files of packed captioners, which stand in for checkpoints that are not here.
	Captioners []string
	// Cache is where data sets are kept, as in [runner.Config].
	Cache data.Cache
	// Remark gets a line, without its end, before each part that may take
	// minutes; nil for none.
	Remark func(line string)

	last   *data.Dataset
	lastOf experiments.Data // the settings that last was loaded for
	places map[string]int   // of the images in last, by their ids
}

// Run is a run opened again.
type Run struct {
	store.Run
	Settings experiments.Settings
	Data     *data.Dataset // that the run was made with

	opener *Opener
	places map[string]int
}

// Open reads the settings of a run and loads its data set. It returns a
// [runner.DataError] for another data set than the run was made with. The
// checkpoint is not needed yet.
func (o *Opener) Open(ctx context.Context, run store.Run) (*Run, error) {
	settings, err := results.SaneSettings(run)
	if err != nil {
		return nil, err
	}
	if o.last == nil || settings.Data != o.lastOf {
		if err := o.load(ctx, run, settings); err != nil {
			return nil, err
		}
	}
	if settings.Encoder.Path, settings.Encoder.Names, err = o.featureFiles(ctx, run, settings); err != nil {
		return nil, err
	}
	r := &Run{Run: run, Settings: settings, Data: o.last, opener: o, places: o.places}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

// load loads a data set as a run's settings describe it.
func (o *Opener) load(ctx context.Context, run store.Run, settings experiments.Settings) error {
	root := o.Root
	if root == "" {
		p, err := o.placesIn(ctx, run.Study)
		if err != nil {
			return err
		}
		root = p.Data.Root
	}
	of := settings.Data
	settings.Data.Root = root
	d, err := data.Load(runner.DataOptions(settings, root, o.Cache))
	if err != nil {
		return fmt.Errorf("data set %s, needed for the references: %w; set its folder with --data", of.Name, err)
	}
	o.last, o.lastOf, o.places = d, of, make(map[string]int, len(d.Images))
	for i, image := range d.Images {
		o.places[image.ID] = i
	}
	return nil
}

// check holds that the run was made with this data set.
func (r *Run) check() error {
	if err := runner.CheckData(r.Run, r.Data); err != nil {
		return err
	}
	here := runner.Signature(r.Settings, r.Data, "")
	if found := stats.SignatureDifferences(r.Signature, here, "metrics"); len(found) > 0 {
		return fmt.Errorf("run %s used another data set than the one in %q: %s",
			r.ID, r.Data.Options.Root, strings.Join(found, "; "))
	}
	return nil
}

// recordedPlaces are the files that a recorded study names.
type recordedPlaces struct {
	Data    struct{ Root string }
	Encoder struct{ Path, Names string }
}

// placesIn reads them.
func (o *Opener) placesIn(ctx context.Context, study string) (p recordedPlaces, err error) {
	recorded, err := o.DB.Study(ctx, study)
	if err != nil {
		return p, err
	}
	if err := yaml.Unmarshal([]byte(recorded.Spec), &p); err != nil {
		return p, fmt.Errorf("study %s: cannot read its specification: %w", recorded.Name, err)
	}
	return p, nil
}

// featureFiles are those that a run's encoder reads features from: those that the opener was told, else those of the run's arm,
// else its study's. Encoders that see pictures have none.
func (o *Opener) featureFiles(ctx context.Context, run store.Run, s experiments.Settings) (path, names string, err error) {
	if s.Encoder.Name != captioner.Precomputed {
		return "", "", nil
	}
	if o.Features != "" || run.Study == "" {
		return o.Features, o.Names, nil
	}
	p, err := o.placesIn(ctx, run.Study)
	return cmp.Or(run.Swept["encoder.path"], p.Encoder.Path), cmp.Or(run.Swept["encoder.names"], p.Encoder.Names), err
}

func (o *Opener) remark(format string, arguments ...any) {
	if o.Remark != nil {
		o.Remark(fmt.Sprintf(format, arguments...))
	}
}

// ErrNoEngine is returned where a captioner is needed and there is no engine to
// make one.
var ErrNoEngine = errors.New("this needs glimpse-engine, which is not available")

// Captioner makes the captioner of the run and loads its best checkpoint. It
// fails where the checkpoint is gone or damaged, and where features of a frozen
// encoder are missing from the cache. The caller closes it.
func (r *Run) Captioner() (Captioner, error) {
	checkpoint, err := r.checkpoint()
	if err != nil {
		return nil, err
	}
	return r.loaded(func(c Captioner) error { return c.Load(checkpoint) })
}

// checkpoint is the path of the run's best checkpoint.
func (r *Run) checkpoint() (string, error) {
	return runner.BestCheckpoint(runner.DefaultDir(r.opener.DB), r.Run)
}

// loaded makes the captioner of the run and loads its weights.
func (r *Run) loaded(load func(Captioner) error) (Captioner, error) {
	if r.opener.Engine == nil {
		return nil, ErrNoEngine
	}
	captioner, err := r.opener.Engine.Open(r.Settings, r.Data)
	if err != nil {
		return nil, err
	}
	if err := load(captioner); err != nil {
		captioner.Close()
		return nil, err
	}
	return captioner, nil
}

// place is where an image of a stored caption is in the data set.
func (r *Run) place(image string) (int, error) {
	place, known := r.places[image]
	if !known {
		return 0, fmt.Errorf("run %s: the data set has no image %q, which has a stored caption", r.ID, image)
	}
	return place, nil
}

// given turns stored captions into those that a captioner reads, in their order.
func (r *Run) given(captions []store.Caption) ([]data.Caption, error) {
	given := make([]data.Caption, len(captions))
	for i, c := range captions {
		image, err := r.place(c.Image)
		if err != nil {
			return nil, err
		}
		given[i] = data.Caption{Image: image, Words: strings.Fields(c.Words)}
	}
	return given, nil
}
