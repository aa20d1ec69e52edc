// Package audit scores the same captions under many protocols for BLEU, as
// papers, scripts and tutorials have them, to show what a published number can
// mean ([Score], [Protocols]).
package audit

import (
	"fmt"
	"strings"

	"glimpse/internal/crash"
	"glimpse/metrics"
	"glimpse/metrics/ptb"
)

// Item is one image for [Score]: its caption and references as text and as
// tokens. Tokens that are nil are made of the text by [ptb.Tokenize], and text
// that is missing of the tokens.
type Item struct {
	ID              string
	Candidate       string
	References      []string
	CandidateTokens []string
	ReferenceTokens [][]string
}

// Claim is a pair of reported scores, as fractions of 1.
type Claim struct {
	BLEU1 float64 `json:"bleu1"`
	BLEU2 float64 `json:"bleu2"`
}

// The scores that the Keras system at the start of this project reports for
// Flickr8k, without saying how they were computed.
var (
	ClaimTest  = Claim{0.81, 0.73}
	ClaimTrain = Claim{0.8145, 0.775}
)

// Split is a set of captions to audit.
type Split struct {
	Name string
	// HeldOut says that no image of the split was trained on. No protocol
	// makes the scores of other splits reportable.
	HeldOut bool
	Claim   Claim
	Items   []Item
	// TeacherForced are captions made of the most likely next words given a
	// reference's words so far, one item for each reference, with the ID and
	// all references of its image; empty to leave that protocol out.
	TeacherForced []Item
}

// Row is what one protocol makes of the captions of one split.
type Row struct {
	Split    string                    `json:"split"`
	Protocol string                    `json:"protocol"`
	Says     string                    `json:"says"`
	Source   string                    `json:"source"`
	BLEU     [metrics.MaxOrder]float64 `json:"bleu"`
	// Images is how many images the protocol scored; it may leave some out.
	Images int `json:"images"`
	// Reportable says that a paper may give these numbers as BLEU without
	// further words; Why says why, or why not.
	Reportable bool   `json:"reportable"`
	Why        string `json:"why"`
	// Reaches says that BLEU-1 and BLEU-2 are at least those of the claim.
	Reaches bool  `json:"reaches"`
	Claim   Claim `json:"claim"`
}

// Protocol is a way to compute BLEU from captions.
type Protocol struct {
	Key        string
	Says       string
	Source     string
	Reportable bool
	Why        string
	// score returns BLEU-1 to BLEU-4 and the number of images scored.
	score func(items []Item) (bleu, int)
}

// Protocols lists all protocols but for teacher forcing, which needs other
// captions, in the order in which [Score] applies them.
func Protocols() []Protocol {
	return []Protocol{
		{"coco", "corpus BLEU, all references, closest length, brevity penalty, PTB tokens",
			"Papineni et al. 2002; Chen et al. 2015, arXiv 1504.00325", true,
			"what captioning papers report", cocoBLEU},
		{"sentence-mean", "mean of the images' BLEU",
			"per-image values of coco-caption", false,
			"not BLEU, which is defined over a corpus", sentenceMeanBLEU},
		{"sentence-mean-epsilon", "mean of the images' BLEU, 0.1 for a count of 0",
			"Chen & Cherry 2014, method 1; NLTK SmoothingFunction.method1", false,
			"not BLEU, and it depends on the smoothing", epsilonBLEU},
		{"sentence-mean-add-one", "mean of the images' BLEU, 1 added to counts above unigrams",
			"Lin & Och 2004; NLTK SmoothingFunction.method2", false,
			"not BLEU, and it depends on the smoothing", addOneBLEU},
		{"no-brevity", "corpus BLEU without brevity penalty",
			"modified n-gram precision, Papineni et al. 2002, section 2.1", false,
			"rewards captions of one safe word", noBrevityBLEU},
		{"first-reference", "corpus BLEU against the first reference only",
			"Papineni et al. 2002, section 2.1.1", false,
			"comparable only with others that name the reference; lower than with five", firstReferenceBLEU},
		{"best-reference", "corpus BLEU against the one reference closest to each caption",
			"oracle choice, no published definition", false,
			"the reference is chosen by looking at the score", bestReferenceBLEU},
		{"markers", "<s> and </s> counted as words on both sides",
			"a Keras habit: captions are wrapped in markers and never unwrapped", false,
			"two words of each caption are right by construction", markersBLEU},
		{"no-comma-references", "references with a comma left out",
			"CSV split at commas, rows of more than two fields dropped", false,
			"drops long references, and images with no other", noCommaBLEU},
		{"cut-references", "references cut at their first comma",
			"CSV split at commas, the second field taken", false,
			"the references are no longer what people wrote", cutReferencesBLEU},
		{"keras-tokens", "words by the Keras Tokenizer's filter",
			"keras.preprocessing.text.Tokenizer, default filters", false,
			"comparable only with the same tokens", kerasTokensBLEU},
		{"seed-parsing", "the Keras system's own reading: no references with commas, Keras words, markers counted",
			"the system's script", false,
			"the three habits at once", seedParsingBLEU},
		{"nltk-default-weights", "BLEU-4 in the place of each order",
			"nltk.translate.bleu_score called without weights", false,
			"it is BLEU-4 under other names", defaultWeightsBLEU},
		{"nltk-tutorial-weights", "BLEU-3 with weights 0.3, 0.3, 0.3",
			"weights found in many captioning tutorials", false,
			"weights that do not sum to 1 raise BLEU-3", tutorialWeightsBLEU},
		{"nltk-single-order", "precision of each order alone, with brevity penalty",
			"NLTK weights (0, 1, 0, 0) and so on, the individual n-gram score", false,
			"not cumulative BLEU", singleOrderBLEU},
		{"characters", "BLEU of characters",
			"NLTK given strings where it wants lists of words", false,
			"letters are easier to guess than words", charactersBLEU},
		{"all-lenient", "markers counted, no brevity penalty, no references with commas, mean over images with 0.1 for 0",
			"the lenient habits above together, on words", false,
			"an upper end, to see whether word-level habits suffice", allLenientBLEU},
	}
}

