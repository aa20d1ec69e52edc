package server

import (
	"net/http"
	"strconv"
)

// paging is the part of a table's rows that one page shows.
type paging struct {
	Chosen        int // rows on all pages
	From, To      int // of them, from 1
	Before, After string
}

// pageOf parts chosen rows into pages of so many, and gives the one that the request asks for: the first where it asks for
// no number, the last where it asks for one behind that.
func pageOf(r *http.Request, chosen, most int) paging {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(0, min(page, (chosen-1)/most))
	p := paging{Chosen: chosen, From: page*most + 1, To: min(chosen, (page+1)*most)}
	if page > 0 {
		p.Before = with(r.URL, "page", strconv.Itoa(page-1))
	}
	if p.To < chosen {
		p.After = with(r.URL, "page", strconv.Itoa(page+1))
	}
	return p
}
