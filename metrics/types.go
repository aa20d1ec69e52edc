package metrics

import "glimpse/metrics/meteor"

// Version names the metric definitions of this package. It is part of every
// protocol signature: scores of different versions are never compared.
const Version = "1"

// MaxOrder is the longest n-gram that BLEU and CIDEr count.
const MaxOrder = 4

// Item is one image to be scored: a candidate caption and its references, as
// tokens (see package ptb).
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
	MeteorStats meteor.Stats `json:"meteor_stats"`

	// Blank says that the candidate has no tokens at all.
	Blank bool `json:"blank,omitempty"`
}

// Result is the outcome of scoring a set of images: corpus metrics by key
// (see [Catalogue]) and the score of each image, in the order of the items.
type Result struct {
	Metrics map[string]float64 `json:"metrics"`
	Images  []ImageScore       `json:"images"`
}
