package planning

import (
	"errors"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/results"
	"glimpse/runner"
)

// Sets are the data sets that trials need, each loaded once.
type Sets struct {
	Cache data.Cache // as in [runner.Config]
	// NoGit keeps git from being asked for the commit that a declaration is recorded with.
	NoGit  bool
	loaded map[experiments.Data]*loadedSet
}

// loadedSet is a data set with what was found out about it.
type loadedSet struct {
	*data.Dataset
	content  experiments.Content         // zero until it is asked for
	features map[data.FeatureSpec]string // their hashes
	// precomputed is what files of features hold for it.
	precomputed map[experiments.Encoder]experiments.FeatureContent
}

func (sets *Sets) of(s experiments.Settings) (*loadedSet, error) {
	s.Data.Content, s.Data.Augment = experiments.Content{}, experiments.Augment{} // the same files, whatever is expected in them and seen of them
	if d, loaded := sets.loaded[s.Data]; loaded {
		return d, nil
	}
	d, err := data.Load(runner.DataOptions(s, s.Data.Root, sets.Cache))
	if err != nil {
		return nil, err
	}
	if sets.loaded == nil {
		sets.loaded = map[experiments.Data]*loadedSet{}
	}
	sets.loaded[s.Data] = &loadedSet{
		Dataset: d, features: map[data.FeatureSpec]string{}, precomputed: map[experiments.Encoder]experiments.FeatureContent{},
	}
	return sets.loaded[s.Data], nil
}

// Load gives the data set of a trial.
func (sets *Sets) Load(s experiments.Settings) (*data.Dataset, error) {
	d, err := sets.of(s)
	if err != nil {
		return nil, err
	}
	return d.Dataset, nil
}

// Trials gives the trials of a study with their parameters counted and, if it asks for that, matched. What their data hold is
// part of their identity.
func (sets *Sets) Trials(study *experiments.Study) ([]experiments.Trial, error) {
	var failed error
	err := study.MatchParameters(func(s experiments.Settings) int64 {
		d, err := sets.Load(s)
		if err != nil {
			failed = err
			if wrong := (data.Error{}); s.Data.Root == "" || errors.As(err, &wrong) && wrong.File == s.Data.Root {
				failed = study.Wrong("data.root", err)
			}
			return 0
		}
		if err := runner.CheckSplits(s, d); err != nil {
			failed = study.Wrong("data.split", err)
			return 0
		}
		if s.Encoder.Content, err = sets.featureContent(s.Data, s.Encoder); err != nil {
			failed = study.Wrong("encoder.path", err)
			return 0
		}
		n, err := s.Parameters(len(d.Vocabulary.Words))
		if err != nil {
			failed = err
		}
		return n
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	err = study.SetContents(func(of experiments.Data) (experiments.Content, error) {
		return sets.content(experiments.Settings{Data: of})
	})
	if err != nil {
		return nil, err
	}
	if err := study.SetFeatures(sets.featureContent); err != nil {
		return nil, err
	}
	return study.Plan()
}

// featureContent is what the files hold that an encoder reads features from, checked for a data set as a whole; nothing for
// encoders that read none.
func (sets *Sets) featureContent(of experiments.Data, e experiments.Encoder) (experiments.FeatureContent, error) {
	if e.Name != captioner.Precomputed {
		return experiments.FeatureContent{}, nil
	}
	d, err := sets.of(experiments.Settings{Data: of})
	if err != nil {
		return experiments.FeatureContent{}, err
	}
	if found, known := d.precomputed[e]; known {
		return found, nil
	}
	files, err := data.OpenPrecomputed(d.Options.Cache, e.Path, e.Names, d.Dataset)
	if err != nil {
		return experiments.FeatureContent{}, err
	}
	d.precomputed[e] = experiments.FeatureContent(files.Content())
	return d.precomputed[e], files.Close()
}

// content is what a data set holds.
func (sets *Sets) content(s experiments.Settings) (experiments.Content, error) {
	d, err := sets.of(s)
	if err != nil {
		return experiments.Content{}, err
	}
	if d.content == (experiments.Content{}) {
		if d.content, err = runner.ContentOf(d.Dataset); err != nil {
			return experiments.Content{}, err
		}
	}
	return d.content, nil
}

// present is the data set of a trial as far as its identity goes.
func (sets *Sets) present(s experiments.Settings) (results.Present, error) {
	content, err := sets.content(s)
	if err != nil {
		return results.Present{}, err
	}
	d, err := sets.of(s)
	if err != nil {
		return results.Present{}, err
	}
	return results.Present{Content: content, Data: "data=" + runner.DataField(d.Dataset), Features: sets.features(d)}, nil
}

// features gives the hash of the features that an encoder makes of a data set by weights of this sha256, as runs record
// it (hashes.features): "" for an encoder that is not frozen. It needs neither weights nor features.
func (sets *Sets) features(d *loadedSet) func(s experiments.Settings, weightsSHA256 string) (string, error) {
	return func(s experiments.Settings, weightsSHA256 string) (string, error) {
		if !(captioner.Encoder{Name: s.Encoder.Name}).Frozen() {
			return "", nil
		}
		spec, err := data.SpecOf(s.Encoder.Name, s.Encoder.ImageSize, s.Encoder.Train.Blocks, weightsSHA256)
		if err != nil {
			return "", err
		}
		if hash, known := d.features[spec]; known {
			return hash, nil
		}
		hash, err := data.FeatureHash(spec, d.Dataset)
		if err == nil {
			d.features[spec] = hash
		}
		return hash, err
	}
}
