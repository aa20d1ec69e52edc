// Package experiments is the study format: what a YAML study may say, what it
// means, and which trials it asks for.
//
// It takes a file (with the files it extends) and `--set` overrides, and gives
// a *Study: every key known, typed, within its limits and filled with defaults.
// A study's Plan is the list of its trials, each with complete Settings and an
// id made from them (and, after SetContents, from what their data hold), so that
// equal settings are one trial whichever file asks for them. Everything that can
// be refused is refused here, before a picture is read or a step is trained.
//
// What a study compares follows from its plan: Declare gives all that it fixes
// before a result is seen, as cells (trials that differ in their seed alone) and
// contrasts (weighted sums of cells), so that plan, report and tests ask the same.
//
// The keys, with limits, defaults and meanings, stand in one table, keys.go;
// decoding, sweep paths, the resolved file and schema.json all follow it.
//
// The package knows nothing of data sets, networks or storage. Of this module it
// imports metrics alone, whose Catalogue says which metrics a study may declare.
// Where the plan needs a parameter count, the caller passes a function
// (Study.MatchParameters).
package experiments
