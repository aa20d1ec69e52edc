// Package reports writes the report of a study: what was asked, what the
// answer is, how sure it is, and what it rests on.
//
// It takes a study from the store and gives one folder: index.html, a page that
// needs no other file; report.md, the same in Markdown; each figure as SVG and
// PNG; each table as CSV, the main ones as LaTeX. The statistics are those of [glimpse/metrics/stats];
// this package computes no test of its own. Scores are shown in points (a
// hundredth of a score); CSV files hold fractions of 1.
//
// The way of the data is gather → analyse → newPage → files: evidence is what
// the store holds, a result what the statistics make of it, a page what is said
// about it, section by section. A new section is a function from *result to
// section, listed in newPage; page and Markdown need not know of it.
//
// Nothing depends on the clock, on a map's order or on the machine: equal data
// give equal bytes. Whatever comes from the store is escaped where it is
// written. The package needs neither libtorch nor the data set, and must not
// import runner or models.
package reports
