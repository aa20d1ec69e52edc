package ptb

// Tags, URLs, e-mail addresses, Twitter names and smileys.

func isTagName(c uint16) bool { return isASCIIWord(c) || oneOf(c, "_:.-") }

func tagNameEnd(l line, i int) int {
	if !isASCIILetter(l.at(i)) {
		return 0
	}
	return l.skipWhile(i+1, isTagName)
}

func isPlainSpace(c uint16) bool { return c == ' ' }

// tagEnd returns the end of an SGML, XML or HTML tag at i, or 0. Tags are <!...>,
// <?...>, <name attribute="value" ...> with or without a final slash, and </name>.
func tagEnd(l line, i int) int {
	if l.at(i) != '<' {
		return 0
	}
	p := i + 1
	switch c := l.at(p); {
	case c == '!' || c == '?':
		if c := l.at(p + 1); !isASCIILetter(c) && c != '-' {
			return 0
		}
		p = l.skipWhile(p+2, func(c uint16) bool { return c != '>' && c != '\n' })
	case c == '/':
		p = tagNameEnd(l, p+1)
	default:
		if p = tagNameEnd(l, p); p > 0 {
			p = attributesEnd(l, p)
		}
	}
	if p == 0 {
		return 0
	}
	if p = l.skipWhile(p, isPlainSpace); l.at(p) != '>' {
		return 0
	}
	return p + 1
}

// attributesEnd returns the end of a tag's attributes at p, including the slash of
// an empty element.
func attributesEnd(l line, p int) int {
	for {
		next := l.skipWhile(p, isPlainSpace)
		name := tagNameEnd(l, next)
		if next == p || name == 0 {
			if l.at(next) == '/' {
				return next + 1
			}
			return next
		}
		p = name
		q := l.skipWhile(p, isPlainSpace)
		if l.at(q) != '=' {
			continue
		}
		q = l.skipWhile(q+1, isPlainSpace)
		quote := l.at(q)
		if quote != '\'' && quote != '"' {
			continue
		}
		if end := l.skipWhile(q+1, func(c uint16) bool { return c != quote }); end < len(l) {
			p = end + 1
		}
	}
}

func matchTag(l line, i int) match { return upTo(tagEnd(l, i)) }

// Classes of characters in addresses. All of them contain every non-ASCII
// character.
var (
	// isURL is for any character of an address, isURLEnd for its last one.
	isURL    = allBut(" \t\n\f\r\"<>|(){}")
	isURLEnd = allBut(" \t\n\f\r\"<>|(){}.!?,-")
	// isURLPath is for the path of an address without http://.
	isURLPath = allBut(" \t\n\f\r\"<>|()")
	// isLabel is for the labels of a host name after www, isBareLabel for those of
	// other host names. The latter excludes capitals and digits because the
	// lexer's negated class has a range from comma to underscore.
	isLabel     = allBut(" \t\n\f\r\"<>|.!?(){},")
	isBareLabel = allBut(" \t\n\f\r\"`'<>|!(){}$,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_")
)

func allBut(set string) func(uint16) bool {
	var out [128]bool
	for _, c := range []byte(set) {
		out[c] = true
	}
	return func(c uint16) bool { return c >= 0x80 || !out[c] }
}

// addressEnd returns the end of the longest text at i that has at least two
// characters, all of the class, and ends with an isURLEnd; 0 if there is none.
func addressEnd(l line, i int, class func(uint16) bool) int {
	for end := l.skipWhile(i, class); end >= i+2; end-- {
		if isURLEnd(l[end-1]) {
			return end
		}
	}
	return 0
}

func matchFullURL(l line, i int) match {
	p := max(l.skipFold(i, "http://"), l.skipFold(i, "https://"))
	if p == 0 {
		return noMatch
	}
	return upTo(addressEnd(l, p, isURL))
}

