// Package metrics scores captions by BLEU, ROUGE-L, CIDEr and METEOR.
//
// [Score] and [Scorer] take captions as tokens and compute BLEU-1 to BLEU-4,
// ROUGE-L, CIDEr, CIDEr-D and METEOR 1.5, per image and over the corpus. Each
// [ImageScore] has the sufficient statistics from which corpus scores can be
// recomputed for any multiset of images ([Corpus], [CorpusBLEU],
// [CorpusMETEOR]). [Catalogue] lists all metrics with their names and scales;
// every other package uses it.
//
// Scores are fractions of 1, except those of the CIDEr family, which range from 0
// to 10 as in coco-caption. The values agree with coco-caption as packaged in
// pycocoevalcap 1.2; tests check this on the fixtures in testdata.
//
// Package ptb makes the tokens, package meteor computes METEOR, package coco
// scores captions in COCO's JSON, package audit computes scores under other
// people's protocols, and package stats compares runs. None of them needs Java,
// Python or libtorch.
package metrics
