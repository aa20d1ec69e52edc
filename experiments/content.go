package experiments

import "fmt"

// Content identifies the contents of a data set's files, as far as a trial reads them: the first
// hex digits of SHA-256 hashes, computed by the code that reads the files. An empty field is
// unknown.
type Content struct {
	Captions string `json:"captions"`
	Splits   string `json:"splits"`
	Pictures string `json:"pictures"`
}

// Differences lists the fields in which two contents are known to differ, such as "pictures
// 3fa2c0d1 against 9b07aa12". A field that is unknown in either is not a difference.
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

// FeatureContent describes the features, in given files, of the images that a trial needs. It is
// computed by the code that reads the files. The zero value is unknown.
type FeatureContent struct {
	SHA256 string `json:"sha256"`        // first hex digits of the hash of the images and their features
	Least  int    `json:"least_regions"` // fewest regions of an image
	Most   int    `json:"most_regions"`
	Dim    int    `json:"dim"` // numbers per region
}

// Varies reports whether images have different numbers of regions.
func (c FeatureContent) Varies() bool { return c.Least != c.Most }

// SetContents makes the content of the data part of each trial's identity. of returns the content
// of a data set as a trial reads it, and is called once for each data set of the trials. Call
// SetContents after MatchParameters, which does not depend on it, and before Plan. A plan that
// grows (Continue) calls of for new data sets.
func (s *Study) SetContents(of func(Data) (Content, error)) error {
	s.contents, s.contentOf = map[Data]Content{}, of
	if _, err := s.Plan(); err != nil {
		s.contents, s.contentOf = nil, nil
		return err
	}
	return nil
}

// content returns the content of a data set; the zero value before SetContents.
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

// SetFeatures makes the content of feature files part of the identity of each trial that reads
// them, as SetContents does for data. of returns it for the data and the encoder of a trial, and
// is called once for each such pair of the trials, also in a plan that grows.
func (s *Study) SetFeatures(of func(Data, Encoder) (FeatureContent, error)) error {
	s.features, s.featuresOf = map[featureSource]FeatureContent{}, of
	if _, err := s.Plan(); err != nil {
		s.features, s.featuresOf = nil, nil
		return err
	}
	return nil
}

// featureSource is an encoder that reads features, and the data they are for.
type featureSource struct {
	data    Data
	encoder Encoder
}

// featureContent returns the content of the files from which a trial reads its features; the zero
// value for other trials and before SetFeatures.
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

// Bare returns the settings without the content and location of the data, and without the
// location of features. Its ID is the one that runs had before data became part of it.
func (s Settings) Bare() Settings {
	s.Data.Content, s.Data.Root = Content{}, ""
	s.Encoder.Path, s.Encoder.Names = "", ""
	return s
}
