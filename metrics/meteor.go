package metrics

import "glimpse/metrics/meteor"

// METEOR with its data and METEOR without them are two metrics, of which scores
// have one. An image's statistics have the same form for both.
const (
	METEORKey    = "meteor"
	ExactStemKey = "meteor-exact-stem"
)

// IsMETEOR reports whether a key is one of METEOR's two.
func IsMETEOR(key string) bool { return key == METEORKey || key == ExactStemKey }

// METEORIn returns the key of METEOR in scores: [METEORKey] if they were computed
// with METEOR's data, else [ExactStemKey].
func METEORIn(scores map[string]float64) string {
	if _, ok := scores[METEORKey]; ok {
		return METEORKey
	}
	return ExactStemKey
}

func meteorOf(s *ImageScore) float64 { return s.METEOR }

// CorpusMETEOR returns METEOR of a multiset of images, as a fraction of 1, from
// the sum of their statistics (Denkowski & Lavie 2014, "Meteor Universal: language
// specific translation evaluation for any target language", WMT,
// doi:10.3115/v1/W14-3348). METEOR reports this score for a whole test set; it is
// not the mean of the images' scores. Without images, it is 0.
func CorpusMETEOR(images []ImageScore) float64 {
	var sum meteor.Stats
	for i := range images {
		sum.Add(&images[i].MeteorStats)
	}
	return sum.Score()
}
