// Package results knows what stored runs mean: which study they belong to, what
// that study declared and when, which of them are one arm, what their contrasts
// are, and what the statistics say about them. Plans, reports, comparisons and
// runners ask this package, so that they cannot disagree.
//
// It takes a results database and gives
//
//   - [Open]: a study with its declaration, its amendments and its runs;
//   - [Study.Analyse]: arms, contrasts and their statistics;
//   - [Stand]: how a study file relates to what the database holds as declared;
//   - [Adopt]: which stored runs are a plan's trials, their data included;
//   - [Due]: the trials that a sequential study needs next, [OutcomesOf] how its
//     contrasts stand;
//   - [Study.Ensembles], [Study.EnsemblesDue]: what the seeds of an arm caption together;
//   - [NoiseOf], [OutlookOf]: what a planned study can find;
//   - [Verify]: whether what a database says holds together.
//
// It imports neither models nor runner and needs no libtorch.
package results
