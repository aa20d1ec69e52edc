package experiments

import "fmt"

// Content identifies what the files of a data set hold, as far as a trial reads them: leading hex digits of SHA-256
// sums, computed by the code that reads the files. An empty field is unknown.
type Content struct {
	Captions string `json:"captions"`
	Splits   string `json:"splits"`
	Pictures string `json:"pictures"`
}

// Differences names the fields in which two contents are known to differ, such as "pictures 3fa2c0d1 against 9b07aa12".
// A field that is unknown on either side is not a difference.
func (c Content) Differences(other Content) []string {
	var found []string
	for _, f := range []struct{ name, a, b string }{
		{"captions", c.Captions, other.Captions}, {"splits", c.Splits, other.Splits}, {"pictures", c.Pictures, other.Pictures},
	} {
		if f.a == "" || f.b == "" || f.a == f.b {
			continue
		}
		a, b := f.a[:min(8, len(f.a))], f.b[:min(8, len(f.b))]
		if a == b {
			a, b = f.a, f.b
		}
		found = append(found, fmt.Sprintf("%s %s against %s", f.name, a, b))
	}
	return found
}

// FeatureContent is what files of features hold of the images that a trial needs, as the code that reads them found. The
// zero value is unknown.
type FeatureContent struct {
	SHA256 string `json:"sha256"`        // leading hex digits, over the images and their numbers
	Least  int    `json:"least_regions"` // of an image
	Most   int    `json:"most_regions"`
	Dim    int    `json:"dim"` // numbers of a region
}

// Varies reports whether images have different numbers of regions.
func (c FeatureContent) Varies() bool { return c.Least != c.Most }

// SetContents makes the content of the data a part of each trial's identity. of gives the content of a data set as a
// trial reads it, and is called once for each that the trials have. It is called after MatchParameters, which does not
// depend on it, and before Plan; a plan that grows (Continue) asks of for what is new.
func (s *Study) SetContents(of func(Data) (Content, error)) error {
	s.contents, s.contentOf = map[Data]Content{}, of
	if _, err := s.Plan(); err != nil {
		s.contents, s.contentOf = nil, nil
		return err
	}
	return nil
}

// content returns the content of a data set, nothing before SetContents.
func (s *Study) content(d Data) (Content, error) {
	if s.contentOf == nil {
		return Content{}, nil
	}
	d.Content = Content{}
	c, known := s.contents[d]
	if !known {
		var err error
		if c, err = s.contentOf(d); err != nil {
			return Content{}, err
		}
		s.contents[d] = c
	}
	return c, nil
}

// SetFeatures makes what files of features hold a part of the identity of each trial that reads them, as SetContents does
// for data. of gives it for the data and the encoder of a trial, and is called once for each pair that the trials have; so it
// is for what is new in a plan that grows.
func (s *Study) SetFeatures(of func(Data, Encoder) (FeatureContent, error)) error {
	s.features, s.featuresOf = map[featureSource]FeatureContent{}, of
	if _, err := s.Plan(); err != nil {
		s.features, s.featuresOf = nil, nil
		return err
	}
	return nil
}

// featureSource is the encoder that reads features, for which data.
type featureSource struct {
	data    Data
	encoder Encoder
}

// featureContent returns the content of the files that a trial reads its features from, nothing
// for others and before SetFeatures.
func (s *Study) featureContent(of Settings) (FeatureContent, error) {
	if s.featuresOf == nil || !precomputed(&of) {
		return FeatureContent{}, nil
	}
	of.Data.Content = Content{}
	from := featureSource{of.Data, of.Encoder}
	c, known := s.features[from]
	if !known {
		var err error
		if c, err = s.featuresOf(from.data, from.encoder); err != nil {
			return FeatureContent{}, err
		}
		s.features[from] = c
	}
	return c, nil
}

// Bare is the settings without the content and the location of the data, and without the location of features. Its ID is
// the one that runs had before data were part of it.
func (s Settings) Bare() Settings {
	s.Data.Content, s.Data.Root = Content{}, ""
	s.Encoder.Path, s.Encoder.Names = "", ""
	return s
}
