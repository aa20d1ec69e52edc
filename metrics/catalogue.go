package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// An Entry is a metric: what it is called, how it is shown and how it is
// computed. Values are fractions of 1, ratios or counts; CIDEr runs from 0 to 10.
type Entry struct {
	// Key names the metric in JSON, and after a split and a dot ([ParseKey]) in
	// study files and as a column.
	Key string
	// Title is its usual name, as reports give it.
	Title string
	// Heading heads a column of a table in text; empty for the title.
	Heading string
	// Scale is what a value is multiplied by to be shown: 100 for fractions and
	// CIDEr, which are then points, 1 for ratios and counts.
	Scale float64
	// Digits are the decimals shown after scaling.
	Digits int
	// Tested says that the statistics resample the metric over images, so that a
	// study can declare it. It then has Image, is stored for each image, and has
	// a scale of 100, since differences are in points.
	Tested bool
	// Brief says that the metric is shown where there is room for few.
	Brief bool

	// Image is the score of one image. Without Corpus its mean over the images
	// is the metric.
	Image func(s *ImageScore) float64
	// Corpus is the metric of a multiset of images, which may be empty.
	Corpus func(images []ImageScore) float64
	// Captions is the metric where it looks at the candidates rather than at
	// their scores, and whether the scorer has what it takes. There is at least
	// one item. Image and Corpus are then nil.
	Captions func(s *Scorer, items []Item) (value float64, ok bool)
}

// Catalogue lists all metrics, in the usual order of tables. What computes,
// compares or shows metrics asks it, so that a new one is an entry here.
var Catalogue = []Entry{
	bleuEntry(1), bleuEntry(2), bleuEntry(3), bleuEntry(4),
	// Mean ROUGE-L, β = 1.2.
	{Key: "rouge_l", Title: "ROUGE-L", Scale: 100, Digits: 1, Tested: true, Image: func(s *ImageScore) float64 { return s.RougeL }},
	// Mean CIDEr as coco-caption computes it, 0 to 10.
	{Key: "cider", Title: "CIDEr", Scale: 100, Digits: 1, Tested: true, Brief: true, Image: func(s *ImageScore) float64 { return s.CIDEr }},
	// Mean CIDEr-D as its paper defines it, 0 to 10.
	{Key: "cider_d", Title: "CIDEr-D", Scale: 100, Digits: 1, Tested: true, Image: func(s *ImageScore) float64 { return s.CIDErD }},
	// Mean CIDEr without the changes of CIDEr-D, 0 to 10. It is not stored for each image.
	{Key: "cider_plain", Title: "CIDEr plain", Scale: 100, Digits: 1, Image: func(s *ImageScore) float64 { return s.CIDErPlain }},
	// METEOR 1.5 over the corpus, where the scorer has METEOR's data.
	{Key: METEORKey, Title: "METEOR", Scale: 100, Digits: 1, Tested: true, Image: meteorOf, Corpus: CorpusMETEOR},
	// METEOR from exact and stem matches alone, where it has not.
	{Key: ExactStemKey, Title: "METEOR (exact, stem)", Heading: "METEOR exact+stem", Scale: 100, Digits: 1, Tested: true,
		Image: meteorOf, Corpus: CorpusMETEOR},
	// Share of candidates that are a training caption, where the scorer has those.
	{Key: "copied", Title: "Copied", Heading: "COPIED", Scale: 100, Digits: 1, Captions: copied},
	// Candidates' length over that of the closest references.
	{Key: "length_ratio", Title: "Length ratio", Heading: "LENGTH RATIO", Scale: 1, Digits: 3, Corpus: lengthRatio},
	// Share of candidates that are different from one another.
	{Key: "distinct", Title: "Distinct", Heading: "DISTINCT", Scale: 100, Digits: 1, Captions: distinct},
	// Number of different words in the candidates.
	{Key: "vocabulary", Title: "Vocabulary", Heading: "VOCABULARY", Scale: 1, Captions: vocabulary},
}

// bleuEntry is corpus BLEU of an order: closest reference length, brevity
// penalty. That of one image is unsmoothed.
func bleuEntry(order int) Entry {
	n := strconv.Itoa(order)
	return Entry{
		Key: bleuPrefix + n, Title: "BLEU-" + n, Scale: 100, Digits: 1, Tested: true, Brief: order == MaxOrder,
		Image:  func(s *ImageScore) float64 { return SentenceBLEU(*s)[order-1] },
		Corpus: func(images []ImageScore) float64 { return CorpusBLEU(images)[order-1] },
	}
}

// Find returns the metric of a key, and whether there is one.
func Find(key string) (Entry, bool) {
	for _, e := range Catalogue {
		if e.Key == key {
			return e, true
		}
	}
	return Entry{}, false
}

// Title returns the usual name of a metric's key; an unknown key is its own name.
func Title(key string) string {
	e, _ := Find(key)
	return cmp.Or(e.Title, key)
}

// Tested returns the keys of the metrics that the statistics resample, in the
// order of the catalogue, with METEOR only under the keys given.
func Tested(meteor ...string) []string {
	var keys []string
	for _, e := range Catalogue {
		if e.Tested && (!IsMETEOR(e.Key) || slices.Contains(meteor, e.Key)) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

const bleuPrefix = "bleu"

// BLEUOrder is the order of BLEU, from 1 to [MaxOrder], that a key stands for,
// and 0 of any other key.
func BLEUOrder(key string) int {
	digits, ok := strings.CutPrefix(key, bleuPrefix)
	order, err := strconv.Atoi(digits)
	if !ok || err != nil || order < 1 || order > MaxOrder {
		return 0
	}
	return order
}

// ParseKey parts the name of a metric of a split, such as test.cider. Neither
// part is looked up.
func ParseKey(name string) (split, key string, ok bool) {
	split, key, _ = strings.Cut(name, ".")
	if split == "" || key == "" {
		return "", "", false
	}
	return split, key, true
}

// Column is the heading of a column of the metric in a table in text.
func (e Entry) Column() string { return cmp.Or(e.Heading, e.Title) }

// corpus is the metric of a multiset of images, and whether their scores decide it.
func (e Entry) corpus(images []ImageScore) (float64, bool) {
	switch {
	case e.Corpus != nil:
		return e.Corpus(images), true
	case e.Image == nil:
		return 0, false
	case len(images) == 0:
		return 0, true
	}
	sum := 0.0
	for i := range images {
		sum += e.Image(&images[i])
	}
	return sum / float64(len(images)), true
}

// Shown are the keys of the metrics in tables, in their order: METEOR by whichever key a run has.
func Shown() []string { return Tested(METEORKey, ExactStemKey) }

// Order returns the keys of values by metric, those of tables first.
func Order[V any](values map[string]V) []string {
	var keys []string
	for _, key := range Shown() {
		if _, ok := values[key]; ok {
			keys = append(keys, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
