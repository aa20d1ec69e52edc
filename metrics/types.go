package metrics

import "glimpse/metrics/meteor"

// Version is the version of this package's metric definitions. It is part of every
// protocol signature, so scores of different versions are never compared.
const Version = "1"

// MaxOrder is the length of the longest n-grams that BLEU and CIDEr count.
const MaxOrder = 4

// Item is one image to be scored: a candidate caption and its references, as
// tokens (see package ptb).
type Item struct {
	ID         string
	Candidate  []string
	References [][]string
}

// ImageScore holds the scores of one candidate and the sufficient statistics from
// which corpus scores can be recomputed. Scores are fractions of 1; those of the
// CIDEr family range from 0 to 10. The CIDEr values use the inverse document
// frequencies of the whole corpus that was scored, so a resample of images averages
// them without needing the references.
type ImageScore struct {
	ID string `json:"id"`

	// Match[n] is the number of the candidate's (n+1)-grams found in the
	// references, each clipped to its highest count in one reference. The candidate
	// has max(0, Length-n) (n+1)-grams.
	Match [MaxOrder]int `json:"match"`
	// Length is the number of tokens of the candidate.
	Length int `json:"length"`
	// RefLength is the length of the reference whose length is closest to Length;
	// the shorter one in a tie.
	RefLength int `json:"ref_length"`

	RougeL float64 `json:"rouge_l"`
	// CIDEr is coco-caption's CIDEr, which is what papers report under this name.
	// It is CIDEr-D with lengths measured in bigrams, so it differs from CIDErD
	// only if a caption is empty.
	CIDEr  float64 `json:"cider"`
	CIDErD float64 `json:"cider_d"`
	// CIDErPlain is CIDEr without the changes of CIDEr-D: no clipping and no length
	// penalty.
	CIDErPlain float64 `json:"cider_plain"`
	// METEOR is METEOR's segment score. Without METEOR's data (see [Scorer]), it
	// uses exact and stem matches alone.
	METEOR float64 `json:"meteor"`
	// MeteorStats are the counts for the best-matching reference, from which
	// [CorpusMETEOR] computes the corpus score.
	MeteorStats meteor.Stats `json:"meteor_stats"`

	// Blank is true if the candidate has no tokens.
	Blank bool `json:"blank,omitempty"`
}

// Result is the outcome of scoring a set of images: the corpus metrics by key (see
// [Catalogue]), and the score of each image in the order of the items.
type Result struct {
	Metrics map[string]float64 `json:"metrics"`
	Images  []ImageScore       `json:"images"`
}
