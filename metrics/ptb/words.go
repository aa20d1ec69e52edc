package ptb

// Words, contractions and compounds.

// contractions are words that become two tokens. The value is the length of the
// second.
var contractions = map[string]int{
	"cannot": 3, "'twas": 3, "'tis": 2,
	"gonna": 2, "gotta": 2, "lemme": 2, "gimme": 2, "wanna": 2,
}

func matchContraction(l line, i int) match {
	if c := lowerASCII(l.at(i)); c != '\'' && c != 'c' && c != 'g' && c != 'l' && c != 'w' {
		return noMatch
	}
	for word, second := range contractions {
		if end := l.skipFold(i, word); end > 0 {
			return match{end - second, end}
		}
	}
	return noMatch
}

func matchCPlusPlus(l line, i int) match { return upTo(l.skipFold(i, "c++")) }

func matchCSharp(l line, i int) match {
	return upTo(max(l.skipFold(i, "c#"), l.skipFold(i, "f#")))
}

// wordEnd returns the end of a word at i, or 0. A word is a letter followed by
// letters and digits, and further such parts after a period, "!" or "?".
func wordEnd(l line, i int) int {
	end := l.skipWordLetter(i)
	if end == 0 {
		return 0
	}
	for {
		for {
			if next := l.skipWordLetter(end); next > 0 {
				end = next
			} else if isDigit(l.at(end)) {
				end++
			} else {
				break
			}
		}
		if c := l.at(end); c != '.' && c != '!' && c != '?' {
			return end
		}
		next := l.skipWordLetter(end + 1)
		if next == 0 {
			return end
		}
		end = next
	}
}

func matchWord(l line, i int) match { return upTo(wordEnd(l, i)) }

// matchWordPeriod matches a word with a period before a comma or similar: such a
// word is an abbreviation and keeps its period.
func matchWordPeriod(l line, i int) match { return periodBeforeComma(l, wordEnd(l, i)) }

// periodBeforeComma matches up to end, the end of a word, and a period there, if
// inner punctuation follows.
func periodBeforeComma(l line, end int) match {
	if end > 0 && l.at(end) == '.' && isInnerPunctuation(l.at(end+1)) {
		return match{end + 1, end + 2}
	}
	return noMatch
}

// cliticEnd returns the end of 's, 'm, 'd, 're, 've or 'll at i, or 0.
func cliticEnd(l line, i int) int {
	i = l.skipApostrophe(i)
	if i == 0 {
		return 0
	}
	if oneOf(l.at(i), "msdMSD") {
		return i + 1
	}
	return max(l.skipFold(i, "re"), l.skipFold(i, "ve"), l.skipFold(i, "ll"))
}

func matchWordBeforeClitic(l line, i int) match {
	if end := wordEnd(l, i); end > 0 {
		if total := cliticEnd(l, end); total > 0 {
			return match{end, total}
		}
	}
	return noMatch
}

func matchClitic(l line, i int) match { return upTo(cliticEnd(l, i)) }

func matchCliticBeforeOther(l line, i int) match { return beforeNoLetter(l, cliticEnd(l, i)) }

// beforeNoLetter matches up to end unless end is 0 or an ASCII letter follows.
func beforeNoLetter(l line, end int) match {
	if end > 0 && end < len(l) && !isASCIILetter(l[end]) {
		return match{end, end + 1}
	}
	return noMatch
}

// notEnd returns the end of n't at i, or 0.
func notEnd(l line, i int) int {
	if lowerASCII(l.at(i)) != 'n' {
		return 0
	}
	if i = l.skipInnerApostrophe(i + 1); i == 0 {
		return 0
	}
	return l.skipFold(i, "t")
}

func matchNot(l line, i int) match { return upTo(notEnd(l, i)) }

func matchNotBeforeOther(l line, i int) match { return beforeNoLetter(l, notEnd(l, i)) }

// matchWordBeforeNot matches the "do" of "don't": letters before n't, the last of
// which is not an n.
func matchWordBeforeNot(l line, i int) match {
	end := l.skipWhile(i, func(c uint16) bool { return isASCIILetter(c) || c == softHyphen }) - 1
	if end <= i {
		return noMatch
	}
	total := notEnd(l, end)
	last := end - 1
	for last > i && l[last] == softHyphen {
		last--
	}
	if total == 0 || !isASCIILetter(l[last]) || lowerASCII(l[last]) == 'n' {
		return noMatch
	}
	return match{end, total}
}

