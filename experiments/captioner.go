package experiments

import "glimpse/captioner"

// Features returns the shape of a picture's features. For precomputed features, the number of
// regions is the largest of any image.
func (e Encoder) Features() (captioner.Features, error) {
	if e.Name == captioner.Precomputed && e.Content != (FeatureContent{}) {
		return captioner.Features{Regions: e.Content.Most, Dim: e.Content.Dim}, nil
	}
	encoder, err := captioner.EncoderOf(e.Name)
	if err != nil {
		return captioner.Features{}, err
	}
	return encoder.Features(e.ImageSize, e.Channels)
}

// Sizes returns the dimensions of the captioner for a vocabulary of this many words and this many
// features per region.
func (m Model) Sizes(vocabulary, features int) captioner.Sizes {
	return captioner.Sizes{
		Vocabulary: int64(vocabulary), Features: int64(features), Embedding: int64(m.Embedding),
		Hidden: int64(m.Hidden), Attention: int64(m.AttentionSize), Layers: int64(max(m.Layers, 1)),
	}
}

// Parameters counts the trained parameters of a captioner with a vocabulary of this many words.
func (s Settings) Parameters(vocabulary int) (int64, error) {
	arm, err := captioner.ArmOf(s.Model.Attention)
	if err != nil {
		return 0, err
	}
	cell, err := captioner.CellOf(s.Model.CellName())
	if err != nil {
		return 0, err
	}
	features, err := s.Encoder.Features()
	if err != nil {
		return 0, err
	}
	shapes := arm.Parameters(cell, s.Model.Sizes(vocabulary, features.Dim))
	if s.Encoder.Name == captioner.Joint {
		shapes = append(shapes, captioner.JointParameters(s.Encoder.Channels)...)
	}
	if tunes(&s) {
		encoder, err := captioner.EncoderOf(s.Encoder.Name)
		if err != nil {
			return 0, err
		}
		trained, err := encoder.TrainedParameters(s.Encoder.Train.Blocks)
		if err != nil {
			return 0, err
		}
		shapes = append(shapes, trained...)
	}
	return captioner.Count(shapes), nil
}
