package ptb

// Words that begin with, end in or contain an apostrophe, and quotation marks.

// apostropheWords are single tokens in either case. A ' stands for itself, a ^ for
// any apostrophe, and a * for any apostrophe-like character.
var apostropheWords = []string{
	"dunkin^", "somethin^", "ol^", "^em", "^til", "^till", "^cause",
	"cont'd", "cont'd.", "nor'easter", "c'mon", "e'er", "s'mores",
	"ev'ry", "li'l", "nat'l", "o*o", "^n", "^n^",
}

// matchApostropheWord matches apostropheWords, decades ('80s), French elisions
// (l', d', j'), names such as O'Neill and D'Arcy, and words with a vowel on both
// sides of the apostrophe (Shi'ite).
func matchApostropheWord(l line, i int) match {
	best := 0
	first := l.at(i)
	if !isAlpha(first) && l.skipApostrophe(i) == 0 {
		return noMatch
	}
	for _, w := range apostropheWords {
		best = max(best, l.skipPattern(i, w))
	}
	if p := l.skipApostrophe(i); p > 0 {
		if c := l.at(p); c >= '2' && c <= '9' {
			best = max(best, l.skipFold(p+1, "0s"))
		}
	}
	if oneOf(first, "lLdDjJ") {
		best = max(best, l.skipApostrophe(i+1))
	}
	if isASCIIUpper(first) && first != 'I' && first != 'Y' || first == 'n' {
		if p := l.skipInnerApostrophe(i + 1); p > 0 {
			if end := l.skipWhile(p, isAlpha); end >= p+2 {
				best = max(best, end)
			}
		}
	}
	if p := l.skipWhile(i, isAlpha); p >= i+2 && oneOf(l[p-1], "aeiouyAEIOUY") {
		if q := l.skipInnerApostrophe(p); q > 0 && (isASCIIUpper(l.at(q)) || oneOf(l.at(q), "aeiou")) {
			best = max(best, l.skipWhile(q+1, isAlpha))
		}
	}
	return upTo(best)
}

// skipPattern returns the end of one of the apostropheWords at i, or 0.
func (l line) skipPattern(i int, word string) int {
	for k := 0; k < len(word); k++ {
		switch word[k] {
		case '^':
			i = l.skipApostrophe(i)
		case '*':
			i = l.skipInnerApostrophe(i)
		default:
			i = l.skipFold(i, word[k:k+1])
		}
		if i == 0 {
			return 0
		}
	}
	return i
}

// matchYApostrophe matches the y' of y'all and y'know.
func matchYApostrophe(l line, i int) match {
	if lowerASCII(l.at(i)) != 'y' {
		return noMatch
	}
	if end := l.skipApostrophe(i + 1); end > 0 && isAlpha(l.at(end)) {
		return match{end, end + 1}
	}
	return noMatch
}

// matchTreebankSpecial matches what the Penn Treebank treats as single tokens:
// escaped brackets, pro- and anti-, and a few names.
func matchTreebankSpecial(l line, i int) match {
	best := 0
	for _, w := range [...]string{
		"-rrb-", "-lrb-", "-rcb-", "-lcb-", "-rsb-", "-lsb-", "c.d.s", "pro-", "anti-",
		"s&p-500", "s&amp;p-500", "s&ls", "s&amp;ls", "cap^n", "c^est",
	} {
		best = max(best, l.skipPattern(i, w))
	}
	return upTo(best)
}

// matchYear matches a two-digit year such as '99 before white space.
func matchYear(l line, i int) match {
	p := l.skipApostrophe(i)
	if p == 0 || !isASCIIDigit(l.at(p)) || !isASCIIDigit(l.at(p+1)) || !isSpaceOrBreak(l.at(p+2)) {
		return noMatch
	}
	return match{p + 2, p + 3}
}

func doubleQuoteEnd(l line, i int) int {
	if l.at(i) == '"' {
		return i + 1
	}
	return l.skipFold(i, "&quot;")
}

func matchDoubleQuote(l line, i int) match { return upTo(doubleQuoteEnd(l, i)) }

// matchOpeningDoubleQuote matches a double quote before a letter, a digit or $.
func matchOpeningDoubleQuote(l line, i int) match {
	if end := doubleQuoteEnd(l, i); end > 0 && (isASCIIWord(l.at(end)) || l.at(end) == '$') {
		return match{end, end + 1}
	}
	return noMatch
}

// matchOpeningSingleQuote matches an ASCII apostrophe that opens a quotation: one
// before a word of at least two characters.
func matchOpeningSingleQuote(l line, i int) match {
	if l.at(i) != '\'' || !isASCIILetter(l.at(i+1)) || i+2 >= len(l) {
		return noMatch
	}
	switch l[i+2] {
	case ' ', '\t', '\n', '\r', noBreakSpace:
		return noMatch
	}
	return match{i + 1, i + 3}
}

// matchQuotes matches any other quotation mark, or two of them.
func matchQuotes(l line, i int) match {
	best := l.skipApostrophe(i)
	if l.at(i) == '\'' && l.at(i+1) == '\'' {
		best = i + 2
	}
	if isQuote(l.at(i)) {
		best = i + 1
		if isQuote(l.at(best)) {
			best++
		}
	}
	return upTo(best)
}

func isQuote(c uint16) bool {
	return c == '`' || c >= 0x2018 && c <= 0x201F ||
		c >= 0x91 && c <= 0x94 || c == 0x2039 || c == 0x203A || c == 0xAB || c == 0xBB
}
