package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// An Entry is a metric: its names, its format and its computation. Values are
// fractions of 1, ratios or counts; CIDEr ranges from 0 to 10.
type Entry struct {
	// Key is the metric's key in JSON. With a split and a dot before it
	// ([ParseKey]), it is the name in study files and of columns.
	Key string
	// Title is the usual name, as in reports.
	Title string
	// Heading is the heading of a column in a text table; if empty, the title.
	Heading string
	// Scale is the factor by which values are multiplied for display: 100 for
	// fractions and CIDEr, which gives points, and 1 for ratios and counts.
	Scale float64
	// Digits is the number of decimals shown after scaling.
	Digits int
	// Tested is true if the statistics resample the metric over images, so that a
	// study can declare it. A tested metric must have Image, be stored for each
	// image, and have a scale of 100, because differences are in points.
	Tested bool
	// Brief is true if the metric is shown even where there is room for few.
	Brief bool

	// Image returns the score of one image. If Corpus is nil, the metric is its
	// mean over the images.
	Image func(s *ImageScore) float64
	// Corpus returns the metric of a multiset of images, which can be empty.
	Corpus func(images []ImageScore) float64
	// Captions returns a metric that is computed from the candidates instead of
	// their scores. ok is false if the scorer lacks the data for it. There is at
	// least one item. Image and Corpus are nil if Captions is not.
	Captions func(s *Scorer, items []Item) (value float64, ok bool)
}

// Catalogue lists all metrics, in the usual order of tables. All code that
// computes, compares or shows metrics uses it, so a new metric is a new entry.
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
	// METEOR from exact and stem matches alone, where the scorer lacks that data.
	{Key: ExactStemKey, Title: "METEOR (exact, stem)", Heading: "METEOR exact+stem", Scale: 100, Digits: 1, Tested: true,
		Image: meteorOf, Corpus: CorpusMETEOR},
	// Share of candidates that equal a training caption, where the scorer has those.
	{Key: "copied", Title: "Copied", Heading: "COPIED", Scale: 100, Digits: 1, Captions: copied},
	// Total length of the candidates divided by that of the closest references.
	{Key: "length_ratio", Title: "Length ratio", Heading: "LENGTH RATIO", Scale: 1, Digits: 3, Corpus: lengthRatio},
	// Number of different candidates divided by the number of candidates.
	{Key: "distinct", Title: "Distinct", Heading: "DISTINCT", Scale: 100, Digits: 1, Captions: distinct},
	// Number of different words in the candidates.
	{Key: "vocabulary", Title: "Vocabulary", Heading: "VOCABULARY", Scale: 1, Captions: vocabulary},
}

// bleuEntry returns the entry of corpus BLEU of an order, with the brevity penalty
// against the closest reference lengths. The score of one image is unsmoothed.
func bleuEntry(order int) Entry {
	n := strconv.Itoa(order)
	return Entry{
		Key: bleuPrefix + n, Title: "BLEU-" + n, Scale: 100, Digits: 1, Tested: true, Brief: order == MaxOrder,
		Image:  func(s *ImageScore) float64 { return SentenceBLEU(*s)[order-1] },
		Corpus: func(images []ImageScore) float64 { return CorpusBLEU(images)[order-1] },
	}
}

// Find returns the metric with a key, and whether there is one.
func Find(key string) (Entry, bool) {
	for _, e := range Catalogue {
		if e.Key == key {
			return e, true
		}
	}
	return Entry{}, false
}

// Title returns the usual name of the metric with a key, or the key itself if it
// is unknown.
func Title(key string) string {
	e, _ := Find(key)
	return cmp.Or(e.Title, key)
}

// Tested returns the keys of the tested metrics, in the order of the catalogue. Of
// METEOR's keys, it returns only those given.
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

// BLEUOrder returns the order, from 1 to [MaxOrder], of a BLEU key, and 0 for any
// other key.
func BLEUOrder(key string) int {
	digits, ok := strings.CutPrefix(key, bleuPrefix)
	order, err := strconv.Atoi(digits)
	if !ok || err != nil || order < 1 || order > MaxOrder {
		return 0
	}
	return order
}

// ParseKey splits a name such as test.cider into a split and a metric's key. It
// does not check whether they exist. ok is false if either part is empty.
func ParseKey(name string) (split, key string, ok bool) {
	split, key, _ = strings.Cut(name, ".")
	if split == "" || key == "" {
		return "", "", false
	}
	return split, key, true
}

// Column returns the heading of the metric's column in a text table.
func (e Entry) Column() string { return cmp.Or(e.Heading, e.Title) }

// corpus returns the metric of a multiset of images. It returns false for a metric
// that cannot be computed from their scores.
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

// Shown returns the keys of the metrics in tables, in order. It includes both of
// METEOR's keys, of which a run has one.
func Shown() []string { return Tested(METEORKey, ExactStemKey) }

// Order returns the keys of values: first those in [Shown], in its order, then the
// others alphabetically.
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
