package metrics

// Version names the metric definitions of this package. It is part of every
// protocol signature: scores of different versions are never compared.
const Version = "1"

// MaxOrder is the longest n-gram that BLEU and CIDEr count.
const MaxOrder = 4

// Item is one image to be scored: a candidate caption and its references, as
// tokens (see [Tokenize]).
type Item struct {
	ID         string
	Candidate  []string
	References [][]string
}

// ImageScore holds the scores of one candidate and the sufficient statistics
// from which corpus scores are recomputed. CIDEr values keep the inverse
// document frequencies of the corpus that was scored, so that a resample of
// images averages them without looking at the references again.
type ImageScore struct {
	ID string `json:"id"`

	// Match[n] is the number of candidate (n+1)-grams found in the
	// references, clipped to the highest count in one reference. The number
	// of candidate (n+1)-grams is max(0, Length-n).
	Match [MaxOrder]int `json:"match"`
	// Length is the number of tokens of the candidate.
	Length int `json:"length"`
	// RefLength is the length of the reference closest to Length, the
	// shorter one of a tie.
	RefLength int `json:"ref_length"`

	RougeL float64 `json:"rouge_l"`
	// CIDEr is coco-caption's value, which is what papers report under this
	// name. It is CIDEr-D with lengths taken in bigrams, and so differs from
	// CIDErD only where a caption is empty.
	CIDEr  float64 `json:"cider"`
	CIDErD float64 `json:"cider_d"`
	// CIDErPlain is CIDEr before the changes of CIDEr-D: no clipping, no
	// penalty for length.
	CIDErPlain float64 `json:"cider_plain"`
	// METEOR is the segment score, or that of exact and stem matches alone
	// where METEOR's data are absent (see [Scorer]).
	METEOR float64 `json:"meteor"`
	// MeteorStats are the counts of the best-matching reference, from which
	// [CorpusMETEOR] computes the corpus value.
	MeteorStats MeteorStats `json:"meteor_stats"`

	// Blank says that the candidate has no tokens at all.
	Blank bool `json:"blank,omitempty"`
}

// MeteorStats are METEOR's additive counts of one candidate against one
// reference. Sums over images give the corpus score.
type MeteorStats struct {
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

// Result is the outcome of scoring a set of images: corpus metrics by key
// (see [Catalogue]) and the score of each image, in the order of the items.
type Result struct {
	Metrics map[string]float64 `json:"metrics"`
	Images  []ImageScore       `json:"images"`
}
