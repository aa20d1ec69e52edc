// Package stats computes how certain a comparison of captioners is.
//
// Its input is a set of arms. An arm is a set of runs that differ only in their
// seed. A run is the per-image statistics of its captions
// ([metrics.ImageScore]), on the same images in the same order for all runs.
//
//   - [Compare] estimates differences between arms: an interval, p-values and,
//     for the primary metric, a verdict.
//   - [Pairwise] tests single runs over images, which says nothing about
//     training the same models again. [OverImages] gives one captioner's
//     interval over images.
//   - [Readings] measures how much the words of captions gain from their
//     pictures, and whether the weight of a sentinel follows that gain.
//   - [AgainstReported] compares the scores of several seeds with a score that
//     others reported.
//   - [Plan] predicts what a study of a given size can detect.
//
// # What is estimated
//
// The score of run r of arm a on images i is modelled as
//
//	score = arm + seed(a,r) + image(i) + arm×image(a,i) + rest(a,r,i)
//
// where seeds and images are random samples. A comparison estimates the
// difference of two arms over all seeds and all images, so its uncertainty has
// two sources: other seeds and other images. All arms are scored on the same
// images, so an image that is hard for every arm cancels out.
//
// # Bootstrap
//
// Each of 10,000 draws resamples the images with replacement, once for all
// arms, and resamples the runs within each arm with replacement. This is the
// bootstrap of a crossed design (McCullagh 2000, "Resampling and exchangeable
// arrays", Bernoulli 6:285–301; Owen 2007, "The pigeonhole bootstrap", Annals
// of Applied Statistics 1:386–411). In every draw, corpus metrics are
// recomputed for every run from sums of per-image counts. BLEU is never
// averaged over images, and neither is METEOR if its counts are stored. CIDEr
// keeps the document frequencies of the whole test set.
//
// # Interval
//
// The percentiles of these draws are not a valid confidence interval when an
// arm has few runs. Resampling n runs shrinks their variance by (n-1)/n,
// percentiles ignore that the variance was estimated from n values, and no
// resampling of a crossed design gets all variances right at once (McCullagh
// 2000). So the draws only provide what they get right, the variance due to the
// images. The sample variance of the runs provides the rest:
//
//	V = s²(B)/n(B) + s²(A)/n(A) + max(0, V(images) − V(rest))
//
// s² is the variance of an arm's scores over its seeds. V(images) is the
// variance of the difference over draws of images with the runs held fixed.
// V(rest) is the part of V(images) that s² already contains, estimated from the
// spread between the runs of an arm within a draw. The interval is the
// difference ± t √V, with the degrees of freedom of Satterthwaite 1946 ("An
// approximate distribution of estimates of variance components", Biometrics
// Bulletin 2:110–114; Welch 1947, Biometrika 34:28–35). Studies with several
// readers and many cases use the same decomposition (Hillis 2007, Statistics in
// Medicine 26:596–619). The percentile interval is reported next to it.
//
// The method was chosen by simulation, with six noise distributions like that
// of CIDEr on Flickr8k and 4,000 studies for each, of two arms and 1,000 images.
// The smallest and largest coverage of 95 % intervals were
//
//	seeds per arm    3             5             10
//	this interval    .944 to .966  .947 to .960  .943 to .956
//	percentiles      .805 to .996  .876 to .998  .924 to .999
//
// A bootstrap-t interval also had the right coverage, but was up to twice as
// wide with 3 seeds.
//
// # Tests
//
// The p-value of a contrast is that of the two-sided, unpaired permutation test
// of seed-level scores. It is exact up to 200,000 splits of the runs; beyond
// that, it uses as many random splits. It takes the test images as given. The
// interval's t test has a p-value too, which accounts for the images. Both are
// adjusted over the contrasts of a metric by Holm's method (Holm 1979, "A simple
// sequentially rejective multiple test procedure", Scandinavian Journal of
// Statistics 6:65–70). If only the permutation test were adjusted, a tenth of
// all studies with three contrasts would give some wrong verdict when arms find
// different images hard. A contrast is supported if the interval, both tests and
// the declared minimum effect agree. It is equivalent if two one-sided t tests,
// adjusted in the same way, place the difference within ± the minimum; see
// [Verdict]. Only the primary metric, declared beforehand, gets a verdict.
//
// A contrast that cannot be tested has no numbers: Result.Untested says why.
//
// # Composites and looks
//
// A [Composite] is a weighted sum of arms, computed seed by seed. The contrast
// of two composites is a main effect or an interaction of a factorial study.
// [Looks] are the interim analyses of a study that adds seeds to a contrast
// until it is decided. α is spent over the looks (Lan & DeMets 1983), p-values
// are sequential (Liu & Anderson 2008), and intervals are repeated confidence
// intervals (Jennison & Turnbull 1989). So error rates hold over all looks and
// contrasts together (Maurer & Bretz 2013).
//
// docs/statistics.md explains all of this, with a worked example and the error
// rates found in simulated studies.
//
// # Further sources
//
// Koehn 2004, "Statistical significance tests for machine translation
// evaluation", EMNLP (paired bootstrap over a test set). Riezler & Maxwell
// 2005, "On some pitfalls in automatic evaluation and significance testing for
// MT", ACL workshop (approximate randomization; shifting the bootstrap to the
// null). Clark, Dyer, Lavie & Smith 2011, "Better hypothesis testing for
// statistical machine translation: controlling for optimizer instability",
// ACL (several runs per system; s_sel, the standard deviation due to the choice
// of the test set). Card et al. 2020, "With little power comes great
// responsibility", EMNLP (power). Agarwal et al. 2021, "Deep reinforcement
// learning at the edge of the statistical precipice", NeurIPS (probability of
// improvement).
//
// # Repeatability
//
// All random numbers derive from Options.Seed, with a separate generator for
// each draw. Results are the same bit for bit on any number of processors.
//
// Scores and differences are fractions of 1, as in package metrics. Effects
// (minimum, detectable) are in points: 1 point is 0.01 of a score.
package stats
