// Package metrics turns captions into scores that can be defended.
//
// It takes raw caption text or tokens and gives
//
//   - tokens, by the Penn Treebank rules that the COCO caption evaluation
//     uses ([Tokenize]);
//   - BLEU-1..4, ROUGE-L, CIDEr, CIDEr-D and METEOR 1.5, per image and over
//     the corpus ([Score], [Scorer]), with sufficient statistics in each
//     [ImageScore], so that corpus scores can be computed again from any
//     multiset of images ([Corpus], [CorpusBLEU], [CorpusMETEOR]);
//   - the list of all metrics, with their names and scales, from which every
//     other package knows them ([Catalogue]);
//   - METEOR's data from its jar, or packed once into a file that loads at
//     once ([LoadMeteor], [PackMeteor]);
//   - the same captions under many protocols ([Audit]), to show what a
//     published number can mean;
//   - readers for COCO-format JSON ([ReadReferences], [ReadCandidates]).
//
// Scores are fractions of 1, except CIDEr and CIDEr-D, which run from 0 to 10
// as in coco-caption. The values agree with coco-caption as packaged in
// pycocoevalcap 1.2; the fixtures under testdata hold that agreement.
//
// The package needs neither Java, Python nor libtorch, and must import no
// other package of this module.
package metrics
