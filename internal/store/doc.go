// Package store keeps the results of studies in one SQLite file, results.db: studies, their runs,
// which process works on which run, epochs, captions with their statistics, metrics, and the
// environment of each run.
//
// It stores and returns plain values: its own types, and the scores and audits of packages
// metrics and metrics/audit. It knows nothing of specs, data sets or models. Every exported
// method of [DB] is one transaction, but for [DB.Merge] and [DB.Seal], which may go on where they
// were stopped. All SQL is in this package. Except for views and storage
// options, it keeps to what SQLite and PostgreSQL share, so that another database can be
// supported.
//
// # Claims
//
// Only the process that holds a run's claim works on the run. A [Claim] carries the attempt
// number, which only grows: it is the fencing token. Every write of a trial names its claim. A
// write whose claim is no longer current changes nothing and returns [ErrFenced], so that a
// process that was suspended and wakes late cannot overwrite its successor.
//
// Claiming is a compare-and-set against the run as it was last read ([DB.Claim]). A holder shows
// that it is alive by incrementing [Run.Beats] ([DB.Beat]). Claims compare no clocks: the
// caller judges whether a holder is dead, by watching the counter. Only the check that nobody
// works on a study whose declaration is replaced goes by the time of the last heartbeat.
//
// # Declarations
//
// A study declares what it compares before its results are known ([Declaration]). The declaration
// can be replaced until a final split of one of the study's runs is scored; the transaction that
// scores it freezes the declaration. From then on no run leaves the study, and another
// declaration is an amendment, recorded with its reason and the number of runs known by then. The
// content of a declaration is opaque to the store.
//
// # Numbers
//
// Floating-point numbers are stored exactly. NULL means "not measured". Values that SQLite cannot
// hold, or silently turns into NULL, are stored as the texts 'nan', 'inf' and '-inf', and are
// read back as numbers. Lists of numbers are texts, packed at two characters a byte.
//
// The file is meant to be published. So no reference captions are stored, and at most
// [MostPictures] pictures of a data set, as thumbnails.
package store
