// Package experiments defines the study format: what a YAML study may contain, what it means, and
// which trials it plans.
//
// It turns a file (with the files it extends) and `--set` overrides into a *Study, with every key
// known, typed, within its limits and filled with defaults. A study's Plan is the list of its
// trials. Each has complete Settings and an id derived from them (and, after SetContents, from
// the content of their data), so that equal settings are one trial in whatever file. Every fault
// that can be detected is reported here, before a picture is read or a step is trained.
//
// What a study compares follows from its plan: Declare returns everything it fixes before a
// result is seen, as cells (trials that differ only in their seed) and contrasts (weighted sums
// of cells), so that plan, report and tests use the same ones.
//
// The keys, with limits, defaults and meanings, are in one table, keys.go. Decoding, sweep paths,
// the resolved file and schema.json are derived from it.
//
// The package knows nothing about data sets, networks or storage. It uses the names in packages
// captioner and metrics, whose Catalogue lists the metrics that a study may declare. If the plan
// needs parameter counts, the caller passes a function (Study.MatchParameters).
package experiments
