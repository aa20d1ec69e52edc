package ptb

import "strings"

// Abbreviations: the words that keep a following period.

// abbreviations are those usually followed by a lower-case word: months, days,
// American states, companies, and what follows a name. They match in either case,
// but an upper-case letter here matches only upper case, because the word also
// exists in lower case, and a letter after = matches only lower case.
var abbreviations = wordSet(`
	jan feb mar apr jun jul aug sep sept oct nov dec
	mon tue tues wed thu thurs fri
	ala ariz Az Ark calif colo conn ct dak Del fla ga Ill ind kan kans ky La
	Mass md mich minn Miss mo mont neb nev okla Ore Pa penn tenn Tex va vt
	Wash wis wisc wyo
	inc co cos corp pt=y pt=e pt=ys pt=es ppt=y ppt=e ppt=ys ppt=es ltd plc rt bancorp bhd assn univ intl sys
	tel est ext sq
	jr sr bros ed.d ph.d blvd rd esq
	etc al seq bldg`)

// titles are titles and other abbreviations that are usually followed by an
// upper-case word.
var titles = wordSet(`
	mr mrs ms Miss dr drs prof profs sen sens rep reps atty attys lt col gen
	messrs gov govs adm rev maj sgt cpl pvt capt st ste ave pres lieut hon brig
	cmdr comdr pfc spc supt supts det mt ft adj adv asst assoc ens insp mlle mme
	msgr sfc
	vs alex wm jos cie a.k.a cf treas ph
	invt elec natl m=tg m=fg dept`)

// beforeNumber are words that are abbreviations only before a number.
var beforeNumber = wordSet(`ca fig figs prop no nos art bldg pp op`)

// sentenceOpeners are words after which the period of a preceding single letter
// ends a sentence. They must be capitalised.
var sentenceOpeners = wordSet(`
	about according additionally after an a as at but earlier he her here however
	if in it last many more mr. ms. now once one other our she since so some such
	that the their then there these they this we when while what yet you`)

// wordSet maps each word, in lower case and without =, to its form in the list.
func wordSet(words string) map[string]string {
	set := make(map[string]string)
	for _, form := range strings.Fields(words) {
		set[strings.ToLower(strings.ReplaceAll(form, "=", ""))] = form
	}
	return set
}

// fitsCase reports whether the letters at i have the case that form requires.
func (l line) fitsCase(i int, form string) bool {
	lowerNext := false
	for k := 0; k < len(form); k++ {
		c := form[k]
		if c == '=' {
			lowerNext = true
			continue
		}
		upper := isASCIIUpper(l.at(i))
		if lowerNext && upper || isASCIIUpper(uint16(c)) && !upper {
			return false
		}
		lowerNext = false
		i++
	}
	return true
}

// longestAbbreviation is the length of the longest abbreviation.
const longestAbbreviation = 8

// abbreviationEnd returns the end of the longest abbreviation at i that is in set
// and precedes a period, or 0. The end excludes that period.
func abbreviationEnd(l line, i int, set map[string]string) int {
	best := 0
	var word [longestAbbreviation]byte
	for n := 0; n < longestAbbreviation; n++ {
		c := l.at(i + n)
		if !isASCIILetter(c) && (c != '.' || n == 0) {
			break
		}
		word[n] = byte(lowerASCII(c))
		if l.at(i+n+1) != '.' {
			continue
		}
		if form, ok := set[string(word[:n+1])]; ok && l.fitsCase(i, form) {
			best = i + n + 1
		}
	}
	return best
}

// namedAcronyms are compounds of country names around U.S.
var namedAcronyms = [...]string{
	"canada-u.s", "sino-u.s", "korean-u.s", "eu-u.s", "japan-u.s", "non-u.s",
	"u.s.-u.k", "u.s.-u.s.s.r",
}

// acronymEnd returns the end of letters separated by periods at i (one letter is
// enough), or of one of the namedAcronyms, without the final period. It returns 0
// if there are none.
func acronymEnd(l line, i int) int {
	if !isASCIILetter(l.at(i)) {
		return 0
	}
	end := i + 1
	for l.at(end) == '.' && isASCIILetter(l.at(end+1)) {
		end += 2
	}
	for _, name := range namedAcronyms {
		end = max(end, l.skipFold(i, name))
	}
	return end
}

// acronymPeriodEnd is acronymEnd with the final period. If no period follows the
// last letter, that letter is not part of the acronym, which ends with the period
// before it.
func acronymPeriodEnd(l line, i int) int {
	end := acronymEnd(l, i)
	switch {
	case end == 0:
		return 0
	case l.at(end) == '.':
		return end + 1
	case end >= i+3 && l.at(end-2) == '.':
		return end - 1
	}
	return 0
}

