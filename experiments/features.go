package experiments

// DistinctFeatures keeps the first of all trials with the same features. Features depend on the
// data set, the encoder and, if its weights are drawn at random, the seed.
func DistinctFeatures(trials []Trial) []Trial {
	type features struct {
		data    Data
		encoder Encoder
		seed    int64
	}
	var kept []Trial
	seen := map[features]bool{}
	for _, t := range trials {
		// The same files, whatever their path and expected content.
		key := features{data: t.Settings.Bare().Data, encoder: t.Settings.Encoder}
		key.encoder.Train = EncoderTrain{Blocks: t.Settings.Encoder.Train.Blocks} // how the blocks are trained does not affect the blocks below them
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
