package meteor

import "math"

// Stats are METEOR's additive counts of one candidate against one
// reference. Sums over images give the corpus score.
type Stats struct {
	// TestLength and RefLength are the numbers of words.
	TestLength int `json:"test_length"`
	RefLength  int `json:"ref_length"`
	// TestMatches and RefMatches are the numbers of words covered by matches.
	TestMatches int `json:"test_matches"`
	RefMatches  int `json:"ref_matches"`
	// Chunks is the number of contiguous, identically ordered runs of matches.
	Chunks int `json:"chunks"`
	// TestWeight and RefWeight are the lengths with content words weighted
	// by δ and function words by 1-δ.
	TestWeight float64 `json:"test_weight"`
	RefWeight  float64 `json:"ref_weight"`
	// TestMatchWeight and RefMatchWeight are the matches weighted likewise,
	// times the weight of the matcher that found them.
	TestMatchWeight float64 `json:"test_match_weight"`
	RefMatchWeight  float64 `json:"ref_match_weight"`
}

// Add adds the statistics of another image. The single chunk of a perfect match is
// left out, so that it adds nothing to fragmentation.
func (s *Stats) Add(t *Stats) {
	if !t.Perfect() {
		s.Chunks += t.Chunks
	}
	s.TestLength += t.TestLength
	s.RefLength += t.RefLength
	s.TestMatches += t.TestMatches
	s.RefMatches += t.RefMatches
	s.TestWeight += t.TestWeight
	s.RefWeight += t.RefWeight
	s.TestMatchWeight += t.TestMatchWeight
	s.RefMatchWeight += t.RefMatchWeight
}

// Perfect reports whether all words on both sides match in one piece.
func (s *Stats) Perfect() bool {
	return s.Chunks == 1 && s.TestMatches == s.TestLength && s.RefMatches == s.RefLength
}

// Score returns METEOR: the harmonic mean of weighted precision and recall,
// less a penalty for the number of chunks among the matches.
func (s Stats) Score() float64 {
	if s.TestMatchWeight == 0 || s.RefMatchWeight == 0 {
		return 0
	}
	precision := s.TestMatchWeight / s.TestWeight
	recall := s.RefMatchWeight / s.RefWeight
	mean := 1 / ((1-alpha)/precision + alpha/recall)
	fragmentation := 0.0
	if !s.Perfect() {
		fragmentation = float64(s.Chunks) / (float64(s.TestMatches+s.RefMatches) / 2)
	}
	return max(0, mean*(1-gamma*math.Pow(fragmentation, beta)))
}
