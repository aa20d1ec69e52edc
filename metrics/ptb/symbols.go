package ptb

// Dashes, brackets, periods and all other signs.

func matchDash(l line, i int) match {
	if c := l.at(i); c == 0x96 || c == 0x97 || c >= 0x2013 && c <= 0x2015 {
		return upTo(i + 1)
	}
	return upTo(max(l.skipFold(i, "&md;"), l.skipFold(i, "&mdash;"), l.skipFold(i, "&ndash;")))
}

func matchAmpersandEntity(l line, i int) match    { return upTo(l.skipFold(i, "&amp;")) }
func matchNoBreakSpaceEntity(l line, i int) match { return upTo(l.skipFold(i, "&nbsp;")) }

func matchSpaces(l line, i int) match {
	if end := l.skipWhile(i, isSpace); end > i {
		return upTo(end)
	}
	return noMatch
}

// matchPunctuationEntity matches the punctuation entities of old newswire text and
// any numeric character reference.
func matchPunctuationEntity(l line, i int) match {
	if l.at(i) != '&' {
		return noMatch
	}
	if l.at(i+1) == '#' {
		if end := l.skipWhile(i+2, isASCIIDigit); end > i+2 && l.at(end) == ';' {
			return upTo(end + 1)
		}
		return noMatch
	}
	best := 0
	for _, name := range [...]string{"ht;", "tl;", "ur;", "lr;", "qc;", "ql;", "qr;", "odq;", "cdq;"} {
		best = max(best, l.skipFold(i+1, name))
	}
	return upTo(best)
}

func matchLess(l line, i int) match {
	if l.at(i) == '<' {
		return upTo(i + 1)
	}
	return upTo(l.skipFold(i, "&lt;"))
}

func matchGreater(l line, i int) match {
	if l.at(i) == '>' {
		return upTo(i + 1)
	}
	return upTo(l.skipFold(i, "&gt;"))
}

// matchDuckFeet matches << and >>.
func matchDuckFeet(l line, i int) match {
	if c := l.at(i); (c == '<' || c == '>') && l.at(i+1) == c {
		return upTo(i + 2)
	}
	return noMatch
}

func matchBracket(l line, i int) match {
	if oneOf(l.at(i), "{}[]()") {
		return upTo(i + 1)
	}
	return noMatch
}

// runEnd returns the end of a run of the character c at i, or 0.
func runEnd(l line, i int, c uint16) int {
	end := l.skipWhile(i, func(d uint16) bool { return d == c })
	if end == i {
		return 0
	}
	return end
}

func matchHyphens(l line, i int) match { return upTo(runEnd(l, i, '-')) }

// matchRun matches a run of @, #, _ or *, or any mixture of ? and !.
func matchRun(l line, i int) match {
	switch c := l.at(i); c {
	case '@', '#', '_', '*':
		return upTo(runEnd(l, i, c))
	case '?', '!':
		return upTo(l.skipWhile(i, func(d uint16) bool { return d == '?' || d == '!' }))
	}
	return noMatch
}

// matchEscapedAsterisks matches up to three asterisks, each after a backslash.
func matchEscapedAsterisks(l line, i int) match {
	end := i
	for end < i+6 && l.at(end) == '\\' && l.at(end+1) == '*' {
		end += 2
	}
	if end == i {
		return noMatch
	}
	return upTo(end)
}

// matchEllipsis matches three to five periods, with or without single spaces
// between them, or the ellipsis character.
func matchEllipsis(l line, i int) match {
	if l.at(i) == 0x2026 {
		return upTo(i + 1)
	}
	best := 0
	if n := runEnd(l, i, '.') - i; n >= 3 {
		best = i + min(n, 5)
	}
	spaced := i
	for n := 1; n <= 4 && l.at(spaced) == '.' && (l.at(spaced+1) == ' ' || l.at(spaced+1) == noBreakSpace); n++ {
		spaced += 2
		if n >= 2 && l.at(spaced) == '.' {
			best = max(best, spaced+1)
		}
	}
	return upTo(best)
}

func matchSentencePunctuation(l line, i int) match {
	c := l.at(i)
	if isInnerPunctuation(c) || oneOf(c, ".=/\u00A1\u00BF\u037E\u0589\u061F\u06D4\u0700\u0701\u0702\u07FA\u3002") {
		return upTo(i + 1)
	}
	return noMatch
}

func matchSymbol(l line, i int) match {
	c := l.at(i)
	if c < 0x80 {
		if oneOf(c, `+%&~^|\`) {
			return upTo(i + 1)
		}
		return noMatch
	}
	for _, r := range symbols {
		if c < r.lo {
			break
		}
		if c <= r.hi {
			return upTo(i + 1)
		}
	}
	return noMatch
}

// symbols are the non-ASCII signs that are tokens by themselves, in ascending
// order.
var symbols = [...]struct{ lo, hi uint16 }{
	{0xA6, 0xA9}, {0xAC, 0xAC}, {0xAE, 0xBA}, {0xD7, 0xD7}, {0xF7, 0xF7},
	{0x387, 0x387}, {0x5BE, 0x5BE}, {0x5C0, 0x5C0}, {0x5C3, 0x5C3}, {0x5C6, 0x5C6},
	{0x5F3, 0x5F4}, {0x600, 0x603}, {0x606, 0x60A}, {0x60C, 0x60C}, {0x614, 0x614},
	{0x61B, 0x61B}, {0x61E, 0x61E}, {0x66A, 0x66A}, {0x66D, 0x66D}, {0x703, 0x70D},
	{0x7F6, 0x7F8}, {0x964, 0x965}, {0xE4F, 0xE4F}, {0x1FBD, 0x1FBD},
	{0x2016, 0x2017}, {0x2020, 0x2023}, {0x2030, 0x2038}, {0x203B, 0x203B},
	{0x203E, 0x2042}, {0x2044, 0x2044}, {0x207A, 0x207F}, {0x208A, 0x208E},
	{0x2100, 0x214F}, {0x2190, 0x21FF}, {0x2200, 0x2BFF}, {0x3012, 0x3012},
	{0x30FB, 0x30FB}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65},
}