// chunkEnd returns the end of one part of a compound at i, or 0. A part is letters
// and digits, optionally after d', o' or l'.
func chunkEnd(l line, i int) int {
	if oneOf(l.at(i), "dDoOlL") {
		if p := l.skipInnerApostrophe(i + 1); p > 0 && isAlphaOrDigit(l.at(p)) {
			if end := l.skipWhile(p+1, isAlphaOrDigit); end > p+1 {
				return end
			}
		}
	}
	if end := l.skipWhile(i, isAlphaOrDigit); end > i {
		return end
	}
	return 0
}

// compoundEnd returns the end of parts at i joined by hyphens or underscores, or
// 0.
func compoundEnd(l line, i int) int {
	end := chunkEnd(l, i)
	for end > 0 && isHyphen(l.at(end)) {
		next := chunkEnd(l, end+1)
		if next == 0 {
			break
		}
		end = next
	}
	return end
}

func matchCompound(l line, i int) match       { return upTo(compoundEnd(l, i)) }
func matchCompoundPeriod(l line, i int) match { return periodBeforeComma(l, compoundEnd(l, i)) }

// hyphenatedEnd returns the end of a hyphenated ASCII word at i, or 0. The first
// part can contain periods and commas ("3,000-foot"), and later parts can be
// acronyms. If several ends are possible, it returns the last one that accept
// allows; a nil accept allows all.
func hyphenatedEnd(l line, i int, accept func(end int) bool) int {
	if !isASCIIWord(l.at(i)) {
		return 0
	}
	head := l.skipWhile(i+1, func(c uint16) bool {
		return isASCIIWord(c) || c == '.' || c == ',' || c == softHyphen
	})
	best := 0
	ends := []int{head}
	for len(ends) > 0 {
		p := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		if l.at(p) != '-' {
			continue
		}
		part := l.skipWhile(p+1, func(c uint16) bool { return isASCIIWord(c) || c == softHyphen })
		acronym := acronymPeriodEnd(l, p+1)
		if acronym <= p+3 { // a single letter is no acronym here
			acronym = 0
		}
		for _, end := range [...]int{part, acronym} {
			if end <= p+1 {
				continue
			}
			ends = append(ends, end)
			if end > best && (accept == nil || accept(end)) {
				best = end
			}
		}
	}
	return best
}

func matchHyphenated(l line, i int) match { return upTo(hyphenatedEnd(l, i, nil)) }

func matchHyphenatedPeriod(l line, i int) match {
	return periodBeforeComma(l, hyphenatedEnd(l, i, func(end int) bool {
		return periodBeforeComma(l, end).found()
	}))
}

// matchSlashed matches two or three ASCII words, each with up to two hyphens,
// joined by slashes: "and/or".
func matchSlashed(l line, i int) match {
	part := func(i int) int {
		end := l.skipWhile(i, isASCIIWord)
		if end == i {
			return 0
		}
		for range 2 {
			next := l.skipWhile(end+1, isASCIILetter)
			if l.at(end) != '-' || next == end+1 {
				break
			}
			end = next
		}
		return end
	}
	end := part(i)
	slashes := 0
	for end > 0 && slashes < 2 {
		slash := end
		if l.at(slash) == '\\' {
			slash++
		}
		if l.at(slash) != '/' {
			break
		}
		next := part(slash + 1)
		if next == 0 {
			break
		}
		end = next
		slashes++
	}
	if slashes == 0 {
		return noMatch
	}
	return upTo(end)
}

// initialsEnd returns the end of capitals joined by & or + at i, such as AT&T, or
// 0.
func initialsEnd(l line, i int) int {
	end, parts := i, 0
	for {
		next := l.skipWhile(end, isASCIIUpper)
		if next == end {
			break
		}
		parts++
		i = next
		switch entity := l.skipFold(next, "&amp;"); {
		case entity > 0 && isASCIIUpper(l.at(entity)):
			end = entity
		case l.at(next) == '&' || l.at(next) == '+':
			end = next + 1
		default:
			end = len(l)
		}
	}
	if parts < 2 {
		return 0
	}
	return i
}

func matchInitials(l line, i int) match       { return upTo(initialsEnd(l, i)) }
func matchInitialsPeriod(l line, i int) match { return periodBeforeComma(l, initialsEnd(l, i)) }
