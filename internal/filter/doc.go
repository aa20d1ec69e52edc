// Package filter parses expressions that select rows of a table, such as
//
//	arm=adaptive and test.cider>50
//	(arm in (soft, adaptive) or seed<=2) and not state=failed
//	question~"bigger picture" and seconds>1h30m and created>=2026-01-31
//
// A condition is a field, an operator (= != < <= > >=, or ~ for "contains", ignoring case) and a
// value. `in (a, b)` matches any of several values, and a field alone is true if it has a value.
// For a field with several words, = matches any one of them. Conditions are joined by and, or and
// not; not binds tightest, or loosest. Put a value that contains spaces or operators in single or
// double quotes. A comparison with a field that has no value is false.
//
// The package knows no tables: the caller supplies the fields, their kinds, and the values of
// each row. It must not import any of the project's packages.
package filter
