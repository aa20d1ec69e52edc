package metrics

import "glimpse/metrics/meteor"

// METEOR with its data and without are two metrics, only one of which a score
// has. The statistics of an image are the same for both.
const (
	METEORKey    = "meteor"
	ExactStemKey = "meteor-exact-stem"
)

// IsMETEOR reports whether a key is one of METEOR's two.
func IsMETEOR(key string) bool { return key == METEORKey || key == ExactStemKey }

// METEORIn returns the key under which scores hold METEOR, which is
// [ExactStemKey] unless they were made with METEOR's data.
func METEORIn(scores map[string]float64) string {
	if _, ok := scores[METEORKey]; ok {
		return METEORKey
	}
	return ExactStemKey
}

func meteorOf(s *ImageScore) float64 { return s.METEOR }

// CorpusMETEOR returns METEOR of a multiset of images from their summed
// statistics, as METEOR reports it for a whole test set; it is not the mean of
// the images' scores. No images give 0.
func CorpusMETEOR(images []ImageScore) float64 {
	var sum meteor.Stats
	for i := range images {
		sum.Add(&images[i].MeteorStats)
	}
	return sum.Score()
}
