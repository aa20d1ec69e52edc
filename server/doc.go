// Package server shows results databases as live pages, over HTTP: studies, their trials, single
// runs, comparisons, captions, and what runs where.
//
// It takes paths of databases, or of folders that hold some, and gives an [http.Handler]. What
// the pages say is made by packages reports, results and results/view; this package computes no
// statistic. Databases are opened for reading alone, and no lock is held between two queries, so
// that runners are not kept waiting. One goroutine watches all databases and tells every page, by
// server-sent events, when something has changed; the page then fetches itself anew and replaces
// the parts that differ.
//
// Every page works without script and is described by its URL alone. Names, captions and messages
// are data: they are escaped by html/template, and a Content-Security-Policy allows no inline
// script or style.
package server
