package experiments

// DistinctFeatures keeps, of trials that look at the same features, the first: features follow from the data set, the
// encoder and, where its weights are drawn at random, the seed.
func DistinctFeatures(trials []Trial) []Trial {
	type features struct {
		data    Data
		encoder Encoder
		seed    int64
	}
	var kept []Trial
	seen := map[features]bool{}
	for _, t := range trials {
		// The same files, wherever they lie and whatever is expected in them.
		key := features{data: t.Settings.Bare().Data, encoder: t.Settings.Encoder}
		key.encoder.Train = EncoderTrain{Blocks: t.Settings.Encoder.Train.Blocks} // how they are trained changes nothing below them
		if t.Settings.Encoder.Weights == "random" {
			key.seed = t.Settings.Seed
		}
		if !seen[key] {
			seen[key] = true
			kept = append(kept, t)
		}
	}
	return kept
}