// matchLikelyURL matches www.name.tld and name.com (or .net, .org, .edu), with an
// optional path.
func matchLikelyURL(l line, i int) match {
	best := 0
	consider := func(host int) {
		best = max(best, host)
		if l.at(host) == '/' {
			best = max(best, addressEnd(l, host+1, isURLPath))
		}
	}
	if p := l.skipFold(i, "www."); p > 0 {
		for p = labelEnd(l, p, isLabel); p > 0; p = labelEnd(l, p, isLabel) {
			for n := 1; n <= 4 && isASCIILetter(l.at(p+n-1)); n++ {
				if n >= 2 {
					consider(p + n)
				}
			}
		}
	}
	for p := labelEnd(l, i, isBareLabel); p > 0; p = labelEnd(l, p, isBareLabel) {
		for _, domain := range [...]string{"com", "net", "org", "edu"} {
			if host := l.skipFold(p, domain); host > 0 {
				consider(host)
			}
		}
	}
	return upTo(best)
}

// labelEnd returns the position after a run of characters of the class and a
// period at i, or 0.
func labelEnd(l line, i int, class func(uint16) bool) int {
	end := l.skipWhile(i, class)
	if end == i || l.at(end) != '.' {
		return 0
	}
	return end + 1
}

// matchEmail matches name@host, with or without angle brackets.
func matchEmail(l line, i int) match {
	start := i
	if end := l.skipFold(i, "&lt;"); end > 0 {
		start = end
	} else if l.at(i) == '<' {
		start++
	}
	if !isASCIIWord(l.at(start)) {
		return noMatch
	}
	isMail := func(c uint16) bool { return isURL(c) && c != noBreakSpace }
	// The last @ that a host follows gives the longest match.
	for at := l.skipWhile(start+1, isMail) - 1; at > start; at-- {
		if l[at] != '@' {
			continue
		}
		label := func(c uint16) bool { return isMail(c) && c != '.' }
		end := l.skipWhile(at+1, label)
		if end == at+1 {
			continue
		}
		for l.at(end) == '.' {
			next := l.skipWhile(end+1, label)
			if next == end+1 {
				break
			}
			end = next
		}
		if l.at(end) == '>' {
			end++
		}
		return upTo(end)
	}
	return noMatch
}

// matchTwitter matches @name and #word.
func matchTwitter(l line, i int) match {
	switch l.at(i) {
	case '@':
		if c := l.at(i + 1); isASCIILetter(c) || c == '_' {
			return upTo(l.skipWhile(i+2, func(c uint16) bool { return isASCIIWord(c) || c == '_' }))
		}
	case '#':
		end := i + 1
		for next := l.skipWordLetter(end); next > 0; next = l.skipWordLetter(end) {
			end = next
		}
		if end > i+1 {
			return upTo(end)
		}
	}
	return noMatch
}

// matchSmiley matches a smiley such as :-) that no letter or digit follows: an
// optional hat, eyes, an optional nose and a mouth.
func matchSmiley(l line, i int) match {
	p := i
	if c := l.at(p); c == '<' || c == '>' {
		p++
	}
	if !oneOf(l.at(p), ":;=") {
		return noMatch
	}
	p++
	if oneOf(l.at(p), "-o*'") {
		p++
	}
	if !oneOf(l.at(p), `()DPdpO\{@|[]`) || p+1 >= len(l) || isASCIIWord(l[p+1]) {
		return noMatch
	}
	return match{p + 1, p + 2}
}

// matchAsianSmiley matches smileys such as x_x and (^_^), with several kinds of
// eyes.
func matchAsianSmiley(l line, i int) match {
	const eyes = "-^x=~<>'"
	if oneOf(l.at(i), eyes) && l.at(i+1) == '_' && oneOf(l.at(i+2), eyes) {
		return upTo(i + 3)
	}
	if l.at(i) != '(' || !oneOf(l.at(i+1), eyes) {
		return noMatch
	}
	p := i + 2
	if c := l.at(p); c == '_' || c == '.' {
		p++
	}
	if oneOf(l.at(p), eyes) && l.at(p+1) == ')' {
		return upTo(p + 2)
	}
	if l.at(i+1) != '-' && l.at(i+2) == '-' && oneOf(l.at(i+3), "^x=~<>'`") && l.at(i+4) == ')' {
		return upTo(i + 5)
	}
	return noMatch
}
