// Package stats computes how certain a comparison of captioners is.
//
// It takes arms, each a set of runs that differ in nothing but their seed,
// every run being the per-image statistics of its captions
// ([metrics.ImageScore]) on the same images in the same order, and gives
//
//   - [Compare]: differences between arms with intervals, p-values and a
//     verdict for the primary metric;
//   - [Pairwise]: tests over images for single runs, which say nothing about
//     another training of the same model;
//   - [Readings]: what the words of captions gain from their pictures, and
//     whether a sentinel's weight goes with that;
//   - [Plan]: what a study of a given size can find at all.
//
// # What is estimated
//
// The score of run r of arm a on images i is seen as
//
//	score = arm + seed(a,r) + image(i) + arm×image(a,i) + rest(a,r,i)
//
// with seeds and images drawn at random from all that could have been. The
// difference of two arms is about the arms, so its uncertainty has two
// sources: other seeds, and other images. All arms are scored on the same
// images, so what makes an image easy or hard for every arm cancels.
//
// # Draws
//
// Each of 10,000 draws takes as many images as there are, with replacement,
// once for all arms, and within each arm as many runs as it has, with
// replacement: the bootstrap of a crossed design (McCullagh 2000, "Resampling
// and exchangeable arrays", Bernoulli 6:285–301; Owen 2007, "The pigeonhole
// bootstrap", Annals of Applied Statistics 1:386–411). Corpus metrics are
// computed again for every run in every draw from sums of its per-image
// counts; BLEU is never averaged over images, nor METEOR where its counts are
// stored. CIDEr keeps the document frequencies of the whole test set.
//
// # Interval
//
// The percentiles of those draws are no honest interval of a difference when
// an arm has few runs. Resampling n runs shrinks their variance by (n-1)/n,
// percentiles forget that the variance was estimated from n values, and no
// resampling of a crossed design gets all variances right at once (McCullagh
// 2000). So the draws are used for what they get right, the variance that
// comes from the images, and the runs' own spread for the rest:
//
//	V = s²(B)/n(B) + s²(A)/n(A) + max(0, V(images) − V(rest))
//
// s² is the variance of an arm's scores over its seeds; V(images) that of the
// difference over draws of images with the runs held fixed; V(rest), taken
// from the spread between runs of one arm within a draw, is the part of
// V(images) that s² already contains. The interval is the difference ± t √V,
// t with the degrees of freedom of Satterthwaite 1946 ("An approximate
// distribution of estimates of variance components", Biometrics Bulletin
// 2:110–114; Welch 1947, Biometrika 34:28–35), the same decomposition that
// studies of several readers and many cases use (Hillis 2007, Statistics in
// Medicine 26:596–619). The percentile interval is given beside it.
//
// The choice was made by simulation: six kinds of noise like CIDEr's on
// Flickr8k, 4,000 studies each of two arms, 1,000 images. Smallest and largest
// share of 95 % intervals that hold the true difference:
//
//	seeds an arm     3             5             10
//	this interval    .944 to .966  .947 to .960  .943 to .956
//	percentiles      .805 to .996  .876 to .998  .924 to .999
//
// A bootstrap-t interval held it too, but was up to twice as wide with 3 seeds.
//
// # Tests
//
// The p-value of a contrast is the unpaired permutation test over seed-level
// scores, two-sided, exact up to 200,000 splits and by as many random ones
// beyond. It takes the test images as given. The interval has a p-value too,
// which counts the images in. Both are adjusted over the contrasts of one metric
// by Holm 1979 ("A simple sequentially rejective multiple test procedure",
// Scandinavian Journal of Statistics 6:65–70): were only the permutation test
// adjusted, arms that find different images hard would, in three contrasts, give
// some wrong verdict in a tenth of all studies. A contrast is supported when
// interval, both tests and the declared minimum effect agree. It is equivalent
// when two one-sided t tests, adjusted likewise, put the difference within ± the
// minimum; see [Verdict]. Only the primary metric, declared beforehand, has a
// verdict.
//
// Where there is nothing to test there are no numbers: Result.Untested says why.
//
// # Composites and looks
//
// A [Composite] is a weighted sum of arms, seed by seed; the contrast of two is
// a main effect or an interaction of a factorial study. [Looks] are those of a
// study that adds seeds to a contrast until it is decided: α is spent over them
// (Lan & DeMets 1983), p-values are sequential ones (Liu & Anderson 2008) and
// intervals repeated ones (Jennison & Turnbull 1989), so that every guarantee
// holds over looks and contrasts together (Maurer & Bretz 2013).
//
// docs/statistics.md explains all of it, with a worked example and what
// simulated studies say of the error rates.
//
// # Further sources
//
// Koehn 2004, "Statistical significance tests for machine translation
// evaluation", EMNLP (paired bootstrap over a test set). Riezler & Maxwell
// 2005, "On some pitfalls in automatic evaluation and significance testing for
// MT", ACL workshop (approximate randomization; shifting the bootstrap to the
// null). Clark, Dyer, Lavie & Smith 2011, "Better hypothesis testing for
// statistical machine translation: controlling for optimizer instability",
// ACL (several runs a system; the selection deviation s_sel). Card et al.
// 2020, "With little power comes great responsibility", EMNLP (power).
// Agarwal et al. 2021, "Deep reinforcement learning at the edge of the
// statistical precipice", NeurIPS (probability of improvement).
//
// # Repeatability
//
// All randomness comes from Options.Seed through generators of its own for
// each draw; results are the same bit for bit however many processors work.
//
// Scores and differences are fractions of 1 as in package metrics. Effects
// (minimum, detectable) are in points: 1 point is 0.01 of a score. The package
// imports no other of this module but metrics.
package stats
