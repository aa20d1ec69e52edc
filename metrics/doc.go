// Package metrics scores captions by BLEU, ROUGE-L, CIDEr and METEOR.
//
// It takes captions as tokens and gives
//
//   - BLEU-1..4, ROUGE-L, CIDEr, CIDEr-D and METEOR 1.5, per image and over
//     the corpus ([Score], [Scorer]), with sufficient statistics in each
//     [ImageScore], so that corpus scores can be computed again from any
//     multiset of images ([Corpus], [CorpusBLEU], [CorpusMETEOR]);
//   - the list of all metrics, with their names and scales, from which every
//     other package knows them ([Catalogue]).
//
// Scores are fractions of 1, except CIDEr and CIDEr-D, which run from 0 to 10
// as in coco-caption. The values agree with coco-caption as packaged in
// pycocoevalcap 1.2; the fixtures under testdata hold that agreement.
//
// Package ptb makes the tokens, package meteor computes METEOR, package coco
// scores captions in COCO's JSON, package audit under other people's protocols,
// and package stats compares runs. None needs Java, Python or libtorch.
package metrics
