// Package filter reads the expressions that choose rows of a table, such as
//
//	arm=adaptive and test.cider>50
//	(arm in (soft, adaptive) or seed<=2) and not state=failed
//	question~"bigger picture" and seconds>1h30m and created>=2026-01-31
//
// A condition is a field, one of = != < <= > >= and ~ (holds the text, in upper or lower case),
// and a value; `in (a, b)` is any of several values, and a field alone is true where it has a
// value. Of a field with several words, = is true of each of them. Conditions are joined by and,
// or and not, of which not binds first and or last. A value with spaces or signs in it is put in
// single or double quotes. A comparison with a field that has no value is false.
//
// The package knows no table: the caller says which fields there are, and of what
// kind, and gives the values of a row. It must import none of the project's packages.
package filter