// teacherForced is the protocol for [Split.TeacherForced].
var teacherForced = Protocol{"teacher-forced", "next words given the reference's own words so far",
	"training accuracy taken for decoding; Williams & Zipser 1989 for the method", false,
	"the model sees the right words before it guesses", teacherForcedBLEU}

// Score scores each split under every protocol and says which results reach
// the split's claim and which may be reported. It is an error if a split has
// no items or an item no references.
func Score(splits ...Split) ([]Row, error) {
	var rows []Row
	for _, s := range splits {
		if len(s.Items) == 0 {
			return nil, fmt.Errorf("audit: split %q has no captions", s.Name)
		}
		items, err := complete(s.Items)
		if err != nil {
			return nil, fmt.Errorf("audit: split %q: %w", s.Name, err)
		}
		protocols := Protocols()
		of := make([]Row, len(protocols))
		var wg crash.Workers
		for i, p := range protocols {
			wg.Go(func() { of[i] = s.row(p, items) })
		}
		wg.Wait()
		rows = append(rows, of...)
		if len(s.TeacherForced) > 0 {
			items, err := complete(s.TeacherForced)
			if err != nil {
				return nil, fmt.Errorf("audit: split %q: %w", s.Name, err)
			}
			rows = append(rows, s.row(teacherForced, items))
		}
	}
	return rows, nil
}

func (s *Split) row(p Protocol, items []Item) Row {
	row := Row{
		Split: s.Name, Protocol: p.Key, Says: p.Says, Source: p.Source,
		Reportable: p.Reportable && s.HeldOut, Why: p.Why, Claim: s.Claim,
	}
	if p.Reportable && !s.HeldOut {
		row.Why = "trained on these images"
	}
	row.BLEU, row.Images = p.score(items)
	if row.Images == 0 {
		row.Why = "leaves no image with a reference"
		return row
	}
	row.Reaches = row.BLEU[0] >= s.Claim.BLEU1 && row.BLEU[1] >= s.Claim.BLEU2
	return row
}

// complete fills in the tokens or the texts that are not given.
func complete(items []Item) ([]Item, error) {
	out := make([]Item, len(items))
	for i, item := range items {
		if item.CandidateTokens == nil {
			item.CandidateTokens = ptb.Tokenize(item.Candidate)
		} else if item.Candidate == "" {
			item.Candidate = strings.Join(item.CandidateTokens, " ")
		}
		if item.ReferenceTokens == nil {
			for _, r := range item.References {
				item.ReferenceTokens = append(item.ReferenceTokens, ptb.Tokenize(r))
			}
		} else if item.References == nil {
			for _, r := range item.ReferenceTokens {
				item.References = append(item.References, strings.Join(r, " "))
			}
		}
		out[i] = item
	}
	for _, item := range out {
		if n, m := len(item.References), len(item.ReferenceTokens); n != m {
			return nil, fmt.Errorf("image %q has %d references as text and %d as tokens", item.ID, n, m)
		} else if n == 0 {
			return nil, fmt.Errorf("image %q has no references", item.ID)
		}
	}
	return out, nil
}
