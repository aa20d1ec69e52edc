// Package inspect opens completed runs again, with their data sets and their
// best checkpoints, to learn more of them than was recorded when they were
// trained.
//
// It takes runs of a results database and gives
//
//   - [Opener.Open]: a run with its settings, data set and captioner;
//   - [Opener.Audit]: a run's BLEU under other people's protocols;
//   - [Opener.Swap]: what each word of its captions took from the picture;
//   - [Opener.Ensemble]: what several runs would score together;
//   - [Opener.RecordEnsembles]: what the seeds of each arm score together, kept with a study that declares it;
//   - [Opener.Illustrate]: pictures and attention maps for a study's report;
//   - [Opener.Reproduce]: how a run compares with what training it again gives;
//   - [Opener.Caption]: captions of any picture.
//
// What it learns it keeps beside the runs, which stay as they are. Another data
// set than the one that a run was made with is refused. It prints nothing: what
// begins is passed to [Opener.Remark].
package inspect