// matchInitialBeforeSentence matches a single letter, without its period, before
// a new sentence: "vitamin C. The". A longer acronym keeps its period there; see
// matchTitle.
func matchInitialBeforeSentence(l line, i int) match {
	if !isASCIILetter(l.at(i)) || l.at(i+1) != '.' || !isSpaceOrBreak(l.at(i+2)) {
		return noMatch
	}
	p := l.skipWhile(i+2, isSpaceOrBreak)
	end := 0
	if isASCIIUpper(l.at(p)) {
		q := l.skipWhile(p, isASCIILetter)
		if l.at(q) == '.' {
			q++
		}
		if word := string(l.ascii(p, q)); len(word) == q-p {
			if _, ok := sentenceOpeners[word]; ok {
				end = q
			}
		}
	} else {
		end = tagEnd(l, p)
	}
	if end == 0 || !isSpaceOrBreak(l.at(end)) {
		return noMatch
	}
	return match{i + 1, end + 1}
}

// ascii returns the ASCII characters between two positions, in lower case.
func (l line) ascii(i, end int) []byte {
	b := make([]byte, 0, end-i)
	for ; i < end; i++ {
		if c := l.at(i); c < 0x80 {
			b = append(b, byte(lowerASCII(c)))
		}
	}
	return b
}

func matchAbbreviationBeforeNumber(l line, i int) match {
	end := abbreviationEnd(l, i, beforeNumber)
	if end == 0 {
		return noMatch
	}
	p := end + 1
	if isSpaceOrBreak(l.at(p)) {
		p++
	}
	if !isDigit(l.at(p)) {
		return noMatch
	}
	return match{end + 1, p + 1}
}

// matchCompanyBeforeLtd matches "Pty.", "Pte." or "Co." before "Ltd" or "Limited".
func matchCompanyBeforeLtd(l line, i int) match {
	for _, w := range [...]string{"pty.", "pte.", "co."} {
		end := l.skipFold(i, w)
		if end == 0 || !isSpace(l.at(end)) {
			continue
		}
		if total := max(l.skipFold(end+1, "ltd"), l.skipFold(end+1, "lim")); total > 0 {
			return match{end, total}
		}
	}
	return noMatch
}

func matchAbbreviation(l line, i int) match {
	end := abbreviationEnd(l, i, abbreviations)
	switch {
	case end == 0:
		return noMatch
	case end+2 < len(l):
		return match{end + 1, end + 3}
	}
	return upTo(end + 1)
}

func matchTitle(l line, i int) match {
	if end := abbreviationEnd(l, i, titles); end > 0 {
		return upTo(max(end+1, acronymPeriodEnd(l, i)))
	}
	return upTo(acronymPeriodEnd(l, i))
}

// matchTitleNoPeriod and matchAcronymNoPeriod match the same words before white
// space instead of a period. Except for namedAcronyms, a plain word would give the
// same token.
func matchTitleNoPeriod(l line, i int) match {
	end := l.skipWhile(i, isASCIILetter)
	if end == i || end > i+longestAbbreviation || !isSpace(l.at(end)) {
		return noMatch
	}
	form, ok := titles[string(l.ascii(i, end))]
	if !ok || !l.fitsCase(i, form) {
		return noMatch
	}
	return match{end, end + 1}
}

func matchAcronymNoPeriod(l line, i int) match {
	if end := acronymEnd(l, i); end > 0 && isSpaceOrBreak(l.at(end)) {
		return match{end, end + 1}
	}
	return noMatch
}

// fileExtensions are the known extensions of file names.
var fileExtensions = wordSet(`
	bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg
	mov mp3 pdf php pl png ppt ps py sql tar txt wav x xml zip`)

// matchFileName matches words joined by periods, the last of which is a known
// extension, before white space or any of ".?!,".
func matchFileName(l line, i int) match {
	isPart := func(c uint16) bool { return isWordLetter(c) || isDigit(c) }
	part := func(i int) int {
		for {
			end := l.skipWhile(i, isPart)
			next := l.skipWordLetter(end)
			if next == 0 {
				return end
			}
			i = next
		}
	}
	best := noMatch
	end := part(i)
	if end == i {
		return noMatch
	}
	for l.at(end) == '.' {
		next := part(end + 1)
		if next == end+1 {
			break
		}
		if _, ok := fileExtensions[string(l.ascii(end+1, next))]; ok && len(l.ascii(end+1, next)) == next-end-1 {
			if c := l.at(next); isSpaceOrBreak(c) || oneOf(c, ".?!,") {
				best = match{next, next + 1}
			}
		}
		end = next
	}
	return best
}
