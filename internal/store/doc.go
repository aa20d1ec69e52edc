// Package store keeps the results of studies in one SQLite file, results.db:
// studies, their runs, who is working on which run, epochs, captions with their
// statistics, metrics, and the environment each run was made in.
//
// It takes plain values (the types of this package, and scores and audits as
// package metrics and metrics/audit have them) and gives them back; it knows nothing of specs, data sets or
// models. Every exported method of [DB] is one transaction.
// The SQL stays in this package, and is kept to what SQLite and PostgreSQL share, but for views and
// the way in which tables lie in the file, so that a second database can stand beside this one.
//
// # Claims
//
// A run is worked on by whoever holds its claim. A [Claim] carries the number of
// the attempt, which only ever grows: it is the fencing token. Every write of
// a trial names its claim, and a write whose claim is no longer the run's
// current one changes nothing and returns [ErrFenced], so that a process that
// was suspended and wakes late cannot overwrite its successor.
//
// Taking a claim is a compare-and-set against the run as it was last read
// ([DB.Claim]). A holder proves that it lives by counting [Run.Beats] up
// ([DB.Beat]). The store compares no clocks: whether a holder is dead is for the
// caller to judge, by watching the counter.
//
// # Declarations
//
// A study declares what it compares before its results are known
// ([Declaration]). The declaration can be replaced until a final split of one of the
// study's runs is scored; the transaction that scores it freezes the declaration.
// From then on runs do not leave the study, and another declaration is an
// amendment, which keeps its reason and how many runs were known. What is
// declared is opaque to the store.
//
// # Numbers
//
// Floating-point numbers are stored exactly. NULL stands for "not measured";
// the values that SQLite cannot hold or silently turns into NULL are stored as
// the texts 'nan', 'inf' and '-inf', and come back as such. Lists of numbers are texts that
// are packed into half the room, digit by digit.
//
// No reference captions are ever stored, and of the pictures of a data set at
// most [MostPictures], as thumbnails: the file is meant to be published.
package store
